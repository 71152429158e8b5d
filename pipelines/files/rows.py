"""What a file is written from: rows of a mart in their order, each value kept once."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.files.ahead import ahead
from pipelines.warehouse.base import Reading, identifier

ROWS_AT_ONCE = 40_000
ROWS_FIRST = 1_000
"""Most columns that differ somewhere do so among these."""
FEW = 100
"""Amounts of which there are no more among the first rows are prices, and the same in many."""
IN_ORDER = " in order"
"""What the name of a column ends in that sorts the rows beside one that is read as text."""


class Rows:
    """The rows of a file, in its order.

    Most columns of a bill are the same in all its rows, and many amounts are another one again:
    these are not read. What a bill says in words, days and kinds is little, in many rows: each
    value of a column is kept once, with its number in the rows, and rows are sorted by numbers.

    Args:
        values: Column of the file -> SQL of its value.
        source: What the values are of, from `from` on.
        order: Columns of the source that sort the rows.
        alike: Column -> the one whose values it may have in every row.
        parameters: Of the SQL.

    Attributes:
        schema: Of the file.
        count: How many rows there are.
        same: Column -> the value that it has in every row.
        copies: Column -> the column whose values it has in every row.
    """

    def __init__(
        self,
        marts: Reading,
        values: Mapping[str, str],
        source: str,
        *,
        order: Sequence[str] = (),
        alike: Mapping[str, str] | None = None,
        **parameters: Any,
    ) -> None:
        self._marts, self._values, self._source = marts, values, source
        self._parameters = parameters
        first = marts.batches(self._asked(f"limit {ROWS_FIRST}"), **parameters).read_all()
        self.schema: pa.Schema = first.schema
        pairs = {
            name: other
            for name, other in (alike or {}).items()
            if {name, other} <= values.keys() and first.column(name).equals(first.column(other))
        }
        values_of_first = {
            name: pc.count_distinct(first.column(name), "all").as_py() for name in values
        }
        self.count, equal = self._counted(pairs)
        likely = [name for name, count in values_of_first.items() if count == 1]
        self.same = self._same({name: first.column(name)[0] for name in likely})
        self.copies = {name: pairs[name] for name in equal if name not in self.same}
        self._order = [name for name in order if name not in self.same]
        self._varying = [name for name in values if name not in {*self.same, *self.copies}]
        self._few = {name for name, count in values_of_first.items() if count <= FEW}

    def _counted(self, pairs: Mapping[str, str]) -> tuple[int, list[str]]:
        """How many rows there are, and of these pairs the first of those that are alike in all."""
        counts = ["count(*)"]
        for pair in pairs.items():
            one, other = (self._values[name] for name in pair)
            counts.append(f"count(case when {one} is distinct from {other} then 1 end)")
        answer = self._marts.query(f"select {', '.join(counts)} {self._source}", **self._parameters)
        [(count, *unlike)] = answer.fetchall()
        return count, [name for name, rows in zip(pairs, unlike, strict=True) if not rows]

    def _same(self, likely: dict[str, pa.Scalar]) -> dict[str, pa.Scalar]:
        """Those of these values that their columns have in every row.

        Rows that have them all are counted from what the database keeps of whole blocks; where some
        do not, any of these tells of columns that vary.
        """
        same = dict(likely)
        while same:
            known = {
                f"same_{number}": value.as_py()
                for number, value in enumerate(same.values())
                if value.is_valid
            }
            tests = [
                f"{identifier(name)} = $same_{number}"
                if value.is_valid
                else f"{identifier(name)} is null"
                for number, (name, value) in enumerate(same.items())
            ]
            answer = self._marts.query(
                f"select count(*) from ({self._asked()}) as asked where {' and '.join(tests)}",
                **self._parameters,
                **known,
            )
            [(count,)] = answer.fetchall()
            if count == self.count:
                break
            other = self._marts.batches(
                f"select * from ({self._asked()}) as asked"
                f" where {' or '.join(f'({test}) is not true' for test in tests)} limit 1",
                **self._parameters,
                **known,
            ).read_all()
            same = {
                name: value
                for name, value in same.items()
                if other.num_rows and other.column(name)[0].as_py() == value.as_py()
            }
        return same

    def columns(self, *, decimals_as_text: bool = False) -> dict[str, pa.Array]:
        """The columns that vary, sorted: numbers, text of decimals if wanted, or dictionaries."""
        # Of rows that are all alike, one column says how many there are.
        names = self._varying or list(self._values)[:1]
        keys, cells = {}, {}
        for name in names:
            sql = self._values[name]
            is_amount = pa.types.is_decimal(self.schema.field(name).type)
            if decimals_as_text and is_amount and name not in self._few:
                cells[name] = f"cast({sql} as varchar)"
            else:
                cells[name] = sql
                keys[sql] = name
        for name in map(identifier, self._order):
            if name not in keys:
                keys[name] = name + IN_ORDER
                cells[keys[name]] = name
        listed = ", ".join(f"{sql} as {identifier(name)}" for name, sql in cells.items())
        read = self._marts.batches(
            f"select {listed} {self._source}", size=ROWS_AT_ONCE, **self._parameters
        )
        texts = {name for name in names if name not in keys.values()}
        kept = [*ahead(partial(_numbered, texts=texts, few=self._few), read)]
        if not kept:
            return {name: pa.array([], self.schema.field(name).type) for name in names}
        rows = pa.Table.from_batches(kept).unify_dictionaries()
        del read, kept
        found = None
        if self._order:
            ranks = {name: _rank(_whole(rows, keys[identifier(name)])) for name in self._order}
            by = [(name, "ascending") for name in ranks]
            found = pc.sort_indices(pa.table(ranks), sort_keys=by)
            del ranks
        chosen = rows.select(names)
        del rows

        def ordered(column: pa.ChunkedArray) -> pa.Array:
            whole = pa.concat_arrays(column.chunks)
            return whole if found is None else whole.take(found)

        return dict(zip(names, ahead(ordered, _each(chosen)), strict=True))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All columns of the rows."""
        columns = self.columns()
        for start in range(0, self.count, ROWS_AT_ONCE):
            size = min(ROWS_AT_ONCE, self.count - start)
            yield pa.RecordBatch.from_pydict(
                {
                    name: pa.repeat(self.same[name], size)
                    if name in self.same
                    else columns[self.copies.get(name, name)].slice(start, size)
                    for name in self._values
                }
            )

    def _asked(self, more: str = "") -> str:
        cells = ", ".join(f"{sql} as {identifier(name)}" for name, sql in self._values.items())
        return f"select {cells} {self._source} {more}"


def _numbered(batch: pa.RecordBatch, texts: set[str], few: set[str]) -> pa.RecordBatch:
    """Each value of a column once, but of numbers that are many and of these texts, which are
    seldom alike."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        is_amount = pa.types.is_decimal(column.type) and name not in few
        is_number = pa.types.is_integer(column.type) or is_amount
        # A column as it was read holds the memory of its whole batch: joined to nothing, it is new.
        columns[name] = (
            pa.concat_arrays([column, column.slice(0, 0)])
            if is_number or name in texts
            else column.dictionary_encode()
        )
    return pa.RecordBatch.from_pydict(columns)


def _each(rows: pa.Table) -> Iterator[pa.ChunkedArray]:
    """One column after the other; the memory of each is free when it was used."""
    while rows.num_columns:
        yield rows.column(0)
        rows = rows.remove_column(0)


def _whole(rows: pa.Table, name: str) -> pa.Array:
    return pa.concat_arrays(rows.column(name).chunks)


def _rank(column: pa.Array) -> pa.Array:
    """Numbers that sort as the column's values do."""
    if not pa.types.is_dictionary(column.type):
        return column
    values = column.dictionary
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.int8())
    return pc.rank(values, tiebreaker="dense").cast(pa.int32()).take(column.indices)
