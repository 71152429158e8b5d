"""PostgreSQL: schemas that runs load and build in, and tables that readers keep."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import psycopg2
from dlt.common.destination import Destination

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.settings import PostgresSettings, settings
from pipelines.warehouse.base import (
    MARTS_SCHEMA,
    RAW_SCHEMA,
    Abilities,
    Change,
    NothingServed,
    PublishResult,
    Reading,
    Row,
    identifier,
    literal,
)
from pipelines.warehouse.dbt import Target, TransformResult, manifest, refuse_failed, transform
from pipelines.warehouse.duckdb.publish import publish as publish_file
from pipelines.warehouse.history import has_data
from pipelines.warehouse.postgres.build import opened
from pipelines.warehouse.postgres.load import destination
from pipelines.warehouse.postgres.publish import publish, take_mart
from pipelines.warehouse.postgres.server import (
    BUILT_SCHEMA,
    STAGING_SCHEMA,
    Connection,
    arguments,
    connect,
    held,
    held_by,
    place,
    require_held,
    require_ours,
    snapshot,
)
from sources.errors import ForeseenError

import_module("dbt.adapters.postgres")  # Without it nothing is built: said before anything is done.

ASIDE = "_aside"
"""How schemas end in which marts are built beside those of the night."""


class Postgres:
    """A warehouse on a server."""

    abilities = Abilities(reads_beside_a_run=True)

    def __init__(self, data_dir: DataDir) -> None:
        self._data_dir, self._settings = data_dir, settings(PostgresSettings)
        if missing := [
            name for name in ("database", "username") if not getattr(self._settings, name)
        ]:
            raise ForeseenError(
                f"[postgres] {' and '.join(missing)} are not set, and the warehouse is on "
                "PostgreSQL.\n"
                "A run has to know which database it may load into, and as whom.\n"
                f"Set {', '.join(f'POSTGRES__{name.upper()}' for name in missing)}, or the same in "
                ".dlt/config.toml; the password is POSTGRES__PASSWORD, or in .dlt/secrets.toml."
            )

    @property
    def place(self) -> str:
        return place(self._settings)

    @property
    def served_place(self) -> str | None:
        with snapshot(self._settings) as connection:
            if not _tables(connection, MARTS_SCHEMA):
                return None
        return f"schema {MARTS_SCHEMA} of {self.place}"

    @property
    def invitation(self) -> str:
        return f"read schema {MARTS_SCHEMA} of {self.place} with any client of PostgreSQL."

    @property
    def address(self) -> str:
        return f"postgresql+psycopg2://{self.place}"

    def held(self, command: str) -> AbstractContextManager[None]:
        return held(self._settings, command)

    def held_by(self) -> str | None:
        return held_by(self._settings)

    def exists(self) -> bool:
        with snapshot(self._settings) as connection:
            return bool(_tables(connection, RAW_SCHEMA))

    def require(self) -> None:
        if not self.exists():
            raise ForeseenError(
                f"There is no warehouse in {self.place} yet.\n"
                f"It has no tables in {RAW_SCHEMA}: nothing has been loaded into this database.\n"
                "Run: claude-warehouse sync"
            )

    def check(self) -> None:
        with snapshot(self._settings) as connection:
            require_ours(self._settings, connection)
            cursor = connection.cursor()
            cursor.execute("show server_encoding")
            if (encoding := cursor.fetchone()[0]) != "UTF8":
                raise ForeseenError(
                    f"The database {self.place} keeps texts in {encoding}, and names have any "
                    "letter.\n"
                    "What does not fit its letters could not be stored.\n"
                    "Make one with: create database … encoding 'UTF8' template template0; then "
                    "name it in [postgres] database."
                )
            self._require_rights(cursor)

    def _require_rights(self, cursor: Any) -> None:
        """See that a run may write where it will: before it has fetched anything."""
        cursor.execute(
            """
            select names.name, spaces.nspname is not null,
                has_schema_privilege(spaces.oid, 'create')
            from unnest(%s) as names (name)
            left join pg_catalog.pg_namespace as spaces on names.name = spaces.nspname
            """,
            [[RAW_SCHEMA, STAGING_SCHEMA, BUILT_SCHEMA, MARTS_SCHEMA]],
        )
        found = cursor.fetchall()
        cursor.execute(
            "select has_database_privilege(current_database(), 'create'),"
            " current_setting('transaction_read_only') = 'on' and pg_is_in_recovery()"
        )
        may_create, is_standby = cursor.fetchone()
        absent = [name for name, is_there, _ in found if not is_there]
        closed = [name for name, is_there, may in found if is_there and not may]
        user = self._settings.username
        if is_standby:
            raise ForeseenError(
                f"The server of {self.place} only follows another one, and cannot be written to.\n"
                "Nothing was loaded or published.\n"
                "Name the one that it follows in [postgres] host, then run this again."
            )
        if closed:
            raise ForeseenError(
                f"The user {user} may not write to {', '.join(closed)} of {self.place}.\n"
                "A run makes its tables there. Nothing was loaded or published.\n"
                "Let its owner run: "
                + " ".join(f"grant usage, create on schema {name} to {user};" for name in closed)
            )
        if absent and not may_create:
            raise ForeseenError(
                f"The user {user} may make no schema in {self.place}, and {', '.join(absent)} "
                f"{'is' if len(absent) == 1 else 'are'} not there.\n"
                "A run makes its tables in them. Nothing was loaded or published.\n"
                "Let the owner of the database run: "
                + " ".join(f"create schema {name} authorization {user};" for name in absent)
            )

    def inspected(self) -> str:
        self.check()
        with snapshot(self._settings) as connection:
            cursor = connection.cursor()
            cursor.execute("show server_version")
            version = cursor.fetchone()[0].split()[0]
            tables = len(_tables(connection, RAW_SCHEMA))
        return (
            f"{self.place} answers, PostgreSQL {version}, with {tables} raw tables; "
            f"{self._settings.username} may write there"
        )

    def inspected_served(self, *, whole: bool = False) -> str:
        with snapshot(self._settings) as connection:
            tables = len(_tables(connection, MARTS_SCHEMA))
        if not tables:
            return "nothing is published yet; the first sync does it"
        return f"schema {MARTS_SCHEMA} of {self.place} has {tables} tables"

    def files(self) -> Sequence[Path]:
        raise ForeseenError(
            f"The warehouse is on a server, {self.place}, and not in files that could be copied.\n"
            "Nothing was written.\n"
            f"Let the server keep it: pg_dump --schema={RAW_SCHEMA} --schema={MARTS_SCHEMA}, or "
            "its own backups. The data folder's closed_months holds a copy of each close."
        )

    def size(self) -> int:
        with snapshot(self._settings) as connection:
            cursor = connection.cursor()
            cursor.execute(
                """
                select coalesce(sum(pg_catalog.pg_total_relation_size(relations.oid)), 0)
                from pg_catalog.pg_class as relations
                inner join pg_catalog.pg_namespace as spaces
                    on relations.relnamespace = spaces.oid
                where spaces.nspname = any(%s) and relations.relkind in ('r', 'm')
                """,
                [[RAW_SCHEMA, STAGING_SCHEMA, BUILT_SCHEMA]],
            )
            return int(cursor.fetchone()[0])

    @contextmanager
    def read(self) -> Iterator[Reading]:
        with snapshot(self._settings) as connection:
            require_ours(self._settings, connection)
            yield Reading(Connection(connection, is_built=True))

    def store(self) -> Destination[Any, Any]:
        require_held(self._settings)
        return destination(self._settings)

    def build(
        self,
        variables: Mapping[str, str] | None = None,
        select: Sequence[str] = (),
        *,
        tests: bool = True,
    ) -> TransformResult:
        require_held(self._settings)
        return transform(self.target, variables, select, tests=tests)

    def forget_built(self) -> None:
        pass  # Everything is built every time.

    def manifest(self) -> str:
        return manifest(self.target)

    @property
    def target(self) -> Target:
        return self._target(STAGING_SCHEMA, BUILT_SCHEMA)

    def _target(self, staging: str, marts: str) -> Target:
        given = arguments(self._settings)
        return Target(
            name="postgres",
            database=f"{given['dbname']}.{marts}",
            environment={
                "CLAUDE_WAREHOUSE_POSTGRES_HOST": given["host"],
                "CLAUDE_WAREHOUSE_POSTGRES_PORT": str(given["port"]),
                "CLAUDE_WAREHOUSE_POSTGRES_DATABASE": given["dbname"],
                "CLAUDE_WAREHOUSE_POSTGRES_USER": given["user"],
                # dbt keeps values of variables that it read, but for those called so.
                "DBT_ENV_SECRET_CLAUDE_WAREHOUSE_PASSWORD": given.get("password", ""),
                "CLAUDE_WAREHOUSE_POSTGRES_SSLMODE": given.get("sslmode", ""),
                "CLAUDE_WAREHOUSE_POSTGRES_SSLROOTCERT": given.get("sslrootcert", ""),
                "CLAUDE_WAREHOUSE_STAGING_SCHEMA": staging,
                "CLAUDE_WAREHOUSE_MARTS_SCHEMA": marts,
                "PGTZ": "UTC",
                "PGOPTIONS": "-c jit=off -c client_min_messages=error",
            },
            folder=self._data_dir.root,
            opened=lambda _: opened(self._settings),
        )

    def build_aside(self, out: Path, variables: Mapping[str, str]) -> PublishResult:
        staging, marts = f"{STAGING_SCHEMA}{ASIDE}", f"{MARTS_SCHEMA}{ASIDE}"
        work = self._data_dir.root / "dbt"
        work.mkdir(exist_ok=True)
        self._drop(staging, marts)  # left by a run that was killed
        try:
            result = transform(self._target(staging, marts), variables)
            refuse_failed(result, out)
            with TemporaryDirectory(dir=work, prefix="aside") as folder:
                file = Path(folder) / "aside.duckdb"
                self._write(file, {marts: MARTS_SCHEMA})
                return publish_file(file, out, accept_loss=True)
        finally:
            self._drop(staging, marts)

    def _drop(self, *schemas: str) -> None:
        connection = connect(self._settings)
        try:
            for schema in schemas:
                connection.cursor().execute(f"drop schema if exists {schema} cascade")
            connection.commit()
        except psycopg2.Error as error:
            raise foreseen(error) from error
        finally:
            connection.close()

    def _write(self, file: Path, schemas: Mapping[str, str]) -> None:
        """Write the tables and views of these schemas into a file of DuckDB, under others' names,
        with their descriptions."""
        with snapshot(self._settings) as connection, duckdb.connect(str(file)) as written:
            # Named as they are: nothing is taken for what readers have.
            reading = Reading(Connection(connection, is_built=False))
            for relation, columns in reading.columns.items():
                schema, _, name = relation.partition(".")
                if schema not in schemas:
                    continue
                target = f"{schemas[schema]}.{identifier(name)}"
                written.execute(f"create schema if not exists {schemas[schema]}")
                listed = ", ".join(map(identifier, columns))
                rows = reading.batches(f"select {listed} from {schema}.{identifier(name)}")
                written.register("rows_of_relation", rows)
                written.execute(f"create table {target} as select * from rows_of_relation")
                written.unregister("rows_of_relation")
                for column, description in columns.items():
                    if description:
                        written.execute(
                            f"comment on column {target}.{identifier(column)}"
                            f" is {literal(description)}"
                        )

    def publish(self, *, accept_loss: bool = False, afresh: bool = False) -> PublishResult:
        require_held(self._settings)
        return publish(self._settings, accept_loss=accept_loss)

    @contextmanager
    def serve(self, *, though_empty: bool = False) -> Iterator[Reading]:
        with snapshot(self._settings) as connection:
            marts = Reading(Connection(connection, is_built=False), MARTS_SCHEMA)
            if not marts.columns:
                raise NothingServed(self.place, f"it has no tables in {MARTS_SCHEMA}")
            connection.cursor().execute(f"set search_path to {MARTS_SCHEMA}")
            if not though_empty and not has_data(marts):
                raise NothingServed(self.place, "no day is loaded in it")
            yield marts

    def copy_to(self, copy: DataDir) -> None:
        """Into files of DuckDB, whose folder is its own."""
        self.require()
        schemas = {RAW_SCHEMA: RAW_SCHEMA, STAGING_SCHEMA: STAGING_SCHEMA}
        self._write(copy.warehouse, {**schemas, BUILT_SCHEMA: MARTS_SCHEMA})
        with suppress(NothingServed), self.serve(though_empty=True):
            self._write(copy.served, {MARTS_SCHEMA: MARTS_SCHEMA})

    def take_published(self, mart: str) -> bool:
        return take_mart(self._settings, mart)

    def pass_through(self, change: Change, rows: Sequence[tuple[str, Row]]) -> None:
        raise NotImplementedError  # Its abilities say so.

    def vacuum(self) -> None:
        connection = connect(self._settings)
        try:
            connection.autocommit = True
            for schema in (RAW_SCHEMA, STAGING_SCHEMA, BUILT_SCHEMA):
                for table in _tables(connection, schema):
                    connection.cursor().execute(
                        f"vacuum (full, analyze) {schema}.{identifier(table)}"
                    )
        except psycopg2.Error as error:
            raise foreseen(error) from error
        finally:
            connection.close()


def _tables(connection: Any, schema: str) -> list[str]:
    cursor = connection.cursor()
    cursor.execute(
        "select tablename from pg_catalog.pg_tables where schemaname = %s order by tablename",
        [schema],
    )
    return [name for (name,) in cursor.fetchall()]
