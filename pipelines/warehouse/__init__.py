"""The wall between a run and a database: what stores, builds, publishes and reads the marts."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from sources.errors import ForeseenError

if TYPE_CHECKING:
    from pipelines.data_dir import DataDir
    from pipelines.warehouse.base import Warehouse

ENGINES = {"duckdb": "DuckDB", "postgres": "Postgres"}
"""Name of an engine, in `[pipeline] destination`, for dlt and for dbt -> the class of its module
here. An engine is imported where it is wanted: its driver may be an extra."""
OF_FILES = "duckdb"
"""The engine of a warehouse that is a file of its data folder."""


def warehouse_of(data_dir: "DataDir") -> "Warehouse":
    """The warehouse that the settings name.

    Raises:
        ForeseenError: They name one that is not there, or its extra is not installed.
    """
    from pipelines.settings import PipelineSettings, settings

    name = OF_FILES if data_dir.is_apart else settings(PipelineSettings).destination
    try:
        module = import_module(f"pipelines.warehouse.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipelines"):
            raise
        raise ForeseenError(
            f"[pipeline] destination is {name}, and what connects to it is not installed "
            f"({error.name}).\n"
            "It is an extra, because not everybody needs it. Nothing was done.\n"
            f'Run: pip install "claude-warehouse[{name}]"'
        ) from error
    warehouse: Warehouse = getattr(module, ENGINES[name])(data_dir)
    return warehouse


@contextmanager
def held(data_dir: "DataDir", command: str, *, replaces: bool = False) -> Iterator[None]:
    """Hold data folder and warehouse for one writer.

    Raises:
        WarehouseHeld: Another run has one of them; the message says which, and since when.
        ForeseenError: A newer version wrote there, or the warehouse cannot be reached.
    """
    with data_dir.held(command, replaces=replaces), warehouse_of(data_dir).held(command):
        yield


def held_by(data_dir: "DataDir") -> str | None:
    """Who holds data folder or warehouse; None if nobody does, or the warehouse does not say."""
    if running := data_dir.held_by():
        return running
    try:
        return warehouse_of(data_dir).held_by()
    except ForeseenError:
        return None  # Whoever needs it says why.
