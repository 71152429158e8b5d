"""Writes a month of a mart to a file, from the copy that readers have."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import xlsxwriter

from pipelines.evidence import FORMULA_STARTS
from pipelines.outputs import SHEET, Kind, replaced
from pipelines.warehouse.served import connected
from sources.errors import ForeseenError

Writer = Callable[[duckdb.DuckDBPyRelation, Path], None]


def _parquet(rows: duckdb.DuckDBPyRelation, file: Path) -> None:
    rows.write_parquet(str(file), compression="zstd")


def _csv(rows: duckdb.DuckDBPyRelation, file: Path) -> None:
    """Moments as FOCUS wants them, ISO 8601 in UTC. Text that a spreadsheet would run gets an
    apostrophe before it."""
    starts = ", ".join(f"chr({ord(start)})" for start in FORMULA_STARTS)
    cells = (
        f'case when left("{name}", 1) in ({starts}) then chr(39) else \'\' end || "{name}"'
        f' as "{name}"'
        if str(kind) == "VARCHAR"
        else f'"{name}"'
        for name, kind in zip(rows.columns, rows.types, strict=True)
    )
    guarded = rows.project(", ".join(cells))
    guarded.write_csv(str(file), header=True, timestamp_format="%Y-%m-%dT%H:%M:%SZ")


def _xlsx(rows: duckdb.DuckDBPyRelation, file: Path) -> None:
    """One sheet. Text stays text: what begins with = + - @ is no formula, and 00420 no number."""
    as_text = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    content = io.BytesIO()  # It would leave a trace where a disk is full.
    with xlsxwriter.Workbook(content, {"in_memory": True, **as_text}) as workbook:
        sheet = workbook.add_worksheet(SHEET)
        head = workbook.add_format({"bold": True, "bottom": 1})
        day = workbook.add_format({"num_format": "yyyy-mm-dd"})
        money = workbook.add_format({"num_format": "#,##0.00000000"})
        sheet.freeze_panes(1, 0)
        for column, name in enumerate(rows.columns):
            sheet.set_column(column, column, max(12, len(name) + 2))
            sheet.write_string(0, column, name, head)
        for number, row in enumerate(rows.fetchall(), start=1):
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
        sheet.autofilter(0, 0, max(len(rows), 1), len(rows.columns) - 1)
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


def export(served: Path, what: Export, month: date, form: str, file: Path) -> int:
    """How many rows of the month are in the file now; the file is complete, or as it was before.

    Raises:
        ForeseenError: Nothing is published, the month is not in it, or the file cannot be written.
    """
    with connected(served) as opened:
        marts = opened.connection
        table = f"claude_marts.{what.mart}"
        try:
            months = marts.sql(
                f"select distinct cast({what.month} as date) from {table} order by 1"
            )
            known = [known for (known,) in months.fetchall()]
        except duckdb.CatalogException:
            known = []
        if month not in known:
            there = f"It has {known[0]:%Y-%m} to {known[-1]:%Y-%m}" if known else "It has no month"
            raise ForeseenError(
                f"There is no {what.name} of {month:%Y-%m} in {served}.\n"
                f"{there}; a month is there once a day of its cost or its seats is loaded.\n"
                "Check the month, or run: claude-warehouse sync"
            )
        rows = marts.sql(f"from {table} where cast({what.month} as date) = date '{month}'")
        rows = rows.order(", ".join(f'"{name}"' for name in [*what.order, *rows.columns]))
        with replaced(file, f"The {what.name}") as part:
            WRITERS[form](rows, part)
        [(count,)] = marts.execute(
            f"select count(*) from {table} where cast({what.month} as date) = ?", [month]
        ).fetchall()
    return int(count)
