"""Reads the served file: the published marts with their descriptions."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from pipelines.foreseen import foreseen
from pipelines.warehouse.duckdb import dict_rows, open_to_read
from pipelines.warehouse.publish import SCHEMA
from sources.errors import ForeseenError

Row = dict[str, Any]


class NothingServed(ForeseenError):
    """No marts are published yet."""


class Served:
    """The published marts, open for reading."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """What the query gives, a row as column name -> value; marts need no schema name."""
        return dict_rows(self.connection.execute(sql, parameters or None))

    def row(self, sql: str, **parameters: object) -> Row | None:
        """The only row that the query gives, or None."""
        found = self.rows(sql, **parameters)
        return found[0] if found else None

    def has(self, mart: str, *columns: str) -> bool:
        """Whether the mart is published, with these columns."""
        return mart in self.columns and set(columns) <= self.columns[mart].keys()

    def first_column(self, mart: str, *columns: str) -> str | None:
        """The first of these columns that the mart has."""
        return next((column for column in columns if self.has(mart, column)), None)

    def definition(self, mart: str, column: str) -> str:
        """What the column means, in the words of the mart's own description."""
        return self.columns.get(mart, {}).get(column) or "The mart gives no description."

    @cached_property
    def columns(self) -> dict[str, dict[str, str | None]]:
        """Mart -> column -> description."""
        found: dict[str, dict[str, str | None]] = {}
        for mart, column, comment in self.connection.execute(
            """
            select table_name, column_name, comment
            from duckdb_columns()
            where schema_name = ? and database_name = current_database()
            order by table_name, column_index
            """,
            [SCHEMA],
        ).fetchall():
            found.setdefault(mart, {})[column] = comment
        return found


@contextmanager
def opened(path: Path) -> Iterator[Served]:
    """The served file, for as long as it is read.

    Raises:
        ForeseenError: There is none yet, it cannot be read, or no day is loaded in it.
    """
    with connected(path) as served:
        if not _has_data(served):
            raise NothingServed(_nothing_served(path, "no day is loaded in it"))
        yield served


@contextmanager
def connected(path: Path) -> Iterator[Served]:
    """The served file, for as long as it is read, though no day may be loaded in it.

    Raises:
        ForeseenError: There is none yet, it holds no marts, or it cannot be read.
    """
    if not path.exists():
        raise NothingServed(_nothing_served(path, "the file does not exist"))
    try:
        with open_to_read(path) as connection:
            connection.execute("set timezone = 'UTC'")
            served = Served(connection)
            if not served.columns:
                raise NothingServed(_nothing_served(path, f"it has no tables in {SCHEMA}"))
            connection.execute(f"use {SCHEMA}")
            yield served
    except duckdb.Error as error:
        raise foreseen(error, path.parent, file=path) from error


def _has_data(served: Served) -> bool:
    if served.has("data_coverage_daily", "status"):
        loaded = "select 1 from data_coverage_daily where status in ('loaded', 'empty') limit 1"
        return served.row(loaded) is not None
    return any(served.row(f"select 1 from {mart} limit 1") for mart in served.columns)


def _nothing_served(path: Path, reason: str) -> str:
    return (
        f"There are no published marts to read in {path}: {reason}.\n"
        "A run loads the data, builds the marts and publishes them there.\n"
        "Run: claude-warehouse sync (or, without a key: claude-warehouse demo)."
    )
