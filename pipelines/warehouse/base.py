"""What a run asks of a warehouse. Each engine answers in a file of its own beside this one."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from dlt.common.destination import Destination

from pipelines.warehouse.dbt import Target, TransformResult
from sources.errors import ForeseenError
from sources.ledger import dict_rows

if TYPE_CHECKING:
    from pipelines.data_dir import DataDir

RAW_SCHEMA = "claude_raw"
MARTS_SCHEMA = "claude_marts"

Row = dict[str, Any]
Change = Callable[[str, pa.Table], pa.Table]
"""What rows of a raw table become, of its name and some of them, or all where they are few."""


class NothingServed(ForeseenError):
    """No marts are published yet: where they were looked for, and why there are none."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"There are no published marts to read in {place}: {reason}.\n"
            "A run loads the data, builds the marts and publishes them there.\n"
            "Run: claude-warehouse sync (or, without a key: claude-warehouse demo)."
        )


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """In what engines differ, as far as anybody outside has to know.

    Attributes:
        reads_beside_a_run: Whether what is stored can be read while a run writes.
        passes_through: Whether who is named in what is stored can be changed.
    """

    reads_beside_a_run: bool
    passes_through: bool = False


@dataclass(frozen=True, kw_only=True)
class PublishResult:
    """What readers have now: where, its tables and all their rows.

    Attributes:
        size: In words, for example `3.1 MiB`.
        notes: Sentences about what others had left in its place.
    """

    place: str
    tables: int
    rows: int
    size: str
    notes: Sequence[str] = ()


class Cursor(Protocol):
    """An answered query of any database driver."""

    @property
    def description(self) -> Any: ...
    def fetchmany(self, size: int, /) -> Any: ...
    def fetchall(self) -> Any: ...


class Connection(Protocol):
    """A connection of an engine, open for reading. A parameter stands in SQL as `$name`."""

    def execute(self, sql: str, parameters: Mapping[str, object]) -> Cursor: ...

    def batches(
        self, sql: str, parameters: Mapping[str, object], rows: int
    ) -> pa.RecordBatchReader: ...

    def described(self) -> Sequence[tuple[str, str, str, str | None]]:
        """Schema, relation, column and comment of every column, in their order."""


class Reading:
    """What is stored or published, open for reading; moments are in UTC.

    With a `schema`, its relations need no schema name and are all that is seen; without one, each
    is called `schema.relation`.
    """

    def __init__(self, connection: Connection, schema: str | None = None) -> None:
        self._connection, self._schema = connection, schema

    def query(self, sql: str, **parameters: object) -> Cursor:
        """The answered query, for answers that are too many for a list."""
        return self._connection.execute(sql, parameters)

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """What the query gives, a row as column name -> value."""
        return dict_rows(self.query(sql, **parameters))

    def row(self, sql: str, **parameters: object) -> Row | None:
        """The only row that the query gives, or None."""
        found = self.rows(sql, **parameters)
        return found[0] if found else None

    def batches(self, sql: str, *, size: int = 100_000, **parameters: object) -> Any:
        """What the query gives as Arrow, so many rows at a time: a reader that knows its schema."""
        return self._connection.batches(sql, parameters, size)

    def has(self, relation: str, *columns: str) -> bool:
        """Whether the relation is there, with these columns."""
        return relation in self.columns and set(columns) <= self.columns[relation].keys()

    def first_column(self, relation: str, *columns: str) -> str | None:
        """The first of these columns that the relation has."""
        return next((column for column in columns if self.has(relation, column)), None)

    def definition(self, relation: str, column: str) -> str:
        """What the column means, in the words of the mart's own description."""
        return self.columns.get(relation, {}).get(column) or "The mart gives no description."

    @cached_property
    def columns(self) -> dict[str, dict[str, str | None]]:
        """Relation -> column -> description."""
        found: dict[str, dict[str, str | None]] = {}
        for schema, relation, column, comment in self._connection.described():
            if self._schema is None:
                relation = f"{schema}.{relation}"
            elif schema != self._schema:
                continue
            found.setdefault(relation, {})[column] = comment
        return found


class Warehouse(Protocol):
    """Where a run stores what it loads, builds the marts, and hands them to readers.

    Only one writes at a time: whoever calls what writes holds it, and the data folder.
    """

    abilities: Abilities

    @property
    def place(self) -> str:
        """Where it is, for a message."""

    @property
    def served_place(self) -> str | None:
        """Where readers find the marts, once some are published."""

    @property
    def invitation(self) -> str:
        """How somebody reads the published marts, after `Query it yourself: `."""

    @property
    def address(self) -> str:
        """Where programs find the published marts, as SQLAlchemy writes it; whom they read them
        as, and the password, are theirs."""

    @property
    def target(self) -> Target:
        """Where dbt builds the marts."""

    def held(self, command: str) -> AbstractContextManager[None]:
        """Hold it for one writer on whatever machine; the data folder's lock holds only there.

        Raises:
            WarehouseHeld: Another run has it.
        """

    def held_by(self) -> str | None:
        """Who holds it so.

        Raises:
            ForeseenError: It cannot be reached.
        """

    def exists(self) -> bool:
        """Whether anything was ever stored."""

    def require(self) -> None:
        """See that something was stored.

        Raises:
            ForeseenError: Nothing was.
        """

    def check(self) -> None:
        """See that the warehouse, if there is one, opens and is ours.

        Raises:
            ForeseenError: It does not, or is not.
        """

    def inspected(self) -> str:
        """What a thorough look at everything stored has found, in words.

        Raises:
            ForeseenError: Something is damaged.
        """

    def inspected_served(self, *, whole: bool = False) -> str:
        """The same of what readers have; unless it is to be read `whole`, that it opens."""

    def files(self) -> Sequence[Path]:
        """The files that a copy of it consists of; everything stored is in them.

        Raises:
            ForeseenError: It is not in files, or they cannot be opened.
        """

    def read(self) -> AbstractContextManager[Reading]:
        """What is stored and built; relations are called `schema.relation`.

        Raises:
            ForeseenError: It cannot be opened or read, or another program made it.
        """

    def store(self) -> Destination[Any, Any]:
        """Where dlt stores what is loaded."""

    def build(
        self,
        variables: Mapping[str, str] | None = None,
        select: Sequence[str] = (),
        *,
        tests: bool = True,
    ) -> TransformResult:
        """Build the marts, all of them unless dbt's selectors name some, and run their data tests
        unless nobody will read what is built. An engine may leave alone what would come out as
        it is.

        Raises:
            ForeseenError: A variable cannot be used, the warehouse cannot be opened, or a model
                failed.
        """

    def forget_built(self) -> None:
        """Whatever is built next is built, though nothing that it reads has changed."""

    def manifest(self) -> str:
        """dbt's manifest of the marts, as JSON, for schedulers that know dbt."""

    def build_aside(self, out: Path, variables: Mapping[str, str]) -> PublishResult:
        """Build the marts into a file of their own, for readers. The warehouse is only read.

        Raises:
            ForeseenError: They cannot be built, a data test of ours failed, or the file cannot be
                written.
        """

    def publish(self, *, accept_loss: bool = False, afresh: bool = False) -> PublishResult:
        """Hand the marts to readers, all at once; on any failure they keep what they have. An
        engine may keep what readers have of marts that are as they were, unless `afresh`.

        Raises:
            ForeseenError: There is nothing to publish, readers would lose history and nobody
                accepted that, or it cannot be written.
        """

    def serve(self, *, though_empty: bool = False) -> AbstractContextManager[Reading]:
        """What was published, by the marts' names.

        Raises:
            ForeseenError: Nothing is, it cannot be read, or (unless `though_empty`) no day is
                loaded in it.
        """

    def copy_to(self, copy: "DataDir") -> None:
        """Copy what is stored, built and published into another data folder, also beside a run.

        Raises:
            ForeseenError: Nothing was stored, or it cannot be copied.
        """

    def take_published(self, mart: str) -> bool:
        """Put the published rows of a mart in the place of those that were built; False: it is not
        published in the form that it has."""

    def size(self) -> int:
        """Bytes of everything stored and built."""

    def pass_through(self, change: Change, rows: Sequence[tuple[str, Row]]) -> None:
        """Put what `change` makes of each raw table into its place, add these rows (a raw table,
        and what it gets), and drop everything that was built; all of it or nothing. Nothing of
        what stood there before is left in a file of it."""

    def vacuum(self) -> None:
        """Give back the space of what was deleted."""


def identifier(name: str) -> str:
    """The name as it stands in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as it stands in SQL, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
