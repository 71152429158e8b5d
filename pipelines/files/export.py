"""Writes a month of a mart to a file, from the copy that readers have."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipelines.files import formats
from pipelines.files.ahead import ahead
from pipelines.files.evidence import FORMULA_STARTS
from pipelines.files.outputs import FOCUS_SHEET, Kind, replaced
from pipelines.files.rows import Rows
from pipelines.files.statement import AS_TEXT, write_statement
from pipelines.warehouse.base import Reading, Warehouse, identifier
from sources.errors import ForeseenError

Writer = Callable[[Rows, Path], pa.Schema]
"""Writes rows to a file; says the columns' types."""

LINES_AT_ONCE = 4_000
MOST_WAYS = 50_000
"""In which columns may go together, to be put together once and not in every line."""
ROWS_OF_A_GROUP = 250_000
"""Of a Parquet file: each has all texts of the file, and readers take one at a time."""
MOST_ROWS = 1_048_575
"""Rows of a sheet in Excel, below its heads."""
QUOTED = '"#,\n\r'
"""Characters for which a cell of a CSV file stands in quotes; an empty text does, too."""


def _parquet(rows: Rows, file: Path) -> pa.Schema:
    """Moments say that they are in UTC: readers with a zone of their own would take theirs."""
    schema = pa.schema(
        [
            field.with_type(pa.timestamp("us", tz="UTC")) if _is_moment(field) else field
            for field in rows.schema
        ]
    )
    columns = rows.columns()
    first = pa.repeat(pa.scalar(0, pa.int32()), rows.count)
    table, alike = {}, []
    for field in schema:
        name = field.name
        if name not in rows.same:
            column = columns[rows.copies.get(name, name)]
        elif rows.same[name].is_valid and _is_text(field):
            column = pa.DictionaryArray.from_arrays(first, pa.repeat(rows.same[name], 1))
        else:
            column = pa.repeat(rows.same[name], rows.count)
        # Amounts are seldom alike: to look for those that are takes longer than to write them.
        if not pa.types.is_decimal(column.type):
            alike.append(name)
        # Text goes into the file as it is kept, each value once.
        table[name] = column if _is_text(field) else column.cast(field.type)
    # Rows are sorted by their moments: bounds of other columns let a reader leave out nothing.
    bounded = [field.name for field in schema if _is_moment(field)]
    whole = pa.table(table)
    with pq.ParquetWriter(
        file,
        whole.schema,
        compression="zstd",
        use_dictionary=alike,
        write_statistics=bounded,
        store_schema=False,
    ) as writer:
        writer.write_table(whole, row_group_size=ROWS_OF_A_GROUP)
    return schema


def _csv(rows: Rows, file: Path) -> pa.Schema:
    """Moments as FOCUS wants them, ISO 8601 in UTC. Text that a spreadsheet would run gets an
    apostrophe before it. A value that is in many rows becomes a cell once."""
    columns = {name: _cells(column) for name, column in rows.columns(decimals_as_text=True).items()}
    cells = [
        _csv_cell(rows.same[name].as_py())
        if name in rows.same
        else columns[rows.copies.get(name, name)]
        for name in rows.schema.names
    ]
    del columns
    parts = _parts(cells)
    with file.open("wb") as out:
        out.write(f"{','.join(rows.schema.names)}\n".encode())
        if len(parts) == 1 and isinstance(parts[0], str):  # All rows are alike, as a single one is.
            out.write(parts[0].encode() * rows.count)
            return rows.schema
        for lines in ahead(partial(_lines, parts), range(0, rows.count, LINES_AT_ONCE)):
            out.write(_together(lines))
    return rows.schema


def _lines(parts: Sequence[str | pa.Array], start: int) -> pa.Array:
    """Some lines of the file, from the one with this number on."""
    line = [
        part if isinstance(part, str) else _texts(part.slice(start, LINES_AT_ONCE))
        for part in parts
    ]
    return pc.binary_join_element_wise(*line, "")


def _cells(column: pa.Array) -> pa.Array:
    """The column with the cells that stand for its values."""
    if not pa.types.is_dictionary(column.type):
        return column
    texts = [_csv_cell(value) for value in column.dictionary.to_pylist()]
    numbers = column.indices.fill_null(len(texts))
    return pa.DictionaryArray.from_arrays(numbers, pa.array([*texts, ""], pa.string()))


def _parts(cells: Sequence[str | pa.Array]) -> list[str | pa.Array]:
    """What lines are put together of: columns, and what stands between them in every line.

    Kinds, names and days that stand side by side go together in few ways, and become one column.
    """
    parts: list[str | pa.Array] = [""]
    for number, cell in enumerate(cells):
        parts[-1:] = _beside(parts[-1], "," if number else "")
        parts[-1:] = _beside(parts[-1], cell)
    parts[-1:] = _beside(parts[-1], "\n")
    return parts


def _beside(left: str | pa.Array, right: str | pa.Array) -> list[str | pa.Array]:
    """Both as one, where it holds few texts, each once."""
    if not (_is_short(left) and _is_short(right)):
        return [left, right]
    if isinstance(left, str):
        if isinstance(right, str):
            return [left + right]
        return [_with_texts(right, left, right.dictionary)]
    if isinstance(right, str):
        return [_with_texts(left, left.dictionary, right)]
    many = len(right.dictionary)
    numbers = pc.multiply(left.indices.cast(pa.int64()), many)
    ways = pc.add(numbers, right.indices.cast(pa.int64())).dictionary_encode()
    if len(ways.dictionary) > MOST_WAYS:
        return [left, right]
    of_left = pc.divide(ways.dictionary, many)
    of_right = pc.subtract(ways.dictionary, pc.multiply(of_left, many))
    return [_with_texts(ways, left.dictionary.take(of_left), right.dictionary.take(of_right))]


def _with_texts(column: pa.DictionaryArray, *parts: str | pa.Array) -> pa.Array:
    """The column with other texts, each put together of parts."""
    texts = pc.binary_join_element_wise(*parts, "")
    return pa.DictionaryArray.from_arrays(column.indices, texts)


def _is_short(part: str | pa.Array) -> bool:
    """It stands in every line, or each of its texts is kept once."""
    return isinstance(part, str) or pa.types.is_dictionary(part.type)


def _texts(cells: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        return cells.dictionary.take(cells.indices)
    return cells.cast(pa.string()).fill_null("")


def _together(texts: pa.Array) -> memoryview:
    """All of them, one after the other, as they lie in memory."""
    _, offsets, content = texts.buffers()
    raw = memoryview(offsets).cast("b").cast("i")
    start, end = raw[texts.offset], raw[texts.offset + len(texts)]
    return memoryview(content or b"").cast("b")[start:end]


def _is_moment(field: pa.Field) -> bool:
    return bool(pa.types.is_timestamp(field.type))


def _is_text(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _csv_cell(value: Any) -> str:
    """The text that stands for a value; an empty one is in quotes, because nothing is null."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case str():
            safe = f"'{value}" if value[:1] in FORMULA_STARTS and value else value
            if not value or any(each in value for each in QUOTED):
                return '"' + safe.replace('"', '""') + '"'
            return safe
        case _:
            return str(value)


def _xlsx(rows: Rows, file: Path) -> pa.Schema:
    """One sheet. Text stays text: what begins with = + - @ is no formula, and 00420 no number.
    A row is on the disk before the next is made: a sheet of a million would not fit anywhere."""
    if rows.count > MOST_ROWS:
        raise ForeseenError(
            f"The workbook was not written: {rows.count:,} rows do not fit into a sheet.\n"
            f"Excel has {MOST_ROWS:,} of them.\n"
            "Write Parquet or CSV: --format parquet"
        )
    content = io.BytesIO()  # It would leave a trace where a disk is full.
    with TemporaryDirectory(prefix=".rows-", dir=file.parent) as folder:
        options = {"constant_memory": True, "tmpdir": folder, **AS_TEXT}
        try:
            with xlsxwriter.Workbook(content, options) as workbook:
                _fill(workbook, rows)
        except FileCreateError as error:
            raise OSError(*error.args[0].args) from error
    file.write_bytes(content.getvalue())
    return rows.schema


def _fill(workbook: xlsxwriter.Workbook, rows: Rows) -> None:
    names = rows.schema.names
    sheet = workbook.add_worksheet(FOCUS_SHEET)
    head = workbook.add_format({"bold": True, "bottom": 1})
    day = workbook.add_format({"num_format": "yyyy-mm-dd"})
    moment = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    money = workbook.add_format({"num_format": "#,##0.00000000"})
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(names):
        sheet.set_column(column, column, max(12, len(name) + 2))
        sheet.write_string(0, column, name, head)
    number = 0
    for batch in rows.batches():
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            for column, value in enumerate(values):
                match value:
                    case None:
                        continue
                    case bool():
                        sheet.write_boolean(number, column, value)
                    case datetime():
                        sheet.write_datetime(number, column, value, moment)
                    case date():
                        sheet.write_datetime(number, column, value, day)
                    case Decimal():
                        sheet.write_number(number, column, float(value), money)
                    case int() | float():
                        sheet.write_number(number, column, value)
                    case _:
                        sheet.write_string(number, column, str(value))
    sheet.autofilter(0, 0, max(number, 1), len(names) - 1)


WRITERS: dict[str, Writer] = {"parquet": _parquet, "csv": _csv, "xlsx": _xlsx}


@dataclass(frozen=True, kw_only=True)
class Export:
    """What can be written to a file.

    Attributes:
        name: The word on the command line, and the beginning of the file's name.
        mart: Where the rows come from.
        month: The column that holds a row's month.
        order: Columns that sort the file; the others do after them.
        formats: What it can be written as; the first is the default.
    """

    name: str
    mart: str
    month: str
    order: Sequence[str]
    formats: Sequence[str]

    def kind(self, form: str) -> Kind:
        """What is written in this format."""
        columns = (self.month, *self.order)
        return Kind(name=f"A {self.name} export", form=form, columns=columns)


CHARGEBACK = Export(
    name="chargeback",
    mart="chargeback_monthly",
    month="month",
    order=("department", "cost_center", "cost_pool"),
    formats=formats.CHARGEBACK,
)

FOCUS = Export(
    name="focus",
    mart="focus_cost_and_usage",
    month="BillingPeriodStart",
    order=("ChargePeriodStart", "ServiceName", "ResourceId"),
    formats=formats.FOCUS,
)


FOCUS_PERIODS = Export(
    name="focus-periods",
    mart="focus_billing_periods",
    month="BillingPeriodStart",
    order=("BillingPeriodStatus",),
    formats=formats.FOCUS,
)


def months_of(marts: Reading, mart: str, column: str) -> dict[date, int]:
    """The months that the mart has, with how many rows."""
    if not marts.has(mart, column):
        return {}
    months = marts.query(
        f"select cast({identifier(column)} as date), count(*) from {mart} group by 1 order by 1"
    )
    return dict(months.fetchall())


def no_such_month(
    name: str, month: date, known: Mapping[date, int], place: str | None
) -> ForeseenError:
    there = "It has no month"
    if known:
        there = f"It has {min(known):%Y-%m} to {max(known):%Y-%m}"
    return ForeseenError(
        f"There is no {name} of {month:%Y-%m} in {place}.\n"
        f"{there}; a month is there once a day of its cost or its seats is loaded.\n"
        "Check the month, or run: claude-warehouse sync"
    )


def export(
    warehouse: Warehouse,
    what: Export,
    month: date,
    form: str,
    file: Path,
    *,
    by_department: bool = False,
) -> int:
    """How many rows of the month are in the file now; the file is complete, or as it was before.
    A workbook of chargeback is a statement, if wanted with a sheet for each department.

    Raises:
        ForeseenError: Nothing is published, the month is not in it, or the file cannot be written.
    """
    with warehouse.serve(though_empty=True) as marts:
        known = months_of(marts, what.mart, what.month)
        if month not in known:
            raise no_such_month(what.name, month, known, warehouse.served_place)
        columns = marts.columns[what.mart]
        rows = Rows(
            marts,
            {name: identifier(name) for name in columns},
            f"from {what.mart} where cast({identifier(what.month)} as date) = $month",
            order=[*what.order, *columns],
            month=month,
        )
        with replaced(file, f"The {what.name} export") as part:
            if what is CHARGEBACK and form == "xlsx":
                write_statement(marts, month, part, by_department=by_department)
            else:
                WRITERS[form](rows, part)
    return known[month]
