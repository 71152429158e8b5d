"""A month's chargeback as a workbook that people send: who it is for, what it says, what is not
final."""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from pipelines.files.outputs import SHEET
from pipelines.warehouse.base import Reading, Row

POOLS = {
    "metered": "Use by people",
    "shared": "Shared use",
    "seats": "Seats",
    "unexplained": "Not explained",
}
"""Cost pool -> what a reader calls it."""
AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
LONGEST_NAME = 31
"""Letters of a sheet's name in Excel."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column of the statement: what stands over it, how wide it is, and what it shows."""

    text: str
    width: int
    value: Callable[[Row], Any]
    is_added_up: bool = False


HEADS = (
    Head(text="Department", width=28, value=lambda row: row["department"]),
    Head(text="Cost center", width=14, value=lambda row: row["cost_center"]),
    Head(
        text="What for", width=16, value=lambda row: POOLS.get(row["cost_pool"], row["cost_pool"])
    ),
    Head(text="Amount (USD)", width=16, value=lambda row: row["amount_usd"], is_added_up=True),
    Head(
        text="At list price (USD)",
        width=18,
        value=lambda row: row["list_price_usd"],
        is_added_up=True,
    ),
    Head(text="Seats", width=8, value=lambda row: row["seat_count"]),
    Head(text="Active people", width=14, value=lambda row: row["active_user_count"]),
    Head(text="Split by", width=16, value=lambda row: row["allocation_method"]),
    Head(
        text="Corrects",
        width=12,
        value=lambda row: row["corrected_month"] and f"{row['corrected_month']:%Y-%m}",
    ),
    Head(text="Final", width=8, value=lambda row: "yes" if row["is_settled"] else "not yet"),
)


def write_statement(marts: Reading, month: date, file: Path, *, by_department: bool) -> int:
    """Write the month's lines, their totals and notes; with a sheet for each department, if
    wanted. How many lines there are."""
    lines = marts.rows(
        """
        select * from chargeback_monthly where month = $month
        order by department, cost_center, cost_pool, corrected_month
        """,
        month=month,
    )
    about = _about(marts, month, lines)
    notes = _notes(marts, month, lines)
    content = io.BytesIO()  # It would leave a trace where a disk is full.
    with xlsxwriter.Workbook(content, {"in_memory": True, **AS_TEXT}) as workbook:
        _sheet(workbook, SHEET, about, lines, notes)
        if by_department:
            names = {SHEET.casefold()}
            for department in dict.fromkeys(row["department"] for row in lines):
                own = [row for row in lines if row["department"] == department]
                head = [*about, ("Department", department)]
                _sheet(workbook, _sheet_name(department, names), head, own, notes)
    file.write_bytes(content.getvalue())
    return len(lines)


def _about(marts: Reading, month: date, lines: Sequence[Row]) -> list[tuple[str, str]]:
    state = "closed" if any(row["is_closed"] for row in lines) else "open"
    return [
        ("Organisation", _organisation(marts)),
        ("Month", f"{month:%B %Y}"),
        ("State", f"{state}, {'final' if _is_final(lines) else 'not final'}"),
    ]


def _organisation(marts: Reading) -> str:
    """Its name, or else its id, as FOCUS has it."""
    if not marts.has("focus_cost_and_usage", "BillingAccountName", "BillingAccountId"):
        return "not known"
    row = marts.row(
        "select max(BillingAccountName) as name, max(BillingAccountId) as id"
        " from focus_cost_and_usage"
    )
    return str((row and (row["name"] or row["id"])) or "not known")


def _is_final(lines: Sequence[Row]) -> bool:
    return all(row["is_settled"] and row["amount_usd"] is not None for row in lines)


def _notes(marts: Reading, month: date, lines: Sequence[Row]) -> list[str]:
    """What a reader has to know of the numbers, what is not final first."""
    after = (month + timedelta(days=31)).replace(day=1)
    days = (after - month).days
    covered = [row["covered_days"] for row in lines if row["cost_pool"] != "seats"]
    notes = []
    if not _is_final(lines):
        known = (
            f"cost of {min(covered)} of {days} days is loaded" if covered else "no cost is loaded"
        )
        notes.append(
            f"Not final: {known}, and the vendor may correct it until "
            f"{after + timedelta(days=29):%Y-%m-%d}."
        )
        if any(row["cost_pool"] == "seats" and not row["is_settled"] for row in lines):
            notes.append("Seats are those expected of the whole month until it has ended.")
    if marts.has("chargeback_reconciliation_monthly", "note"):
        unknown = marts.rows(
            "select cost_pool, note from chargeback_reconciliation_monthly"
            " where month = $month and note is not null order by cost_pool",
            month=month,
        )
        notes += [
            f"{POOLS.get(row['cost_pool'], row['cost_pool'])}: {row['note']}" for row in unknown
        ]
    if any(row["is_closed"] for row in lines):
        notes.append("The month is closed: what changes in it later is charged in a later month.")
    notes += [
        "US dollars after discount and before credits.",
        "Who was in two departments in the month is an active person of both: do not add them up.",
    ]
    return notes


def _sheet(
    workbook: xlsxwriter.Workbook,
    name: str,
    about: Sequence[tuple[str, str]],
    lines: Sequence[Row],
    notes: Sequence[str],
) -> None:
    """Title, whose it is, a total for each pool, the lines, the notes."""
    sheet = workbook.add_worksheet(name)
    title = workbook.add_format({"bold": True, "font_size": 16})
    bold = workbook.add_format({"bold": True})
    head = workbook.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    money = workbook.add_format({"num_format": "#,##0.00"})
    total = workbook.add_format({"num_format": "#,##0.00", "bold": True, "top": 1})
    for column, each in enumerate(HEADS):
        sheet.set_column(column, column, each.width)
    sheet.write_string(0, 0, "Claude: statement of costs", title)
    row = 1
    for label, text in about:
        row += 1
        sheet.write_string(row, 0, label, bold)
        sheet.write_string(row, 1, text)
    row += 1
    for pool, amount in _totals(lines).items():
        row += 1
        sheet.write_string(row, 0, POOLS.get(pool, pool))
        _write(sheet, row, 3, amount, money)
    row += 1
    sheet.write_string(row, 0, "Total", total)
    for column in (1, 2):
        sheet.write_blank(row, column, None, total)
    _write(sheet, row, 3, _sum([each["amount_usd"] for each in lines]), total)
    row += 2
    for column, each in enumerate(HEADS):
        sheet.write_string(row, column, each.text, head)
    first = row
    for line in lines:
        row += 1
        for column, each in enumerate(HEADS):
            _write(sheet, row, column, each.value(line), money)
    sheet.autofilter(first, 0, row, len(HEADS) - 1)
    row += 1
    for column, each in enumerate(HEADS):
        if each.is_added_up:
            _write(sheet, row, column, _sum([each.value(line) for line in lines]), total)
        else:
            sheet.write_string(row, column, "Total" if column == 0 else "", total)
    row += 2
    sheet.write_string(row, 0, "Notes", bold)
    for note in notes:
        row += 1
        sheet.write_string(row, 0, note)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _totals(lines: Sequence[Row]) -> Mapping[str, Decimal | None]:
    pools = [pool for pool in POOLS if any(line["cost_pool"] == pool for line in lines)]
    return {
        pool: _sum([line["amount_usd"] for line in lines if line["cost_pool"] == pool])
        for pool in pools
    }


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    """None where one of them is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None


def _write(
    sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: Any, form: Any
) -> None:
    """Amounts are shown in cents and kept to the last digit that Excel has."""
    match value:
        case None:
            return
        case Decimal():
            sheet.write_number(row, column, float(value), form)
        case int():
            sheet.write_number(row, column, value)
        case _:
            sheet.write_string(row, column, str(value))


def _sheet_name(department: str, taken: set[str]) -> str:
    """A name that Excel allows, and no other sheet has."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", department).strip("' ") or "Department"
    name, number = plain[:LONGEST_NAME], 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[: LONGEST_NAME - len(str(number)) - 1]} {number}"
    taken.add(name.casefold())
    return name
