"""DuckDB: a private file that runs write, and a copy of the marts for readers."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.warehouse.base import (
    MARTS_SCHEMA,
    Abilities,
    NothingServed,
    PublishResult,
    Reading,
    literal,
)
from pipelines.warehouse.dbt import Target, TransformResult, file_database, transform
from pipelines.warehouse.duckdb.beside import left_beside
from pipelines.warehouse.duckdb.file import Connection, open_to_read, read_only, read_whole, rewrite
from pipelines.warehouse.duckdb.publish import publish
from sources.errors import ForeseenError

FILE_VARIABLE = "CLAUDE_WAREHOUSE_DUCKDB_PATH"
"""What profiles.yml reads the file from."""


class DuckDB:
    """A warehouse in the data folder."""

    # A run has the file to itself.
    abilities = Abilities(reads_beside_a_run=False)

    def __init__(self, data_dir: DataDir) -> None:
        self._data_dir = data_dir
        self._file, self._served = data_dir.warehouse, data_dir.served

    @property
    def place(self) -> str:
        return str(self._file)

    @property
    def served_place(self) -> str | None:
        return str(self._served) if self._served.exists() else None

    @property
    def invitation(self) -> str:
        return f"open {self._served} with any DuckDB client."

    def exists(self) -> bool:
        return self._file.exists()

    def require(self) -> None:
        if not self.exists():
            self._data_dir.require_mounted()
            raise ForeseenError(
                f"There is no warehouse in {self._data_dir.root} yet.\n"
                "Nothing has been loaded into this folder.\n"
                "Run: claude-warehouse sync (or, without a key: claude-warehouse demo)."
            )

    def check(self) -> None:
        if self.exists():
            with self.read():
                pass

    def inspected(self) -> str:
        read_whole(self._file)
        size = self._file.stat().st_size / 2**20
        return f"{self._file} opens, every block is whole ({size:.1f} MiB), nobody holds it"

    def inspected_served(self) -> str:
        served = Path(os.path.realpath(self._served))
        if left := left_beside(served):
            raise ForeseenError(
                f"{', '.join(map(str, left))}: another program wrote to the published marts.\n"
                "Whoever opens them now sees what it wrote, beside or instead of ours.\n"
                "Close that program, or let it open the file read-only; the next publication "
                "removes what it left: claude-warehouse publish"
            )
        if not served.exists():
            return "nothing is published yet; the first sync does it"
        with self.serve(though_empty=True) as marts:
            tables = len(marts.columns)
        return f"{served} opens, with {tables} tables, and nothing stands beside it"

    @contextmanager
    def read(self) -> Iterator[Reading]:
        with read_only(self._file) as connection:
            yield Reading(Connection(connection))

    def store(self) -> Destination[Any, Any]:
        return destination(self._file)

    def build(
        self, variables: Mapping[str, str] | None = None, select: Sequence[str] = ()
    ) -> TransformResult:
        return transform(target(self._file, self._data_dir.root), variables, select)

    def publish(self, *, accept_loss: bool = False) -> PublishResult:
        return publish(self._file, self._served, accept_loss=accept_loss)

    @contextmanager
    def serve(self, *, though_empty: bool = False) -> Iterator[Reading]:
        with served(self._served) as marts:
            if not though_empty and not _has_data(marts):
                raise NothingServed(_nothing_served(self._served, "no day is loaded in it"))
            yield marts

    def vacuum(self) -> None:
        rewrite(self._file)


def target(file: Path, folder: Path) -> Target:
    """Where dbt builds the marts of this file."""
    return Target(
        name="duckdb",
        database=file_database(file),
        environment={FILE_VARIABLE: str(file.absolute())},
        folder=folder,
        file=file,
    )


def destination(file: Path) -> dlt.destinations.duckdb:
    """Where dlt stores what is loaded into this file."""
    # Enough memory to merge any table, which DuckDB does in pieces; it would take far more.
    credentials = DuckDbCredentials(
        global_config={"memory_limit": "256MB", "preserve_insertion_order": False}
    )
    # Not as its argument, which could be read as a URL. Absolute: a relative path starts where
    # the folder's first run was, which dlt remembers wherever the folder is copied.
    credentials.database = str(file)
    DuckDbCopyJob.run = _copy  # type: ignore[assignment, method-assign]
    return dlt.destinations.duckdb(credentials)


READERS = {"parquet": "read_parquet({}, union_by_name = true, hive_partitioning = false)"}
"""How a file of dlt's is read; a folder called `month=5` is no column, nor `*` a pattern."""


def _copy(job: DuckDbCopyJob) -> None:
    """dlt's own writes paths into patterns and SQL as they are."""
    client = job._job_client.sql_client
    table = client.make_qualified_table_name(job.load_table_name)
    reader = READERS.get(
        job.job_file_info().file_format, "read_json({}, hive_partitioning = false)"
    )
    path = "".join(f"[{char}]" if char in "*?[" else char for char in job._file_path)
    client.execute_sql(f"insert into {table} by name select * from {reader.format(literal(path))}")


@contextmanager
def served(path: Path) -> Iterator[Reading]:
    """The served file, for as long as it is read, though no day may be loaded in it.

    Raises:
        ForeseenError: There is none yet, it holds no marts, or it cannot be read.
    """
    if not path.exists():
        raise NothingServed(_nothing_served(path, "the file does not exist"))
    try:
        with open_to_read(path) as connection:
            connection.execute("set timezone = 'UTC'")
            marts = Reading(Connection(connection), MARTS_SCHEMA)
            if not marts.columns:
                raise NothingServed(_nothing_served(path, f"it has no tables in {MARTS_SCHEMA}"))
            connection.execute(f"use {MARTS_SCHEMA}")
            yield marts
    except duckdb.Error as error:
        raise foreseen(error, path.parent, file=path) from error


def _has_data(marts: Reading) -> bool:
    if marts.has("data_coverage_daily", "status"):
        loaded = "select 1 from data_coverage_daily where status in ('loaded', 'empty') limit 1"
        return marts.row(loaded) is not None
    return any(marts.row(f"select 1 from {mart} limit 1") for mart in marts.columns)


def _nothing_served(path: Path, reason: str) -> str:
    return (
        f"There are no published marts to read in {path}: {reason}.\n"
        "A run loads the data, builds the marts and publishes them there.\n"
        "Run: claude-warehouse sync (or, without a key: claude-warehouse demo)."
    )
