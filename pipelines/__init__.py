"""The nightly run; what other tools were told about dlt and dbt ends at its door."""

from pipelines import surroundings

surroundings.shut_out()
