"""The private file that runs write, opened to be read; and what every database driver gives."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb

from pipelines.foreseen import foreseen
from sources.errors import ForeseenError

RAW_SCHEMA = "claude_raw"
MAGIC = b"DUCK"
"""What stands in every file of DuckDB, behind the first eight bytes."""


class Cursor(Protocol):
    """An answered query of any database driver."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> Any: ...


def identifier(name: str) -> str:
    """The name as it stands in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as it stands in SQL, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"


def dict_rows(answer: Cursor) -> list[dict[str, Any]]:
    """Each row of an answered query as column name -> value."""
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def open_to_read(file: Path) -> duckdb.DuckDBPyConnection:
    """The database, to be read.

    Raises:
        duckdb.Error: It cannot be opened, or is of another kind. For a file of SQLite, DuckDB
            would look for an extension in the internet.
    """
    if file.is_file():
        with file.open("rb") as opened:
            start = opened.read(12)
        if start and start[8:] != MAGIC:
            raise duckdb.IOException(f'The file "{file}" is not a valid DuckDB database file')
    return duckdb.connect(str(file), read_only=True)


@contextmanager
def read_only(file: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, for as long as it is read.

    Raises:
        ForeseenError: It cannot be opened or read, or another program made it.
    """
    try:
        with open_to_read(file) as warehouse:
            warehouse.execute("set timezone = 'UTC'")
            _check_whose_it_is(warehouse, file)
            yield warehouse
    except duckdb.Error as error:
        raise foreseen(error, file.parent, file=file) from error


def check(file: Path) -> None:
    """See that the warehouse, if there is one, opens and is ours.

    Raises:
        ForeseenError: It does not, or is not.
    """
    if file.exists():
        with read_only(file):
            pass


def read_whole(file: Path) -> None:
    """Read every block that holds a row: the database compares each with its checksum.

    Raises:
        ForeseenError: One is damaged.
    """
    with read_only(file) as warehouse:
        tables = warehouse.execute(
            "select schema_name, table_name from duckdb_tables() where not internal"
        ).fetchall()
        for schema, table in tables:
            name = f'"{schema}"."{table}"'.replace("\x00", "")
            warehouse.execute(f"select bit_xor(hash(rows_of)) from {name} as rows_of").fetchall()


def _check_whose_it_is(warehouse: duckdb.DuckDBPyConnection, file: Path) -> None:
    schemas = {
        schema
        for (schema,) in warehouse.execute(
            "select distinct schema_name from duckdb_tables() where not internal"
        ).fetchall()
    }
    if schemas and RAW_SCHEMA not in schemas:
        raise ForeseenError(
            f"Another program made the database {file}.\n"
            f"It has tables, but none in {RAW_SCHEMA}, where a run stores what it loads.\n"
            "Move it away, or name another folder with --data-dir, then run this again."
        )
