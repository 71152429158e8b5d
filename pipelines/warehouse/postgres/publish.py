"""Hands readers the marts in one transaction; their tables, grants and views stay."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from pipelines.data_dir import WarehouseHeld
from pipelines.foreseen import foreseen
from pipelines.settings import PostgresSettings
from pipelines.warehouse.base import (
    MARTS_SCHEMA,
    RAW_SCHEMA,
    PublishResult,
    Reading,
    identifier,
)
from pipelines.warehouse.history import history, losses
from pipelines.warehouse.postgres.server import (
    BUILT_SCHEMA,
    PUBLICATIONS,
    Connection,
    connect,
    place,
)
from sources.errors import ForeseenError

LOCK_TIMEOUT = "5s"
"""How long a publication waits for somebody who changes a table of readers; reading never blocks
it, nor it a reader."""

TABLE_KINDS = ("r", "p")
BUILT_KINDS = (*TABLE_KINDS, "v")
"""What may be a mart where it is built, as pg_class says it: a table or a view. Readers have tables
alone: a view of theirs would show what is built and not yet published."""

Columns = dict[str, str]
"""Name -> type, in their order."""


def publish(settings: PostgresSettings, *, accept_loss: bool = False) -> PublishResult:
    """Replaces the rows of the readers' tables by those that were built, in one transaction.

    The tables stay, and with them who may read them, and the views that others made over them.
    On any failure readers keep what they have.

    Raises:
        WarehouseHeld: Another publication is under way.
        ForeseenError: There is nothing to publish, readers would lose history and nobody accepted
            that, a table is not ours, or the server refuses.
    """
    connection = connect(settings)
    try:
        connection.set_session(isolation_level=ISOLATION_LEVEL_READ_COMMITTED)
        cursor = connection.cursor()
        cursor.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f"select pg_try_advisory_xact_lock({PUBLICATIONS})")
        if not cursor.fetchone()[0]:
            raise WarehouseHeld(
                f"Another run publishes to {place(settings)} at this moment.\n"
                "Only one may write at a time; readers keep what they have.\n"
                "Wait until it ends, then run: claude-warehouse publish"
            )
        marts = _tables(cursor, BUILT_SCHEMA, BUILT_KINDS)
        if not marts:
            raise ForeseenError(
                f"There is nothing to publish from {place(settings)}: it has no tables in "
                f"{BUILT_SCHEMA}.\n"
                "The marts are built by the transformations.\n"
                "Run: claude-warehouse transform"
            )
        if not _schema_exists(cursor):
            cursor.execute(f"create schema {MARTS_SCHEMA}")
        served = _tables(cursor, MARTS_SCHEMA)
        _refuse_others(cursor, settings, marts, served)
        if not accept_loss:
            _refuse_loss(connection, settings)
        notes, rows = [], 0
        for mart, columns in marts.items():
            if mart not in served:
                _create(cursor, mart, columns)
            elif served[mart] != columns:
                notes += _altered(cursor, settings, mart, served[mart], columns)
            rows += _replace(cursor, mart, columns)
            _comment(cursor, mart)
        notes += [
            f"{MARTS_SCHEMA}.{name} is built no more, and stays as it was published last."
            for name in sorted(served.keys() - marts.keys())
            if _is_ours(cursor, name)
        ]
        cursor.execute(
            "select coalesce(sum(pg_catalog.pg_total_relation_size(relations.oid)), 0)"
            " from pg_catalog.pg_class as relations"
            " inner join pg_catalog.pg_namespace as spaces on relations.relnamespace = spaces.oid"
            " where spaces.nspname = %s and relations.relkind = 'r'",
            [MARTS_SCHEMA],
        )
        size = int(cursor.fetchone()[0])
        connection.commit()
        _tidy(connection, list(marts))
    except psycopg2.Error as error:
        raise _not_published(error, settings) from error
    finally:
        with suppress(psycopg2.Error):
            connection.close()
    return PublishResult(
        place=f"schema {MARTS_SCHEMA} of {place(settings)}",
        tables=len(marts),
        rows=rows,
        size=f"{size / 2**20:.1f} MiB",
        notes=tuple(notes),
    )


def take_mart(settings: PostgresSettings, mart: str) -> bool:
    """Replace the rows of a built mart by those that readers have, if it has their columns."""
    connection = connect(settings)
    try:
        cursor = connection.cursor()
        built, served = _tables(cursor, BUILT_SCHEMA), _tables(cursor, MARTS_SCHEMA)
        if mart not in built or built.get(mart) != served.get(mart):
            return False
        names = ", ".join(map(identifier, built[mart]))
        cursor.execute(f"delete from {BUILT_SCHEMA}.{identifier(mart)}")
        cursor.execute(
            f"insert into {BUILT_SCHEMA}.{identifier(mart)} ({names})"
            f" select {names} from {MARTS_SCHEMA}.{identifier(mart)}"
        )
        connection.commit()
    except psycopg2.Error as error:
        raise foreseen(error) from error
    finally:
        with suppress(psycopg2.Error):
            connection.close()
    return True


def _tables(cursor: Any, schema: str, kinds: Sequence[str] = TABLE_KINDS) -> dict[str, Columns]:
    cursor.execute(
        """
        select
            relations.relname,
            columns.attname,
            pg_catalog.format_type(columns.atttypid, columns.atttypmod)
        from pg_catalog.pg_class as relations
        inner join pg_catalog.pg_namespace as spaces on relations.relnamespace = spaces.oid
        inner join pg_catalog.pg_attribute as columns on relations.oid = columns.attrelid
        where
            spaces.nspname = %s
            and relations.relkind = any(%s)
            and columns.attnum > 0
            and not columns.attisdropped
            -- what a killed dbt leaves of a model it was replacing
            and relations.relname !~ '__dbt_(tmp|backup)$'
        order by relations.relname, columns.attnum
        """,
        [schema, list(kinds)],
    )
    found: dict[str, Columns] = {}
    for table, column, kind in cursor.fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _schema_exists(cursor: Any) -> bool:
    cursor.execute("select 1 from pg_catalog.pg_namespace where nspname = %s", [MARTS_SCHEMA])
    return cursor.fetchone() is not None


def _is_ours(cursor: Any, mart: str) -> bool:
    """Every table that a publication made has a description."""
    cursor.execute(
        "select obj_description(cast(%s as regclass), 'pg_class')",
        [f"{MARTS_SCHEMA}.{identifier(mart)}"],
    )
    return bool(cursor.fetchone()[0])


def _refuse_others(
    cursor: Any,
    settings: PostgresSettings,
    marts: dict[str, Columns],
    served: dict[str, Columns],
) -> None:
    if others := [mart for mart in marts if mart in served and not _is_ours(cursor, mart)]:
        raise ForeseenError(
            f"The marts were not published: another program made {MARTS_SCHEMA}.{others[0]} in "
            f"{place(settings)}.\n"
            "It has the name of a mart, and not the description that a publication gives it. "
            "Nothing in it was touched.\n"
            "Rename it, or name another database in [postgres] database, then run: "
            "claude-warehouse publish"
        )


def _refuse_loss(connection: Any, settings: PostgresSettings) -> None:
    before = history(Reading(Connection(connection, is_built=False), MARTS_SCHEMA))
    now = history(Reading(Connection(connection, is_built=True), MARTS_SCHEMA))
    if lost := losses(before, now, _undone(connection)):
        lines = "\n".join(f"  {line}" for line in lost)
        raise ForeseenError(
            "The marts were not published: readers would lose history that they have.\n"
            f"{lines}\n"
            f"What is loaded in {place(settings)} knows less than {MARTS_SCHEMA}, as it does after "
            "a restore of one and not of the other. Readers keep what they have.\n"
            "Restore the database from a dump, then run: claude-warehouse sync. "
            "If the loss is meant, run: claude-warehouse publish --accept-loss"
        )


def _undone(connection: Any) -> list[date]:
    """Months whose close was undone."""
    cursor = connection.cursor()
    cursor.execute("select to_regclass(%s)", [f"{RAW_SCHEMA}.closed_months"])
    if cursor.fetchone()[0] is None:
        return []
    cursor.execute(f"select distinct month from {RAW_SCHEMA}.closed_months where action = 'undone'")
    return [month for (month,) in cursor.fetchall()]


def _create(cursor: Any, mart: str, columns: Columns) -> None:
    listed = ", ".join(f"{identifier(name)} {kind}" for name, kind in columns.items())
    cursor.execute(f"create table {MARTS_SCHEMA}.{identifier(mart)} ({listed})")


def _altered(
    cursor: Any, settings: PostgresSettings, mart: str, before: Columns, columns: Columns
) -> list[str]:
    """Give the readers' table the columns that were built: what a newer release has changed."""
    table = f"{MARTS_SCHEMA}.{identifier(mart)}"
    gone = [name for name in before if name not in columns]
    steps = [f"drop column {identifier(name)}" for name in gone]
    for name, kind in columns.items():
        if name not in before:
            steps.append(f"add column {identifier(name)} {kind}")
        elif before[name] != kind:
            steps.append(f"alter column {identifier(name)} type {kind} using null")
    if not steps:
        return []  # The same in another order.
    try:
        cursor.execute(f"delete from {table}")
        cursor.execute(f"alter table {table} {', '.join(steps)}")
    except psycopg2.errors.DependentObjectsStillExist as error:
        raise ForeseenError(
            f"The marts were not published: {table} of {place(settings)} has other columns now, "
            "and a view of yours reads those that change.\n"
            f"{str(error).splitlines()[0]}\n"
            "Readers keep what they have. Drop that view, run: claude-warehouse publish; then "
            "make it anew."
        ) from error
    except psycopg2.errors.FeatureNotSupported as error:
        raise ForeseenError(
            f"The marts were not published: {table} of {place(settings)} has other columns now, "
            "and a view or rule of yours reads those that change.\n"
            f"{str(error).splitlines()[0]}\n"
            "Readers keep what they have. Drop that view, run: claude-warehouse publish; then "
            "make it anew."
        ) from error
    return [f"{table} has other columns than before."]


def _replace(cursor: Any, mart: str, columns: Columns) -> int:
    names = ", ".join(map(identifier, columns))
    # Never truncated, dropped or renamed: who reads meanwhile would find nothing.
    cursor.execute(f"delete from {MARTS_SCHEMA}.{identifier(mart)}")
    cursor.execute(
        f"insert into {MARTS_SCHEMA}.{identifier(mart)} ({names})"
        f" select {names} from {BUILT_SCHEMA}.{identifier(mart)}"
    )
    return int(cursor.rowcount)


def _comment(cursor: Any, mart: str) -> None:
    """Copy the descriptions that differ."""
    cursor.execute(
        """
        select
            described.column_name,
            described.description
        from (
            select
                columns.attname as column_name,
                columns.attnum,
                col_description(columns.attrelid, columns.attnum) as description
            from pg_catalog.pg_attribute as columns
            where columns.attrelid = cast(%(built)s as regclass) and columns.attnum > 0
            union all
            select null, 0, obj_description(cast(%(built)s as regclass), 'pg_class')
        ) as described
        left join pg_catalog.pg_attribute as theirs
            on theirs.attrelid = cast(%(served)s as regclass)
            and theirs.attname = described.column_name
        where described.description is distinct from case
            when described.attnum = 0 then obj_description(cast(%(served)s as regclass), 'pg_class')
            else col_description(cast(%(served)s as regclass), theirs.attnum)
        end
        """,
        {
            "built": f"{BUILT_SCHEMA}.{identifier(mart)}",
            "served": f"{MARTS_SCHEMA}.{identifier(mart)}",
        },
    )
    table = f"{MARTS_SCHEMA}.{identifier(mart)}"
    for column, description in cursor.fetchall():
        what = f"column {table}.{identifier(column)}" if column else f"table {table}"
        cursor.execute(f"comment on {what} is %s", [description])


def _tidy(connection: Any, marts: Sequence[str]) -> None:
    """Let the rows of the night before make room, and the planner know the new ones. It does not
    cut the files: that would wait for every reader."""
    with suppress(psycopg2.Error):  # It is published; the server does this by itself, later.
        connection.autocommit = True
        for mart in marts:
            connection.cursor().execute(
                f"vacuum (analyze, truncate off) {MARTS_SCHEMA}.{identifier(mart)}"
            )


def _not_published(error: Exception, settings: PostgresSettings) -> ForeseenError:
    return ForeseenError(
        f"The marts were not published to {place(settings)}; readers keep what they have.\n"
        f"{foreseen(error)}"
    )
