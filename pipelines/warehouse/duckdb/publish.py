"""Hands readers a fresh copy of the marts; they never wait for a run, and a run never for them."""

import hashlib
import os
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from glob import escape
from pathlib import Path

import duckdb

from pipelines import anonymous
from pipelines.files.outputs import keep_access, reason_of, synced
from pipelines.foreseen import foreseen
from pipelines.settings import PrivacySettings, settings
from pipelines.warehouse.base import MARTS_SCHEMA as SCHEMA
from pipelines.warehouse.base import PublishResult, Reading, identifier, literal
from pipelines.warehouse.duckdb.beside import clear_beside, is_being_written
from pipelines.warehouse.duckdb.builder import MARKS, limit_threads
from pipelines.warehouse.duckdb.file import Connection, open_to_read
from pipelines.warehouse.history import NOTHING, History, history, losses
from sources.errors import ForeseenError

# The oldest format that DuckDB 2.0 writes: every DuckDB 1.x inside today's BI tools opens it.
STORAGE_VERSION = "v1.0.0"
PUBLISHED = "claude_staging.published"
"""One row per mart of each served file: which file it was, and what tells whether the mart is still
the same. It goes with everything that was built, so that nobody who was forgotten stays in a
block of the served file."""
MOST_CHANGED = 0.25
"""Of the marts: with more of them new, a fresh file is the smaller one."""


def publish(
    warehouse: Path,
    served: Path,
    *,
    accept_loss: bool = False,
    mode: int | None = None,
    with_people: bool = True,
    afresh: bool = False,
) -> PublishResult:
    """Replaces the served file with a copy of the warehouse's marts, atomically.

    Whoever has the old file open keeps reading it. On any failure it stays the served one. It
    keeps its mode (unless one is given) and group, and a link stays one. Nothing of an older file
    stays beside it. Where the old one was published from here and nobody wrote to it since, marts
    that are as they were come from there, block by block; not `afresh`, which also mends blocks.
    One publish at a time: the caller holds the lock on the warehouse.

    Raises:
        ForeseenError: There is nothing to publish, readers would lose history and nobody accepted
            that, the warehouse cannot be opened, or the copy cannot be written.
    """
    if not warehouse.is_file():
        raise ForeseenError(_nothing_to_publish(warehouse, "the file does not exist"))
    target = Path(os.path.realpath(served))
    copy = target.with_name(f"{target.name}.new")
    try:
        if served.is_symlink() and not target.parent.is_dir():
            raise NotADirectoryError(None, f"It is a link to {target}, whose folder is not there.")
        if target.is_dir():
            raise IsADirectoryError(None, "A folder stands in its place; move it away.")
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(copy)  # left by a run that was killed
        notes = _cleared(target)
        before = _history_of(target, copy)
        with _warehouse_and_copy(warehouse, copy) as (connection, source):
            names = _marts(connection, source, warehouse)
            marts = _described(connection, source, names)
            chosen = _chosen(marts, source, with_people=with_people)
            contents = _contents(connection, source, marts, chosen)
            known = {} if afresh else _published(connection, source, target, chosen)
            changed = [name for name in chosen if contents.get(name) != known.get(name, "")]
            is_much = known.keys() != chosen.keys() or len(changed) > MOST_CHANGED * len(chosen)
            if not is_much and not is_being_written(target):
                shutil.copyfile(target, copy)
            else:
                changed = list(chosen)
            connection.execute(
                f"attach {literal(str(copy))} as served (storage_version '{STORAGE_VERSION}')"
            )
            keep_access(target, copy)
            if mode is not None:
                _let_read(copy, mode)
            if before and not accept_loss:
                _refuse_loss(before, connection, source, warehouse, served)
            _copy_marts(connection, {name: chosen[name] for name in changed}, marts)
            rows = _row_count(connection)
        synced(copy)
        size = copy.stat().st_size
        if before is None:
            notes.append(_kept_aside(target))
        notes += _cleared(target)
        os.replace(copy, target)
        synced(target.parent)
        _note_published(warehouse, target, chosen, contents)
    # A disk may turn out to be full only when all is to be kept.
    except (OSError, duckdb.IOException, duckdb.TransactionException) as error:
        if isinstance(error, duckdb.Error) and copy.name not in str(error):
            raise foreseen(error, warehouse.parent, file=warehouse) from error
        raise ForeseenError(
            f"The marts were not published: {served} could not be replaced.\n"
            f"{reason_of(error)}\n"
            f"{_free_space(target.parent)}Readers keep the previous copy. Make room or grant "
            "access, then run: claude-warehouse publish"
        ) from error
    finally:
        with suppress(OSError):
            _remove(copy)
    return PublishResult(
        place=str(served),
        tables=len(names),
        rows=rows,
        size=f"{size / 2**20:.1f} MiB",
        notes=tuple(notes),
    )


def _let_read(copy: Path, mode: int) -> None:
    """Give the copy its mode; who may read it gets through its folder, and sees no other name."""
    os.chmod(copy, mode)
    folder = copy.parent
    through = stat.S_IMODE(folder.stat().st_mode) | (mode & 0o044) >> 2
    if through != stat.S_IMODE(folder.stat().st_mode):
        os.chmod(folder, through)


def _cleared(target: Path) -> list[str]:
    """Removes what would become a part of the new file; a sentence about it, if there was any."""
    notes = []
    if removed := clear_beside(target):
        names = ", ".join(path.name for path in removed)
        notes.append(
            f"{names} stood beside {target}: another program had written to it. Removed; readers "
            "should open the file read-only."
        )
    elif is_being_written(target):
        notes.append(
            f"Another program has {target} open for writing. What it writes does not reach the "
            "new copy, or spoils it; let it open the file read-only."
        )
    return notes


def _history_of(target: Path, copy: Path) -> History | None:
    """What readers have, or None if something else is there."""
    if not target.exists() or not target.stat().st_size:
        return NOTHING
    read = target
    if is_being_written(target):
        read = copy.with_name(f"{copy.name}.before")
        shutil.copyfile(target, read)
    try:
        with open_to_read(read) as connection:
            [(others,)] = connection.execute(
                """
                select count(*) from duckdb_tables()
                where database_name = current_database() and schema_name <> ?
                """,
                [SCHEMA],
            ).fetchall()
            found = history(Reading(Connection(connection), SCHEMA))
    except duckdb.Error:
        return None
    return found if found.rows or not others else None


def _history_in(connection: duckdb.DuckDBPyConnection, source: str) -> History:
    connection.execute(f"use {identifier(source)}")
    return history(Reading(Connection(connection), SCHEMA))


def _kept_aside(target: Path) -> str:
    aside = target.with_name(f"{target.name}.kept")
    aside.unlink(missing_ok=True)
    try:
        aside.hardlink_to(target)
    except OSError:
        shutil.copy2(target, aside)
    return (
        f"{target} was damaged, or held no marts. It is replaced, and what was there is kept as "
        f"{aside.name}."
    )


def _refuse_loss(
    before: History,
    connection: duckdb.DuckDBPyConnection,
    source: str,
    warehouse: Path,
    served: Path,
) -> None:
    lost = losses(before, _history_in(connection, source), _undone(connection, source))
    if lost:
        lines = "\n".join(f"  {line}" for line in lost)
        raise ForeseenError(
            "The marts were not published: readers would lose history that they have.\n"
            f"{lines}\n"
            f"The warehouse {warehouse} knows less than {served}, as one does that was lost, or "
            "replaced by an older one. Readers keep the previous copy.\n"
            "Restore the warehouse from a backup, then run: claude-warehouse sync. "
            "If the loss is meant, run: claude-warehouse publish --accept-loss"
        )


def _undone(connection: duckdb.DuckDBPyConnection, source: str) -> list[date]:
    """Months whose close was undone."""
    try:
        months = connection.execute(
            f"select distinct month from {identifier(source)}.claude_raw.closed_months"
            " where action = 'undone'"
        ).fetchall()
    except duckdb.CatalogException:
        return []
    return [month for (month,) in months]


@contextmanager
def _warehouse_and_copy(
    warehouse: Path, copy: Path
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection in which the copy is to be attached as `served`, and the name that the warehouse
    has there. On leaving, the copy is complete in its one file.
    """
    connection, source = _open_warehouse(warehouse, spill=copy.with_name(f"{copy.name}.spill"))
    with connection:
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
        connection.execute(f"attach {literal(str(warehouse))} as warehouse (read_only)")
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
    limit_threads(connection, [warehouse])
    return connection, "warehouse"


def _marts(connection: duckdb.DuckDBPyConnection, source: str, warehouse: Path) -> list[str]:
    """The names of the marts that are there."""
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
    return [name for (name,) in names]


@dataclass(frozen=True)
class _Mart:
    """Its columns in their order, with their types, and the descriptions that it and they have."""

    types: dict[str, str] = field(default_factory=dict)
    comments: dict[str | None, str] = field(default_factory=dict)


def _chosen(marts: Mapping[str, _Mart], source: str, *, with_people: bool) -> dict[str, str]:
    """The marts that are served, and the query of each."""
    chosen = {}
    for name, mart in marts.items():
        query = f"from {identifier(source)}.{SCHEMA}.{identifier(name)}"
        if not with_people:
            selection = anonymous.selection(name, mart.types)
            if selection is None:
                continue
            query = f"select {selection} {query} {anonymous.grouping(name)}"
        chosen[name] = query
    return chosen


def _contents(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    marts: Mapping[str, _Mart],
    chosen: Mapping[str, str],
) -> dict[str, str]:
    """What tells whether the copy of a mart would be another; of those whose build is known."""
    try:
        built = connection.execute(
            f"select split_part(name, '.', 3), content from {identifier(source)}.{MARKS}"
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return {
        name: _digest([chosen[name], str(marts[name]), content])
        for name, content in built
        if name in chosen
    }


def _published(
    connection: duckdb.DuckDBPyConnection, source: str, target: Path, chosen: Mapping[str, str]
) -> dict[str, str]:
    """What the served file holds, if it is the one that was published from here, by these queries:
    what readers were not to see any more must be in no block of it."""
    try:
        noted = connection.execute(
            f"select mart, content from {identifier(source)}.{PUBLISHED} where file = ?",
            [_file_is(target, chosen)],
        ).fetchall()
    except (FileNotFoundError, duckdb.CatalogException):
        return {}
    return dict(noted)


def _note_published(
    warehouse: Path, target: Path, chosen: Mapping[str, str], contents: Mapping[str, str]
) -> None:
    """Note what the served file holds; where that fails, the next one is made afresh."""
    columns = "path text, file text, mart text, content text"
    with suppress(duckdb.Error), duckdb.connect(warehouse) as connection:
        connection.execute("begin")
        connection.execute("create schema if not exists claude_staging")
        connection.execute(f"create table if not exists {PUBLISHED} ({columns})")
        connection.execute(f"delete from {PUBLISHED} where path = ?", [str(target)])
        connection.execute(
            f"insert into {PUBLISHED} select ?, ?, unnest(?), unnest(?)",
            [str(target), _file_is(target, chosen), [*contents], [*contents.values()]],
        )
        connection.execute("commit")


def _file_is(target: Path, chosen: Mapping[str, str]) -> str:
    """What tells a file from every other one, from itself once somebody has written to it, and from
    one that other queries filled, or that shows smaller groups."""
    found, least = target.stat(), settings(PrivacySettings).min_group_size
    facts = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, least)
    return _digest([*map(str, facts), *chosen.values()])


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _copy_marts(
    connection: duckdb.DuckDBPyConnection, queries: Mapping[str, str], marts: Mapping[str, _Mart]
) -> None:
    # As one transaction, or each of some hundred comments would wait for the disk.
    connection.execute("begin")
    connection.execute(f"create schema if not exists served.{SCHEMA}")
    for name, query in queries.items():
        served = f"served.{SCHEMA}.{identifier(name)}"
        connection.execute(f"create or replace table {served} as {query}")
        # What `create table as` loses.
        there = {column for column, *_ in connection.execute(f"describe {served}").fetchall()}
        comments = [
            f"comment on {_commented(served, column)} is {literal(comment)}"
            for column, comment in marts[name].comments.items()
            if column is None or column in there
        ]
        connection.execute(";".join(comments) or "select 1")
    connection.execute("commit")


def _row_count(connection: duckdb.DuckDBPyConnection) -> int:
    """Rows of all served marts together."""
    [(rows,)] = connection.execute(
        "select cast(sum(estimated_size) as bigint) from duckdb_tables() "
        "where database_name = 'served'"
    ).fetchall()
    return int(rows or 0)


def _commented(mart: str, column: str | None) -> str:
    return f"table {mart}" if column is None else f"column {mart}.{identifier(column)}"


def _described(
    connection: duckdb.DuckDBPyConnection, source: str, names: Sequence[str]
) -> dict[str, _Mart]:
    """The marts of these names. Each look into the catalog binds every view there is: one for all
    of them."""
    marts = {name: _Mart() for name in names}
    told = connection.execute(
        """
        select table_name, null, null, comment, 0 as place from duckdb_tables()
        where database_name = $source and schema_name = $schema
        union all
        select view_name, null, null, comment, 0 as place from duckdb_views()
        where database_name = $source and schema_name = $schema
        union all
        select table_name, column_name, data_type, comment, column_index as place
        from duckdb_columns()
        where database_name = $source and schema_name = $schema
        order by place
        """,
        {"source": source, "schema": SCHEMA},
    ).fetchall()
    for name, column, kind, comment, _ in told:
        if name in marts:
            if column is not None:
                marts[name].types[column] = kind
            if comment is not None:
                marts[name].comments[column] = comment
    return marts


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
