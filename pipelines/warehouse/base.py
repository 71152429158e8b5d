"""What a run asks of a warehouse. Each engine answers in a file of its own beside this one."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pyarrow as pa
from dlt.common.destination import Destination

from pipelines.warehouse.dbt import TransformResult
from sources.errors import ForeseenError
from sources.ledger import dict_rows

RAW_SCHEMA = "claude_raw"
MARTS_SCHEMA = "claude_marts"

Row = dict[str, Any]


class NothingServed(ForeseenError):
    """No marts are published yet."""


@dataclass(frozen=True, kw_only=True)
class Abilities:
    """In what engines differ, as far as anybody outside has to know.

    Attributes:
        reads_beside_a_run: Whether what is stored can be read while a run writes.
    """

    reads_beside_a_run: bool


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

    Only one writes at a time: whoever calls what writes holds the data folder's lock.
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

    def inspected_served(self) -> str:
        """The same of what readers have."""

    def read(self) -> AbstractContextManager[Reading]:
        """What is stored and built; relations are called `schema.relation`.

        Raises:
            ForeseenError: It cannot be opened or read, or another program made it.
        """

    def store(self) -> Destination[Any, Any]:
        """Where dlt stores what is loaded."""

    def build(
        self, variables: Mapping[str, str] | None = None, select: Sequence[str] = ()
    ) -> TransformResult:
        """Build the marts, all of them unless dbt's selectors name some, and run their data tests.

        Raises:
            ForeseenError: A variable cannot be used, the warehouse cannot be opened, or a model
                failed.
        """

    def publish(self, *, accept_loss: bool = False) -> PublishResult:
        """Hand the marts to readers, all at once; on any failure they keep what they have.

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

    def vacuum(self) -> None:
        """Give back the space of what was deleted."""


def identifier(name: str) -> str:
    """The name as it stands in SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as it stands in SQL, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
