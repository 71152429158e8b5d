"""Hands readers a fresh copy of the marts; they never wait for a run, and a run never for them."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import duckdb

from sources.errors import ForeseenError

SCHEMA = "claude_marts"

# The oldest format that DuckDB 2.0 writes: every DuckDB 1.x inside today's BI tools opens it.
STORAGE_VERSION = "v1.0.0"


@dataclass(frozen=True, kw_only=True)
class PublishResult:
    """What the served file holds now: its tables, all their rows, and its size in bytes."""

    tables: int
    rows: int
    bytes: int


def publish(warehouse: Path, served: Path) -> PublishResult:
    """Replaces the served file with a copy of the warehouse's marts, atomically.

    Whoever has the old file open keeps reading it. On any failure it stays the served one.
    One publish at a time: the caller holds the lock on the warehouse.

    Raises:
        ForeseenError: There is nothing to publish, the warehouse cannot be opened, or the copy
            cannot be written.
    """
    if not warehouse.is_file():
        raise ForeseenError(_nothing_to_publish(warehouse, "the file does not exist"))
    copy = served.with_name(f"{served.name}.new")
    try:
        served.parent.mkdir(parents=True, exist_ok=True)
        _remove(copy)  # left by a run that was killed
        with _warehouse_and_copy(warehouse, copy) as (connection, source):
            tables, rows = _copy_marts(connection, source, warehouse)
        _sync(copy)
        size = copy.stat().st_size
        os.replace(copy, served)
        _sync(served.parent)
    except (OSError, duckdb.IOException) as error:
        raise ForeseenError(
            f"The marts were not published: {served} could not be replaced.\n"
            f"{error}\n"
            f"{_free_space(served.parent)}Readers keep the previous copy. Make room or grant "
            "access, then run: claude-warehouse publish"
        ) from error
    finally:
        _remove(copy)
    return PublishResult(tables=tables, rows=rows, bytes=size)


@contextmanager
def _warehouse_and_copy(
    warehouse: Path, copy: Path
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection that has the empty copy as `served`, and the name that the warehouse has there.

    On leaving, the copy is complete in its one file.
    """
    connection, source = _open_warehouse(warehouse, spill=copy.with_name(f"{copy.name}.spill"))
    with connection:
        connection.execute(
            f"attach {_literal(str(copy))} as served (storage_version '{STORAGE_VERSION}')"
        )
        # Closing does not detach: in dbt's instance, which we may have joined, the copy would stay.
        try:
            yield connection, source
            connection.execute("checkpoint served")
        except BaseException:
            with suppress(duckdb.Error):  # the first error says more
                connection.execute("rollback")
            with suppress(duckdb.Error):
                connection.execute("detach served")
            raise
        connection.execute("detach served")


def _open_warehouse(warehouse: Path, *, spill: Path) -> tuple[duckdb.DuckDBPyConnection, str]:
    # DuckDB has one instance per file and process, and dbt-duckdb keeps its own open after it ran,
    # until the process ends (unless the profile says `keep_open: false`). While it is open:
    # - attaching the file anywhere else is a ResourceInUseException, "Unique file handle conflict";
    # - connecting read-only, or with any other configuration than dbt's, is a ConnectionException;
    # - connecting as dbt does, with an empty configuration, joins the open instance. What stands
    #   under `settings` in the profile makes no difference to that; `config_options` would.
    connection = duckdb.connect(config={"temp_directory": str(spill)})
    try:
        connection.execute(f"attach {_literal(str(warehouse))} as warehouse (read_only)")
    except duckdb.ResourceInUseException:
        connection.close()
        connection = duckdb.connect(warehouse)
        [(source,)] = connection.execute("select current_database()").fetchall()
        return connection, source
    except duckdb.IOException as error:
        connection.close()
        raise ForeseenError(
            f"The marts were not published: the warehouse {warehouse} cannot be opened.\n"
            f"{error}\n"
            "If another program has it open for writing, close that program. "
            "Then run: claude-warehouse publish"
        ) from error
    return connection, "warehouse"


def _copy_marts(
    connection: duckdb.DuckDBPyConnection, source: str, warehouse: Path
) -> tuple[int, int]:
    """Copies every mart and returns how many there are, and how many rows they have together."""
    names = connection.execute(
        """
        select table_name
        from information_schema.tables
        where
            table_catalog = ?
            and table_schema = ?
            -- what a killed dbt leaves of a model it was replacing
            and not regexp_matches(table_name, '__dbt_(tmp|backup)$')
        order by table_name
        """,
        [source, SCHEMA],
    ).fetchall()
    if not names:
        raise ForeseenError(_nothing_to_publish(warehouse, f"it has no tables in {SCHEMA}"))
    # As one transaction, or each of some hundred comments would wait for the disk.
    connection.execute("begin")
    connection.execute(f"create schema served.{SCHEMA}")
    rows = 0
    for (name,) in names:
        mart = f"{SCHEMA}.{_identifier(name)}"
        [(copied,)] = connection.execute(
            f"create table served.{mart} as from {_identifier(source)}.{mart}"
        ).fetchall()
        rows += copied
        _copy_comments(connection, source, name)
    connection.execute("commit")
    return len(names), rows


def _copy_comments(connection: duckdb.DuckDBPyConnection, source: str, name: str) -> None:
    """Copies what `create table as` loses: the descriptions of the table and of its columns."""
    here = "database_name = $source and schema_name = $schema and comment is not null"
    comments = connection.execute(
        f"""
        select null, comment from duckdb_tables() where {here} and table_name = $name
        union all
        select null, comment from duckdb_views() where {here} and view_name = $name
        union all
        select column_name, comment from duckdb_columns() where {here} and table_name = $name
        """,
        {"source": source, "schema": SCHEMA, "name": name},
    ).fetchall()
    mart = f"served.{SCHEMA}.{_identifier(name)}"
    for column, comment in comments:
        target = f"table {mart}" if column is None else f"column {mart}.{_identifier(column)}"
        connection.execute(f"comment on {target} is {_literal(comment)}")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _sync(path: Path) -> None:
    """Returns when a file's bytes, or a folder's entries, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(copy: Path) -> None:
    for path in copy.parent.glob(f"{escape(copy.name)}*"):  # with its .wal and its .spill
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _free_space(folder: Path) -> str:
    if not folder.is_dir():
        return ""
    return f"{shutil.disk_usage(folder).free / 1e9:.1f} GB are free in {folder}. "


def _nothing_to_publish(warehouse: Path, reason: str) -> str:
    return (
        f"There is nothing to publish from {warehouse}: {reason}.\n"
        "The marts are built by the transformations.\n"
        "Run: claude-warehouse transform"
    )
