"""The wall between a run and a database: what stores, builds, publishes and reads the marts."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.data_dir import DataDir
    from pipelines.warehouse.base import Warehouse

ENGINES = {"duckdb": "DuckDB"}
"""Name of an engine, in `[pipeline] destination`, for dlt and for dbt -> the class of its module
here. An engine is imported where it is wanted: its driver may be an extra."""


def warehouse_of(data_dir: "DataDir") -> "Warehouse":
    """The warehouse that the settings name.

    Raises:
        ForeseenError: They name one that is not there.
    """
    from pipelines.settings import PipelineSettings, settings

    name = settings(PipelineSettings).destination
    engine = getattr(import_module(f"pipelines.warehouse.{name}"), ENGINES[name])
    warehouse: Warehouse = engine(data_dir)
    return warehouse
