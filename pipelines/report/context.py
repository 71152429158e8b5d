"""What every section builds on: the context, the days of a mart, definitions, absence."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.reading import wording
from pipelines.reading.headlines import Headline
from pipelines.reading.wording import Unit
from pipelines.report.parts import (
    Absent,
    Definition,
    Part,
    Statement,
    Table,
    amount,
    heading,
    is_number,
)
from pipelines.report.told import Told
from pipelines.warehouse.base import Reading, Row

MOST_BARS = 12
"""Bars of one chart; the table beneath has them all."""


@dataclass(frozen=True)
class Context:
    """What every part may look at.

    Attributes:
        min_group_size: People below which a project's name, which may be a person's, is not shown.
        department: The only department that the page is about; None: everybody.
        earlier: What an earlier report said, against which this one says what changed.
    """

    served: Reading
    headlines: Mapping[str, Headline]
    last_run: dict[str, Any] | None
    with_people: bool
    min_group_size: int
    department: str | None = None
    earlier: Told | None = None

    def of(self, mart: str) -> str:
        """The mart as a query's relation: of the page's department, if it is about one."""
        if self.department is None:
            return mart
        name = self.department.replace("'", "''")
        return f"(select * from {mart} where department = '{name}') as {mart}"


Builder = Callable[[Context], list[Part]]


def needs(served: Reading, what: str, mart: str, *columns: str) -> list[Part]:
    """The sentence that stands for a part whose mart is absent; empty if it is there."""
    if mart not in served.columns:
        return [Absent(f"{what}: the mart {mart} is not published yet. {REBUILD}")]
    missing = [column for column in columns if not served.has(mart, column)]
    if missing:
        names = wording.listed(missing)
        return [Absent(f"{what}: the mart {mart} has no {names} yet. {REBUILD}")]
    return []


REBUILD = "Run claude-warehouse transform with the newest version to build it."


def definitions(served: Reading, mart: str, names: Mapping[str, str]) -> list[Definition]:
    """Column -> name as definitions."""
    return [
        Definition(name, served.definition(mart, column), f"{mart}.{column}")
        for column, name in names.items()
    ]


def calendar(served: Reading, mart: str, columns: Sequence[str]) -> list[Row]:
    """One row per day from the mart's first to its last; a day it does not have is all null."""
    names = ", ".join(columns)
    return served.rows(
        f"""
        with recursive

        ends as (
            select min(activity_date) as first_date, max(activity_date) as last_date from {mart}
        ),

        days as (
            select first_date as activity_date, last_date from ends where first_date is not null
            union all
            select cast(activity_date + 1 as date), last_date from days
            where activity_date < last_date
        )

        select activity_date, {names}
        from days
        left join {mart} using (activity_date)
        order by activity_date
        """
    )


def trimmed(rows: list[Row], columns: Sequence[str]) -> list[Row]:
    """Without the days at both ends of which nothing is known."""
    known = [place for place, row in enumerate(rows) if any(row[c] is not None for c in columns)]
    return rows[known[0] : known[-1] + 1] if known else []


def day_fields(day: date) -> dict[str, object]:
    return {"day": day.isoformat(), "title": wording.weekday(day)}


OF_COVERAGE = (
    "month",
    "month_days",
    "days_in_month",
    "covered_days",
    "covered_days_in_month",
    "cost_covered_days",
)
"""Columns that say how much of a month is loaded, which its heading tells."""


def months(context: Context, mart: str, what: str, title: str) -> list[Part]:
    """A monthly mart with one row per month as a table: a line per number, a column per month."""
    served = context.served
    absent = needs(served, what, mart, "month")
    if absent:
        return absent
    months = served.rows(f"select * from {mart} order by month desc limit 12")
    columns = [
        column
        for column in served.columns[mart]
        if column not in OF_COVERAGE and any(is_number(row[column]) for row in months)
    ]
    # A month of which nothing is known says nothing.
    months = [row for row in months if any(row[column] is not None for column in columns)][:6]
    if not columns:
        return [Absent(f"{what}: no month is loaded whole yet.")]

    def name(row: Row) -> str:
        days = monthrange(row["month"].year, row["month"].month)[1]
        covered = row.get("covered_days")
        partly = f" ({covered} of {days} days)" if covered is not None and covered < days else ""
        return f"{row['month']:%b %Y}{partly}"

    return [
        Statement(
            title=title,
            text="Newest month first. A dash: not known, for example because the month is not "
            "loaded whole.",
            table=Table(
                caption=f"{what}, by month",
                by_month=True,
                columns=["", *(name(row) for row in months)],
                rows=[
                    [
                        heading(column),
                        *(
                            "–" if row[column] is None else amount(column, row[column])
                            for row in months
                        ),
                    ]
                    for column in columns
                ],
            ),
            definitions=definitions(served, mart, {c: heading(c) for c in columns}),
        )
    ]


def rate_text(rate: float | None) -> str:
    """A rate for a tooltip."""
    return "not known" if rate is None else wording.number(rate, Unit.RATE)


def begins(start: float) -> str:
    """What a caption says of a scale that does not begin at 0; empty for one that does."""
    if not start:
        return ""
    return f" The scale does not begin at 0 but at {wording.number(start, Unit.RATE)}."


def or_unknown(value: int | None) -> str:
    return "not known" if value is None else wording.number(value)


E_MAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+")


def public(context: Context, text: str) -> str:
    """A freely chosen text, without the e-mails that stand in it unless people may be named."""
    return text if context.with_people else E_MAIL.sub("(e-mail)", text)
