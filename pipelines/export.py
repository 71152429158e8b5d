"""Writes a month of a mart to a file, from the copy that readers have."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import xlsxwriter

from pipelines.evidence import FORMULA_STARTS
from pipelines.outputs import SHEET, Kind, replaced
from pipelines.warehouse.base import Reading, Warehouse, identifier
from sources.errors import ForeseenError

Writer = Callable[[Reading, str, date, Path], None]
"""Writes what a query gives for its `$month` to a file."""

QUOTED = re.compile(r'["#,\n\r]|^$')
"""What a cell of a CSV file stands in quotes for; an empty text, because nothing is null."""
ROWS_AT_ONCE = 10_000


def _parquet(marts: Reading, query: str, month: date, file: Path) -> None:
    rows = marts.batches(query, month=month)
    with pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)


def _csv(marts: Reading, query: str, month: date, file: Path) -> None:
    """Moments as FOCUS wants them, ISO 8601 in UTC. Text that a spreadsheet would run gets an
    apostrophe before it."""
    rows = marts.query(query, month=month)
    with file.open("w", encoding="utf-8", newline="") as lines:
        lines.write(",".join(column[0] for column in rows.description) + "\n")
        while found := rows.fetchmany(ROWS_AT_ONCE):
            lines.writelines(",".join(map(_csv_cell, row)) + "\n" for row in found)


def _csv_cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case Decimal():
            return f"{value:f}"
        case str():
            text = f"'{value}" if value.startswith(FORMULA_STARTS) else value
            return '"' + text.replace('"', '""') + '"' if QUOTED.search(text) else text
    return str(value)


def _xlsx(marts: Reading, query: str, month: date, file: Path) -> None:
    """One sheet. Text stays text: what begins with = + - @ is no formula, and 00420 no number."""
    answer = marts.query(query, month=month)
    names, rows = [column[0] for column in answer.description], answer.fetchall()
    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    content = io.BytesIO()  # It would leave a trace where a disk is full.
    with xlsxwriter.Workbook(content, {"in_memory": True, **as_text}) as workbook:
        sheet = workbook.add_worksheet(SHEET)
        head = workbook.add_format({"bold": True, "bottom": 1})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00000000"})
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(names):
            sheet.set_column(column, column, max(12, len(name) + 2))
            sheet.write_string(0, column, name, head)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                match value:
                    case None:
                        continue
                    case bool():
                        sheet.write_boolean(number, column, value)
                    case datetime() | date():
                        sheet.write_datetime(number, column, value, day)
                    case Decimal():
                        sheet.write_number(number, column, float(value), money)
                    case int() | float():
                        sheet.write_number(number, column, value)
                    case _:
                        sheet.write_string(number, column, str(value))
        sheet.autofilter(0, 0, max(len(rows), 1), len(names) - 1)
    file.write_bytes(content.getvalue())


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
    formats=("parquet", "csv"),
)


def export(warehouse: Warehouse, what: Export, month: date, form: str, file: Path) -> int:
    """How many rows of the month are in the file now; the file is complete, or as it was before.

    Raises:
        ForeseenError: Nothing is published, the month is not in it, or the file cannot be written.
    """
    with warehouse.serve(though_empty=True) as marts:
        known: dict[date, int] = {}
        if marts.has(what.mart, what.month):
            months = marts.query(
                f"select cast({identifier(what.month)} as date), count(*) from {what.mart}"
                " group by 1 order by 1"
            )
            known = dict(months.fetchall())
        if month not in known:
            there = "It has no month"
            if known:
                there = f"It has {min(known):%Y-%m} to {max(known):%Y-%m}"
            raise ForeseenError(
                f"There is no {what.name} of {month:%Y-%m} in {warehouse.served_place}.\n"
                f"{there}; a month is there once a day of its cost or its seats is loaded.\n"
                "Check the month, or run: claude-warehouse sync"
            )
        order = ", ".join(map(identifier, [*what.order, *marts.columns[what.mart]]))
        query = (
            f"select * from {what.mart}"
            f" where cast({identifier(what.month)} as date) = $month order by {order}"
        )
        with replaced(file, f"The {what.name} export") as part:
            WRITERS[form](marts, query, month, part)
    return known[month]
