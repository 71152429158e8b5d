"""Builds models in a database of PostgreSQL's, from the statements that dbt compiled."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg2

from pipelines.settings import PostgresSettings
from pipelines.warehouse.compiled import Node
from pipelines.warehouse.dbt import Builder
from pipelines.warehouse.postgres.server import connect

KINDS = {"r": "table", "p": "table", "v": "view"}

DIFFERENT = """
    select count(*)
    from (
        select * from pg_catalog.pg_attribute where attrelid = cast(%s as regclass) and attnum > 0
    ) as stands
    full join (
        select * from pg_catalog.pg_attribute
        where attrelid = cast('pg_temp.columns_of_model' as regclass) and attnum > 0
    ) as comes
        on stands.attnum = comes.attnum
    where
        stands.attname is distinct from comes.attname
        or stands.atttypid is distinct from comes.atttypid
        or stands.atttypmod is distinct from comes.atttypmod
        or stands.attcollation is distinct from comes.attcollation
"""
"""How many columns of a relation are not those that a query gives."""


FUNCTIONS = (
    """
    create or replace function {schema}.hash_of_next(text, text) returns text
    language sql immutable parallel safe
    as $$ select encode(sha256(convert_to(coalesce($1, repeat('0', 64)) || $2, 'UTF8')), 'hex') $$
    """,
    """
    create or replace aggregate {schema}.chained_hash(text)
    (sfunc = {schema}.hash_of_next, stype = text)
    """,
)
"""What the macro chained_hashes asks for: the hash of a text and of all before it."""


@contextmanager
def opened(settings: PostgresSettings) -> Iterator[Builder]:
    """The database, for models that are built in it."""
    connection = connect(settings, "claude-warehouse build")
    try:
        yield _Builder(connection)
    finally:
        with suppress(psycopg2.Error):
            connection.close()


class _Builder:
    def __init__(self, connection: Any) -> None:
        self._connection, self._cursor = connection, connection.cursor()
        self._schemas: set[str] = set()

    def build(self, model: Node) -> bool:
        """In one transaction. A relation that has the columns it had is filled anew and not made
        anew: what is dropped takes the views over it with it, which a build of some models does
        not make again."""
        relation, cursor = str(model.relation), self._cursor
        self._require_schema(relation.rpartition(".")[0])
        kind = self._kind(relation)
        is_kept = kind == model.kind and self._has_columns_of(relation, model.sql)
        if kind and not is_kept:
            cursor.execute(f"drop {kind} {relation} cascade")
        if model.kind == "view":
            cursor.execute(f"create or replace view {relation} as (\n{model.sql}\n)")
        elif is_kept:
            cursor.execute(f"truncate {relation}")
            cursor.execute(f"insert into {relation} (\n{model.sql}\n)")
        else:
            cursor.execute(f"create table {relation} as (\n{model.sql}\n)")
        if model.kind == "table":
            cursor.execute(f"analyze {relation}")
        if model.comments:
            cursor.execute(";\n".join(model.comments))
        self._connection.commit()
        return True

    def count(self, test: Node) -> int:
        self._cursor.execute(f"select count(*) from (\n{test.sql}\n) as found")
        count = int(self._cursor.fetchone()[0])
        self._connection.commit()
        return count

    def _require_schema(self, schema: str) -> None:
        if schema in self._schemas:
            return
        name = schema.rpartition(".")[2]
        self._cursor.execute("select to_regnamespace(%s)", [name])
        if self._cursor.fetchone()[0] is None:
            self._cursor.execute(f"create schema {name}")
        for function in FUNCTIONS:
            self._cursor.execute(function.format(schema=name))
        self._schemas.add(schema)

    def _kind(self, relation: str) -> str | None:
        self._cursor.execute(
            "select relkind from pg_catalog.pg_class where oid = to_regclass(%s)",
            [relation.partition(".")[2]],
        )
        found = self._cursor.fetchone()
        return KINDS[found[0]] if found else None

    def _has_columns_of(self, relation: str, sql: str) -> bool:
        cursor = self._cursor
        cursor.execute(f"create temporary view columns_of_model as (\n{sql}\n)")
        cursor.execute(DIFFERENT, [relation.partition(".")[2]])
        different = cursor.fetchone()[0]
        cursor.execute("drop view pg_temp.columns_of_model")
        return bool(different == 0)
