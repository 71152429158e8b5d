"""A database of PostgreSQL's: opened, read in one snapshot, and held by one writer at a time."""

import hashlib
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg2
import pyarrow as pa
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ

from pipelines.data_dir import WarehouseHeld
from pipelines.foreseen import foreseen
from pipelines.settings import PostgresSettings
from pipelines.warehouse.base import MARTS_SCHEMA, RAW_SCHEMA
from sources.errors import ForeseenError

BUILT_SCHEMA = f"{MARTS_SCHEMA}_built"
"""Where the marts are built; readers have theirs in `MARTS_SCHEMA`."""
STAGING_SCHEMA = "claude_staging"

LONGEST_NAME = 63
"""Bytes of a name; the server cuts longer ones without a word."""

OPTIONS = "-c timezone=UTC -c jit=off -c client_min_messages=error"
"""Of every session. Compiling takes longer than running most of our queries."""

PARAMETER = re.compile(r"\$(\w+)")
SERVED_NAME = re.compile(rf"\b{MARTS_SCHEMA}\.")
ROWS_AT_ONCE = 5_000
"""Rows that a client asks for at once."""

ARROW = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    700: pa.float64(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}
"""Number of a type -> its type in Arrow; all others but numbers are text."""
NUMERIC = 1700
MOST_DIGITS, DIGITS_AFTER_POINT = 38, 12
"""Of a number whose column says nothing of it."""


def place(settings: PostgresSettings) -> str:
    """The database, for a message."""
    return f"{settings.host}:{settings.port}/{settings.database}"


def connect(settings: PostgresSettings, name: str = "claude-warehouse") -> Any:
    """A connection of its own.

    Raises:
        ForeseenError: The server cannot be reached, or does not let this user in.
    """
    try:
        return psycopg2.connect(**arguments(settings), application_name=name, options=OPTIONS)
    except psycopg2.Error as error:
        raise foreseen(error) from error


def arguments(settings: PostgresSettings) -> dict[str, Any]:
    """What the driver is told of the server."""
    given: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.username,
        "password": settings.password,
        "sslmode": settings.sslmode,
        "sslrootcert": settings.sslrootcert,
        "connect_timeout": settings.connect_timeout_seconds,
        "client_encoding": "utf8",
        # A server that went away is noticed, also while nothing is asked of it.
        "keepalives_idle": 60,
    }
    return {name: value for name, value in given.items() if value not in (None, "")}


class Connection:
    """A connection as the contract wants it.

    Attributes:
        is_built: Whether the marts are those that were built, under the name that they have on
            every engine, or those that readers have.
    """

    def __init__(self, connection: Any, *, is_built: bool) -> None:
        self._connection, self._is_built = connection, is_built

    def execute(self, sql: str, parameters: Mapping[str, object]) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(*self._asked(sql, parameters))
        return cursor

    def batches(
        self, sql: str, parameters: Mapping[str, object], rows: int
    ) -> pa.RecordBatchReader:
        cursor = self._connection.cursor(name="batches")
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(*self._asked(sql, parameters))
        first = cursor.fetchmany(rows)  # What its columns are is known only now.
        schema = pa.schema([pa.field(each.name, _arrow(each)) for each in cursor.description])

        def read() -> Iterator[pa.RecordBatch]:
            found = first
            while found:
                columns = zip(*found, strict=True)
                arrays = [
                    pa.array(column, field.type)
                    for column, field in zip(columns, schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
                found = cursor.fetchmany(rows)
            cursor.close()

        return pa.RecordBatchReader.from_batches(schema, read())

    def described(self) -> Sequence[tuple[str, str, str, str | None]]:
        hidden, shown = (MARTS_SCHEMA, BUILT_SCHEMA) if self._is_built else (BUILT_SCHEMA, "")
        cursor = self._connection.cursor()
        cursor.execute(
            """
            select
                case when spaces.nspname = %(shown)s then %(marts)s else spaces.nspname end,
                relations.relname,
                columns.attname,
                col_description(relations.oid, columns.attnum)
            from pg_catalog.pg_attribute as columns
            inner join pg_catalog.pg_class as relations on columns.attrelid = relations.oid
            inner join pg_catalog.pg_namespace as spaces on relations.relnamespace = spaces.oid
            where
                relations.relkind in ('r', 'p', 'v', 'm', 'f')
                and columns.attnum > 0
                and not columns.attisdropped
                and spaces.nspname like 'claude!_%%' escape '!'
                and spaces.nspname <> %(hidden)s
            order by spaces.nspname, relations.relname, columns.attnum
            """,
            {"hidden": hidden, "shown": shown, "marts": MARTS_SCHEMA},
        )
        return cursor.fetchall()  # type: ignore[no-any-return]

    def _asked(self, sql: str, parameters: Mapping[str, object]) -> tuple[Any, ...]:
        if self._is_built:
            sql = SERVED_NAME.sub(f"{BUILT_SCHEMA}.", sql)
        if not parameters:
            return (sql,)
        return PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%")), dict(parameters)


def _arrow(column: Any) -> pa.DataType:
    if column.type_code == NUMERIC:
        is_told = column.precision and column.precision <= MOST_DIGITS
        return pa.decimal128(
            *((column.precision, column.scale) if is_told else (MOST_DIGITS, DIGITS_AFTER_POINT))
        )
    return ARROW.get(column.type_code, pa.string())


@contextmanager
def snapshot(settings: PostgresSettings) -> Iterator[Any]:
    """A connection that reads what is there at this moment, however long it reads.

    Raises:
        ForeseenError: It cannot be opened or read.
    """
    connection = connect(settings)
    try:
        connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, readonly=True)
        yield connection
    except psycopg2.Error as error:
        raise foreseen(error) from error
    finally:
        with suppress(psycopg2.Error):
            connection.close()


def lock_number(what: str) -> int:
    """The number by which a database knows a lock of ours."""
    digest = hashlib.sha256(f"claude-warehouse {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


RUNS, PUBLICATIONS = lock_number("runs"), lock_number("publications")

_holding: dict[str, Any] = {}
"""Place -> the connection with which this process holds it."""

HOLDERS = f"""
    select sessions.application_name, sessions.backend_start
    from pg_catalog.pg_locks as locks
    left join pg_catalog.pg_stat_activity as sessions on locks.pid = sessions.pid
    where
        locks.locktype = 'advisory'
        and locks.granted
        and locks.database = (
            select oid from pg_catalog.pg_database where datname = current_database()
        )
        and (cast(locks.classid as bigint) << 32) | cast(locks.objid as bigint) = {RUNS}
"""


@contextmanager
def held(settings: PostgresSettings, command: str) -> Iterator[None]:
    """Hold the database for one writer, on whatever machine it runs: its session holds a lock,
    which ends with it.

    Raises:
        WarehouseHeld: Another run has it.
        ForeseenError: The session was cut meanwhile.
    """
    where = place(settings)
    name = f"{command}, process {os.getpid()} on {socket.gethostname()}"[:LONGEST_NAME]
    connection = connect(settings, name)
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(f"select pg_try_advisory_lock({RUNS})")
        if not cursor.fetchone()[0]:
            raise WarehouseHeld(
                f"Another run holds the warehouse {where}: {_holder(cursor)}.\n"
                "Only one may write at a time, on whatever machine.\n"
                f"Wait until it ends, then run this again; readers can use {MARTS_SCHEMA} "
                "meanwhile."
            )
        _holding[where] = connection
        yield
        require_held(settings)
    except psycopg2.Error as error:
        raise foreseen(error) from error
    finally:
        _holding.pop(where, None)
        with suppress(psycopg2.Error):
            connection.close()


def held_by(settings: PostgresSettings) -> str | None:
    """Who holds the database; None if nobody does."""
    with snapshot(settings) as connection:
        cursor = connection.cursor()
        cursor.execute(HOLDERS)
        return _told(cursor.fetchone()) if cursor.rowcount else None


def _holder(cursor: Any) -> str:
    cursor.execute(HOLDERS)
    return _told(cursor.fetchone())


def _told(row: tuple[str | None, datetime | None] | None) -> str:
    name, since = row or (None, None)
    if not name or not since:
        return "its user is another one than this"
    return f"{name}, since {since.isoformat(timespec='seconds')}"


def require_held(settings: PostgresSettings) -> None:
    """See that a run which held the database still does: its connection may have been cut.

    Raises:
        ForeseenError: It does not.
    """
    connection = _holding.get(place(settings))
    if connection is None:
        return
    try:
        connection.cursor().execute("select 1")
    except psycopg2.Error as error:
        raise ForeseenError(
            f"The connection that held the warehouse {place(settings)} was cut.\n"
            "Another run may have written there since, so this one ends; readers have what was "
            "published last.\n"
            "Run it again. A connection pool in between has to let a session keep its locks."
        ) from error


def require_ours(settings: PostgresSettings, connection: Any) -> None:
    """See that no other program made what is in our schemas.

    Raises:
        ForeseenError: Another one did.
    """
    cursor = connection.cursor()
    cursor.execute("select tablename from pg_catalog.pg_tables where schemaname = %s", [RAW_SCHEMA])
    tables = {table for (table,) in cursor.fetchall()}
    if tables and "_dlt_version" not in tables:
        raise ForeseenError(
            f"Another program made the schema {RAW_SCHEMA} of {place(settings)}.\n"
            "It has tables, but none of those with which a run begins.\n"
            "Rename the schema, or name another database in [postgres] database, then run this "
            "again."
        )
