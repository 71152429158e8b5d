"""A file of DuckDB: opened to be read, read whole, written anew."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines.files.outputs import keep_access, synced
from pipelines.foreseen import foreseen
from pipelines.warehouse.base import (
    MARTS_SCHEMA,
    RAW_SCHEMA,
    Change,
    Row,
    identifier,
    literal,
)
from pipelines.warehouse.duckdb.builder import forget
from sources.errors import ForeseenError

MAGIC = b"DUCK"
"""What stands in every file of DuckDB, behind the first eight bytes."""


class Connection:
    """A connection as the contract wants it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Mapping[str, object]) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(sql, dict(parameters) or None)

    def batches(
        self, sql: str, parameters: Mapping[str, object], rows: int
    ) -> pa.RecordBatchReader:
        return self._connection.sql(sql, params=dict(parameters) or None).to_arrow_reader(rows)

    def described(self) -> Sequence[tuple[str, str, str, str | None]]:
        return self._connection.execute(
            """
            select schema_name, table_name, column_name, comment
            from duckdb_columns()
            where database_name = current_database() and not internal
            order by schema_name, table_name, column_index
            """
        ).fetchall()


def open_to_read(file: Path) -> duckdb.DuckDBPyConnection:
    """The database, to be read.

    Raises:
        duckdb.Error: It cannot be opened, or is of another kind. For a file of SQLite, DuckDB
            would look for an extension in the internet; before a pipe it would wait.
    """
    start = b""
    if file.is_file():
        with file.open("rb") as opened:
            start = opened.read(12)
    is_device = file.exists() and not file.is_file() and not file.is_dir()
    if is_device or (start and start[8:] != MAGIC):
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


def read_whole(file: Path) -> None:
    """Read every block that holds a row: the database compares each with its checksum.

    Raises:
        ForeseenError: One is damaged.
    """
    with read_only(file) as warehouse:
        read_blocks(warehouse)


def read_blocks(database: duckdb.DuckDBPyConnection) -> None:
    tables = database.execute(
        "select schema_name, table_name from duckdb_tables() where not internal"
    ).fetchall()
    for schema, table in tables:
        name = f"{identifier(schema)}.{identifier(table)}".replace("\x00", "")
        database.execute(f"select bit_xor(hash(rows_of)) from {name} as rows_of").fetchall()


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


def take_mart(source: Path, target: Path, mart: str) -> bool:
    """Replace the rows of a mart by those that it has in the other file, if it has its columns."""
    name = f"{MARTS_SCHEMA}.{identifier(mart)}"
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach {literal(str(source))} as published (read_only)")
        try:
            connection.execute("begin")
            connection.execute(f"delete from {name}")
            connection.execute(f"insert into {name} by name from published.{name}")
            forget(connection, mart)
            connection.execute("commit")
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException):
            connection.execute("rollback")
            return False
    return True


def settle(file: Path) -> None:
    """Bring what stands in a log beside the file, as a killed run leaves it, into the file.

    Raises:
        ForeseenError: It cannot be opened.
    """
    try:
        with duckdb.connect(str(file)) as connection:
            connection.execute("checkpoint")
    except duckdb.Error as error:
        raise foreseen(error, file.parent, file=file) from error


MANY_ROWS = 200_000


def pass_through(file: Path, change: Change, rows: Sequence[tuple[str, Row]]) -> None:
    """Put what `change` makes of each raw table into its place; what was built is dropped.

    What stood there is in the file's free blocks still, until it is written anew.
    """
    try:
        with duckdb.connect(str(file)) as connection:
            connection.execute("set timezone = 'UTC'")
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = ? order by 1",
                [RAW_SCHEMA],
            ).fetchall()
            connection.execute("begin")
            for (table,) in tables:
                if not table.startswith("_dlt"):
                    _pass_table(connection, table, change)
            for table, row in rows:
                _add(connection, table, row)
            for (schema,) in connection.execute(
                """
                select schema_name from duckdb_schemas()
                where database_name = current_database() and not internal
                    and schema_name not in ('main', ?)
                """,
                [RAW_SCHEMA],
            ).fetchall():
                connection.execute(f"drop schema {identifier(schema)} cascade")
            connection.execute("commit")
            connection.execute("checkpoint")
    except duckdb.Error as error:
        raise foreseen(error, file.parent, file=file) from error


def _pass_table(connection: duckdb.DuckDBPyConnection, table: str, change: Change) -> None:
    name = f"{RAW_SCHEMA}.{identifier(table)}"
    connection.execute(f"create temp table passed as from {name} limit 0")
    with connection.cursor() as beside:
        beside.execute("set timezone = 'UTC'")
        is_changed = False
        for batch in beside.sql(f"from {name}").to_arrow_reader(MANY_ROWS):
            before = pa.Table.from_batches([batch])
            after = change(table, before)
            is_changed = is_changed or after is not before
            connection.register("batch_after", after)
            connection.execute("insert into passed by name from batch_after")
            connection.unregister("batch_after")
    if is_changed:
        connection.execute(f"delete from {name}")
        connection.execute(f"insert into {name} by name from passed")
    connection.execute("drop table passed")


def _add(connection: duckdb.DuckDBPyConnection, table: str, row: Row) -> None:
    """A row that counts: of a load that has ended."""
    names = ", ".join(map(identifier, row))
    connection.execute(
        f"""
        insert into {RAW_SCHEMA}.{identifier(table)} ({names}, _dlt_load_id, _dlt_id)
        select {", ".join("?" for _ in row)}, max(load_id), replace(uuid()::varchar, '-', '')
        from {RAW_SCHEMA}._dlt_loads where status = 0
        """,
        list(row.values()),
    )


def rewrite(file: Path) -> None:
    """Nothing done inside a file makes it smaller: everything in it goes into a fresh one."""
    fresh = file.with_name(f"{file.name}.fresh")
    fresh.unlink(missing_ok=True)  # left by a run that was killed
    try:
        with duckdb.connect() as connection:
            connection.execute(f"set temp_directory = {literal(f'{fresh}.spill')}")
            connection.execute(f"attach {literal(str(file))} as old (read_only)")
            connection.execute(f"attach {literal(str(fresh))} as new")
            connection.execute("copy from database old to new")
            connection.execute("detach new")
        keep_access(file, fresh)
        synced(fresh)
        os.replace(fresh, file)
        synced(file.parent)
    except duckdb.Error as error:
        raise foreseen(error, file.parent, file=file) from error
    finally:
        fresh.unlink(missing_ok=True)
