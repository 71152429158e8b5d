"""Writes a month of a mart to a file, from the copy that readers have."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipelines.files.evidence import FORMULA_STARTS
from pipelines.files.outputs import FOCUS_SHEET, Kind, replaced
from pipelines.files.rows import Rows
from pipelines.files.statement import AS_TEXT, write_statement
from pipelines.warehouse.base import Reading, Warehouse, identifier, literal
from sources.errors import ForeseenError

Writer = Callable[[Rows, Path], pa.Schema]
"""Writes rows to a file; says the columns' types."""

LINES_AT_ONCE = 20_000
MOST_ARGUMENTS = 99
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
    # Amounts are seldom alike: to look for those that are takes longer than to write them.
    texts = [field.name for field in schema if _is_text(field)]
    with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=texts) as writer:
        for batch in rows.whole_batches():
            writer.write_batch(batch.cast(schema))
    return schema


def _csv(rows: Rows, file: Path) -> pa.Schema:
    """Moments as FOCUS wants them, ISO 8601 in UTC. Text that a spreadsheet would run gets an
    apostrophe before it. The engine writes the lines: a row in Python costs too much."""
    texts = [field.name for field in rows.schema if _is_text(field)]
    odd = rows.having({name: _is_special(name) for name in texts if name not in rows.same})
    odd |= rows.same.keys()
    cells = {field.name: _csv_cell(field, field.name in odd) for field in rows.schema}
    # What every line has stands in them as it is.
    same = rows.one({name: cells[name] for name in rows.same})
    parts, text = [], ""
    for number, name in enumerate(rows.schema.names):
        text += "," if number else ""
        if name in same:
            text += same[name]
        else:
            parts += [literal(text), cells[rows.copies.get(name, name)]]
            text = ""
    parts.append(literal(f"{text}\n"))
    with file.open("wb") as out:
        out.write(f"{','.join(rows.schema.names)}\n".encode())
        for batch in rows.batches(f"{_joined(parts)} as line", size=LINES_AT_ONCE):
            out.write(_together(batch.column(0)))
    return rows.schema


def _joined(texts: Sequence[str]) -> str:
    """SQL of all these texts one after the other; PostgreSQL takes a hundred at once."""
    if len(texts) <= MOST_ARGUMENTS:
        return f"concat({', '.join(texts)})"
    groups = [texts[n : n + MOST_ARGUMENTS] for n in range(0, len(texts), MOST_ARGUMENTS)]
    return _joined([_joined(group) for group in groups])


def _together(texts: pa.Array) -> memoryview:
    """All of them, one after the other, as they lie in memory."""
    _, offsets, content = texts.buffers()
    raw = memoryview(offsets).cast("b")
    starts = raw.cast("q") if pa.types.is_large_string(texts.type) else raw.cast("i")
    start, end = starts[texts.offset], starts[texts.offset + len(texts)]
    return memoryview(content or b"").cast("b")[start:end]


def _is_moment(field: pa.Field) -> bool:
    return bool(pa.types.is_timestamp(field.type))


def _is_text(field: pa.Field) -> bool:
    return bool(pa.types.is_string(field.type) or pa.types.is_large_string(field.type))


def _csv_cell(field: pa.Field, is_special: bool) -> str:
    """SQL that gives a value as the text that stands for it; an empty text is in quotes, because
    nothing is null."""
    name = identifier(field.name)
    if _is_moment(field):
        text = f"replace(left(cast({name} as varchar), 19), ' ', 'T') || 'Z'"
    elif not _is_text(field):
        text = f"cast({name} as varchar)"
    elif is_special:
        safe = f"case when {_is_run(name)} then {literal(chr(39))} || {name} else {name} end"
        quoted = f"""'"' || replace({safe}, '"', '""') || '"'"""
        text = f"case when {_is_quoted(name)} then {quoted} else {safe} end"
    else:
        text = name
    return f"coalesce({text}, '')"


def _is_special(column: str) -> str:
    """SQL: a text cannot stand in a cell as it is."""
    name = identifier(column)
    return f"{_is_quoted(name)} or {_is_run(name)}"


def _is_quoted(name: str) -> str:
    # Not a pattern: it takes as long as all the rest.
    special = (f"strpos({name}, {literal(each)}) > 0" for each in QUOTED)
    return " or ".join([f"{name} = ''", *special])


def _is_run(name: str) -> str:
    return f"left({name}, 1) in ({', '.join(map(literal, FORMULA_STARTS))})"


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
    for batch in rows.whole_batches():
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
    formats=("csv", "xlsx"),
)

FOCUS = Export(
    name="focus",
    mart="focus_cost_and_usage",
    month="BillingPeriodStart",
    order=("ChargePeriodStart", "ServiceName", "ResourceId"),
    formats=("parquet", "csv", "xlsx"),
)


FOCUS_PERIODS = Export(
    name="focus-periods",
    mart="focus_billing_periods",
    month="BillingPeriodStart",
    order=("BillingPeriodStatus",),
    formats=("parquet", "csv", "xlsx"),
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
