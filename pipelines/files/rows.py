"""What a file is written from: rows of a mart in their order, each value asked for once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipelines.warehouse.base import Reading, identifier

ROWS_AT_ONCE = 100_000


class Rows:
    """The rows of a file, in its order.

    Most columns of a bill are the same in all its rows, and many amounts are another one again:
    these are neither sorted nor asked for row by row, but told once.

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
        first = marts.batches(self._one(), **parameters).read_all()
        self.schema: pa.Schema = first.schema
        pairs = {
            name: other
            for name, other in (alike or {}).items()
            if {name, other} <= values.keys()
            and self.schema.field(name).type == self.schema.field(other).type
        }
        self.count, same, equal = self._compared(first, pairs)
        self.same = {name: first.column(name)[0] for name in same if first.num_rows}
        self.copies = {name: pairs[name] for name in equal if name not in self.same}
        self._order = [identifier(name) for name in order if name not in self.same]
        self._varying = [name for name in values if name not in {*self.same, *self.copies}]

    def _compared(
        self, first: pa.Table, pairs: Mapping[str, str]
    ) -> tuple[int, list[str], list[str]]:
        """How many rows there are, the columns that are in all of them as in the first, and of
        these pairs the first of those that are alike."""
        counts = ["count(*)"]
        for column in first.column_names:
            name = identifier(column)
            other = f"case when every_row.{name} is distinct from one_row.{name} then 1 end"
            is_null = first.num_rows and not first.column(column)[0].is_valid
            counts.append(f"count(every_row.{name})" if is_null else f"count({other})")
        for pair in pairs.items():
            one, other = (f"every_row.{identifier(name)}" for name in pair)
            counts.append(f"count(case when {one} is distinct from {other} then 1 end)")
        answer = self._marts.query(
            f"select {', '.join(counts)} from ({self._select(first.column_names)}) as every_row"
            f" cross join ({self._one()}) as one_row",
            **self._parameters,
        )
        [(count, *unlike)] = answer.fetchall()
        of_one, of_two = unlike[: first.num_columns], unlike[first.num_columns :]
        same = [name for name, rows in zip(first.column_names, of_one, strict=True) if not rows]
        equal = [name for name, rows in zip(pairs, of_two, strict=True) if not rows]
        return count, same, equal

    def having(self, conditions: Mapping[str, str]) -> set[str]:
        """The columns of which a value in some row fulfils the SQL."""
        if not conditions:
            return set()
        # Of each value once: a bill has few.
        counts = (
            f"(select count(*) from (select distinct {identifier(name)}"
            f" from ({self._select([name])}) as every_row) as every_value where {sql})"
            f" as {identifier(name)}"
            for name, sql in conditions.items()
        )
        found = self._marts.row(f"select {', '.join(counts)}", **self._parameters) or {}
        return {name for name, values in found.items() if values}

    def one(self, values: Mapping[str, str]) -> Mapping[str, Any]:
        """Name -> SQL over the columns, as the values of one of the rows."""
        if not values:
            return {}
        select = ", ".join(f"{sql} as {identifier(name)}" for name, sql in values.items())
        found = self._marts.row(
            f"select {select} from ({self._one()}) as one_row", **self._parameters
        )
        return found or {}

    def batches(self, values: str = "*", *, size: int = ROWS_AT_ONCE) -> Any:
        """The columns that vary as Arrow, or SQL over them, in the order of the file."""
        # Of rows that are all alike, one column says how many there are.
        sql = self._select(self._varying or list(self._values)[:1])
        if self._order:
            sql += f" order by {', '.join(self._order)}"
        return self._marts.batches(
            f"select {values} from ({sql}) as rows_asked", size=size, **self._parameters
        )

    def whole_batches(self) -> Iterator[pa.RecordBatch]:
        """All columns of the rows."""
        for batch in self.batches():
            columns = []
            for field in self.schema:
                if field.name in self.same:
                    columns.append(pa.repeat(self.same[field.name], len(batch)))
                else:
                    columns.append(batch.column(self.copies.get(field.name, field.name)))
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _select(self, names: Sequence[str]) -> str:
        cells = ", ".join(f"{self._values[name]} as {identifier(name)}" for name in names)
        return f"select {cells} {self._source}"

    def _one(self) -> str:
        return f"{self._select(list(self._values))} limit 1"
