"""All published marts as files or open tables in a folder or bucket, for engines that read those.

Of a mart per day only days whose rows differ from what stands there are written anew; every other
mart is replaced. What stands there is read for that: nothing has to be remembered, and what others
changed or removed is mended too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.formats import TABLES
from pipelines.files.stores import Store, opened
from pipelines.warehouse.base import Reading, Warehouse, identifier
from sources.errors import ForeseenError

DAY, PER_DAY = "activity_date", "_daily"
"""The column, never null, and the end of the name of every mart per day."""

EXTRAS = {"delta": "deltalake", "iceberg": "pyiceberg"}

OURS = "claude-warehouse"
"""How a table says who made it."""

ROWS_AT_ONCE = 20_000


class Tables(Protocol):
    """Tables of one format, by the marts' names."""

    def stranger(self, mart: str) -> str | None:
        """What of others' is in the place of this mart; None: nothing."""

    def schema(self, mart: str) -> pa.Schema | None:
        """The columns of the table that is there."""

    def rows(self, mart: str, columns: Sequence[str], days: tuple[date, date] | None) -> pa.Table:
        """What is there, of all days or of those from the first to the last."""

    def units(self, days: Collection[date]) -> list[tuple[date, date]]:
        """The smallest parts, each from a day to a day, that hold these days and can be replaced
        alone."""

    def replace(
        self,
        mart: str,
        rows: pa.RecordBatchReader,
        units: Sequence[tuple[date, date]] | None,
        *,
        per_day: bool,
    ) -> None:
        """Replace the rows of these parts, or all rows and columns, by others."""


@dataclass(frozen=True)
class Written:
    """What an export did.

    Attributes:
        tables: Marts that are there now.
        written: Those of them of which anything was written.
        days: Days that were written anew in marts that stood there before.
        rows: That were written.
    """

    tables: int
    written: int
    days: int
    rows: int


def export_marts(warehouse: Warehouse, form: str, out: str) -> Written:
    """Bring the folder or bucket to what readers have.

    Raises:
        ForeseenError: Nothing is published, what writes the format is not installed, other things
            stand in the place of a mart, or it cannot be written.
    """
    kind = _class_of(form)
    with warehouse.serve(though_empty=True) as marts, opened(out) as store:
        tables: Tables = kind(store)
        if strange := [found for mart in marts.columns if (found := tables.stranger(mart))]:
            raise ForeseenError(
                f"The marts were not written to {out}: {strange[0]} is not what an export of "
                "marts makes.\n"
                "What is in it would be lost; nothing was written.\n"
                "Name a folder of its own with --out."
            )
        counts = [_bring(marts, mart, tables) for mart in marts.columns]
    return Written(
        tables=len(counts),
        written=sum(1 for days, rows in counts if days is None or days),
        days=sum(days or 0 for days, _ in counts),
        rows=sum(rows for _, rows in counts),
    )


def _class_of(form: str) -> Any:
    try:
        module = import_module(f"pipelines.files.tables.{form}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("pipelines"):
            raise
        raise ForeseenError(
            f"The marts were not written: what writes {form} is not installed ({error.name}).\n"
            "It is an extra, because not everybody needs it.\n"
            f'Run: pip install "claude-warehouse[{EXTRAS[form]}]"'
        ) from error
    return getattr(module, TABLES[form])


def _bring(marts: Reading, mart: str, tables: Tables) -> tuple[int | None, int]:
    """Bring one mart there; the days (None: all of it was replaced) and rows that were written."""
    columns = list(marts.columns[mart])
    per_day = mart.endswith(PER_DAY) and DAY in columns
    schema = portable(_read(marts, mart, columns, "where 1 = 0").schema)
    there = tables.schema(mart)
    counted = _Counted()
    if not per_day or there is None or portable(there) != schema:
        order = f"order by {DAY}" if per_day else ""
        rows = counted(_read(marts, mart, columns, order), schema)
        tables.replace(mart, rows, None, per_day=per_day)
        return None, counted.rows
    changed = sorted(_changed(marts, mart, columns, schema, tables))
    units = tables.units(changed)
    if units:
        asked = " or ".join(f"{DAY} between {_of(first)} and {_of(last)}" for first, last in units)
        rows = counted(_read(marts, mart, columns, f"where {asked} order by {DAY}"), schema)
        tables.replace(mart, rows, units, per_day=True)
    return len(changed), counted.rows


def _changed(
    marts: Reading, mart: str, columns: Sequence[str], schema: pa.Schema, tables: Tables
) -> Iterator[date]:
    """Days whose rows differ, a month in memory at a time."""
    ours = {row[DAY] for row in marts.rows(f"select distinct {DAY} from {identifier(mart)}")}
    theirs = set(tables.rows(mart, [DAY], None)[DAY].to_pylist())
    for first, last in months_of(ours | theirs):
        asked = f"where {DAY} between {_of(first)} and {_of(last)}"
        new = by_day(_read(marts, mart, columns, asked).read_all().cast(schema))
        old = by_day(tables.rows(mart, columns, (first, last)).cast(schema))
        for day in new.keys() | old.keys():
            if day not in new or day not in old or not new[day].equals(old[day]):
                yield day


def months_of(days: Collection[date]) -> list[tuple[date, date]]:
    """First and last day of the months of these days."""
    firsts = sorted({day.replace(day=1) for day in days})
    nexts = [(first + timedelta(days=31)).replace(day=1) for first in firsts]
    return [
        (first, following - timedelta(days=1))
        for first, following in zip(firsts, nexts, strict=True)
    ]


def single_days(days: Collection[date]) -> list[tuple[date, date]]:
    """Each of these days, as the first and last of a part of its own."""
    return [(day, day) for day in sorted(days)]


def by_day(table: pa.Table) -> Mapping[date, pa.Table]:
    """The rows of each day, in an order that only depends on them."""
    names = [DAY, *(name for name in table.column_names if name != DAY)]
    ordered = table.sort_by([(name, "ascending") for name in names])
    found, start = {}, 0
    for each in pc.value_counts(ordered[DAY]).to_pylist():
        found[each["values"]] = ordered.slice(start, each["counts"])
        start += each["counts"]
    return found


def _read(marts: Reading, mart: str, columns: Sequence[str], rest: str) -> Any:
    listed = ", ".join(map(identifier, columns))
    return marts.batches(f"select {listed} from {identifier(mart)} {rest}", size=ROWS_AT_ONCE)


def _of(day: date) -> str:
    return f"date '{day.isoformat()}'"


def portable(schema: pa.Schema) -> pa.Schema:
    """The same columns in types that every engine reads: moments say that they are in UTC, since
    readers with a zone of their own would take theirs."""
    return pa.schema([pa.field(field.name, _portable(field.type)) for field in schema])


def _portable(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", tz="UTC")
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_dictionary(kind):
        return _portable(kind.value_type)  # Its list of values would go with every copy.
    return kind


class _Counted:
    """Hands rows on, in other types, and counts them."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, rows: pa.RecordBatchReader, schema: pa.Schema) -> pa.RecordBatchReader:
        def read() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                self.rows += batch.num_rows
                yield batch.cast(schema)

        return pa.RecordBatchReader.from_batches(schema, read())


__all__ = ["DAY", "EXTRAS", "OURS", "Store", "Tables", "Written", "export_marts"]
