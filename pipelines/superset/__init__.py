"""Dashboards of the metrics for Superset, as a file that it imports."""
