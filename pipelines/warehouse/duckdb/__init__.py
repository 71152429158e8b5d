"""DuckDB: a private file that runs write, and a copy of the marts for readers."""

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dlt
import duckdb
from dlt.common.destination import Destination
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.settings import PipelineSettings, settings
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
from pipelines.warehouse.dbt import (
    Target,
    TransformResult,
    file_database,
    manifest,
    refuse_failed,
    transform,
)
from pipelines.warehouse.duckdb.beside import left_beside
from pipelines.warehouse.duckdb.builder import forget, opened
from pipelines.warehouse.duckdb.copied import copied
from pipelines.warehouse.duckdb.file import (
    Connection,
    open_to_read,
    pass_through,
    read_blocks,
    read_only,
    read_whole,
    rewrite,
    settle,
    take_mart,
)
from pipelines.warehouse.duckdb.publish import publish
from pipelines.warehouse.history import has_data
from sources.errors import ForeseenError

FILE_VARIABLE = "CLAUDE_WAREHOUSE_DUCKDB_PATH"
"""What profiles.yml reads the file from."""


BESIDE_VARIABLE = "CLAUDE_WAREHOUSE_DUCKDB_BESIDE"
"""What profiles.yml attaches."""
BESIDE = "beside"


class DuckDB:
    """A warehouse in the data folder."""

    # A run has the file to itself.
    abilities = Abilities(reads_beside_a_run=False, passes_through=True)

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

    @property
    def address(self) -> str:
        return f"duckdb:///{self._served.absolute()}?access_mode=read_only"

    @property
    def target(self) -> Target:
        return target(self._file, self._data_dir.root)

    def held(self, command: str) -> AbstractContextManager[None]:
        return nullcontext()  # The file is in the data folder, or that of the file is held too.

    def held_by(self) -> str | None:
        return None

    def exists(self) -> bool:
        return self._file.exists()

    def require(self) -> None:
        if not self.exists():
            self._data_dir.require_mounted()
            if self.served_place:
                raise ForeseenError(
                    f"The warehouse {self._file} is not there, though its marts were published.\n"
                    f"Readers keep them in {self.served_place}. A sync loads only what the APIs "
                    "still have, and is not published over more than that.\n"
                    "Restore it, for example: claude-warehouse restore FOLDER (a backup)"
                )
            raise ForeseenError(
                f"There is no warehouse in {self._data_dir.root} yet.\n"
                "Nothing has been loaded into this folder.\n"
                f"Run: claude-warehouse sync (or, without a key: {self._demo})."
            )

    @property
    def _demo(self) -> str:
        """How to come by a demonstration, or to look at the one that is there."""
        demo = self._data_dir.root / "demo"
        if (demo / self._file.name).exists():
            return (
                f"look at the demo with claude-warehouse status --data-dir {shlex.quote(str(demo))}"
            )
        return "claude-warehouse demo"

    def check(self) -> None:
        if self.exists():
            with self.read():
                pass

    def inspected(self) -> str:
        read_whole(self._file)
        size = self._file.stat().st_size / 2**20
        return f"{self._file} opens, every block is whole ({size:.1f} MiB), nobody holds it"

    def inspected_served(self, *, whole: bool = False) -> str:
        files = [Path(os.path.realpath(self._served))]
        if self._data_dir.served_anonymous.exists():
            files.append(Path(os.path.realpath(self._data_dir.served_anonymous)))
        if left := [path for file in files for path in left_beside(file)]:
            raise ForeseenError(
                f"{', '.join(map(str, left))}: another program wrote to the published marts.\n"
                "Whoever opens them now sees what it wrote, beside or instead of ours.\n"
                "Close that program, or let it open the file read-only; the next publication "
                "removes what it left: claude-warehouse publish"
            )
        if not files[0].exists():
            return "nothing is published yet; the first sync does it"
        opened = []
        for file in files:
            with served(file) as marts:
                opened.append(f"{file} opens, with {len(marts.columns)} tables")
            if whole:
                _read_blocks(file)
        return f"{'; '.join(opened)}, and nothing stands beside it"

    def files(self) -> Sequence[Path]:
        settle(self._file)
        return [self._file]

    @contextmanager
    def read(self) -> Iterator[Reading]:
        with read_only(self._file) as connection:
            yield Reading(Connection(connection))

    def store(self) -> Destination[Any, Any]:
        return destination(self._file)

    def build(
        self,
        variables: Mapping[str, str] | None = None,
        select: Sequence[str] = (),
        *,
        tests: bool = True,
    ) -> TransformResult:
        return transform(self.target, variables, select, tests=tests)

    def forget_built(self) -> None:
        with duckdb.connect(str(self._file)) as connection:
            forget(connection)

    def manifest(self) -> str:
        return manifest(self.target)

    def build_aside(self, out: Path, variables: Mapping[str, str]) -> PublishResult:
        work = self._data_dir.root / "dbt"
        work.mkdir(exist_ok=True)
        for left in work.glob("aside*"):  # by a run that was killed
            shutil.rmtree(left)
        with TemporaryDirectory(dir=work, prefix="aside") as folder:
            aside = Path(folder) / "aside.duckdb"
            with duckdb.connect(str(aside)) as connection:
                _show_raw_tables(connection, self._file)
            result = transform(target(aside, self._data_dir.root, beside=self._file), variables)
            refuse_failed(result, out)
            return publish(aside, out, accept_loss=True)

    def publish(self, *, accept_loss: bool = False, afresh: bool = False) -> PublishResult:
        mode = settings(PipelineSettings).served_mode
        access = int(mode, 8) if mode else None
        published = publish(
            self._file, self._served, accept_loss=accept_loss, mode=access, afresh=afresh
        )
        anonymous = self._data_dir.served_anonymous
        publish(
            self._file,
            anonymous,
            accept_loss=True,
            mode=access,
            with_people=False,
            afresh=afresh,
        )
        return published

    @contextmanager
    def serve(self, *, though_empty: bool = False) -> Iterator[Reading]:
        with served(self._served) as marts:
            if not though_empty and not has_data(marts):
                raise NothingServed(str(self._served), "no day is loaded in it")
            yield marts

    def copy_to(self, copy: DataDir) -> None:
        self.require()
        copied(self._file, copy.warehouse)
        if self._served.exists():
            copied(self._served, copy.served)

    def take_published(self, mart: str) -> bool:
        return self._served.exists() and take_mart(self._served, self._file, mart)

    def size(self) -> int:
        return self._file.stat().st_size

    def pass_through(self, change: Change, rows: Sequence[tuple[str, Row]]) -> None:
        pass_through(self._file, change, rows)
        rewrite(self._file)

    def vacuum(self) -> None:
        rewrite(self._file)


def _show_raw_tables(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Let the raw tables of the warehouse be seen in another database, as views."""
    connection.execute(f"attach {literal(str(warehouse))} as {BESIDE} (read_only)")
    connection.execute(f"create schema {RAW_SCHEMA}")
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and schema_name = ?",
        [BESIDE, RAW_SCHEMA],
    ).fetchall()
    for (table,) in tables:
        name = f"{RAW_SCHEMA}.{identifier(table)}"
        connection.execute(f"create view {name} as select * from {BESIDE}.{name}")


def target(file: Path, folder: Path, *, beside: Path | None = None) -> Target:
    """Where dbt builds the marts of this file, which may look into the one beside it."""
    attached = [{"path": str(beside), "alias": BESIDE, "read_only": True}] if beside else []
    return Target(
        name="duckdb",
        database=file_database(file),
        environment={
            FILE_VARIABLE: str(file.absolute()),
            BESIDE_VARIABLE: repr(attached),
        },
        folder=folder,
        file=file,
        opened=lambda project: opened(file, project, beside={BESIDE: beside} if beside else {}),
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
        raise NothingServed(str(path), "the file does not exist")
    try:
        with open_to_read(path) as connection:
            connection.execute("set timezone = 'UTC'")
            marts = Reading(Connection(connection), MARTS_SCHEMA)
            if not marts.columns:
                raise NothingServed(str(path), f"it has no tables in {MARTS_SCHEMA}")
            connection.execute(f"use {MARTS_SCHEMA}")
            yield marts
    except duckdb.Error as error:
        raise foreseen(error, path.parent, file=path) from error


def _read_blocks(path: Path) -> None:
    try:
        with open_to_read(path) as connection:
            read_blocks(connection)
    except duckdb.Error as error:
        raise foreseen(error, path.parent, file=path) from error
