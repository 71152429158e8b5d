"""What every section builds on: the context, the days of a mart, definitions, absence."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines import wording
from pipelines.headlines import Headline
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
from pipelines.warehouse.base import Reading, Row
from pipelines.wording import Unit

MOST_BARS = 12
"""Bars of one chart; the table beneath has them all."""


@dataclass(frozen=True)
class Context:
    """What every part may look at.

    Attributes:
        min_group_size: People below which a project's name, which may be a person's, is not shown.
    """

    served: Reading
    headlines: Mapping[str, Headline]
    last_run: dict[str, Any] | None
    with_people: bool
    min_group_size: int


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
        with

        days as (
            select cast(unnest(generate_series(
                (select min(activity_date) from {mart}),
                (select max(activity_date) from {mart}),
                interval 1 day
            )) as date) as activity_date
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


def months(context: Context, mart: str, what: str, title: str) -> list[Part]:
    """A monthly mart with one row per month as a table: a line per number, a column per month."""
    served = context.served
    absent = needs(served, what, mart, "month")
    if absent:
        return absent
    months = served.rows(f"select * from {mart} order by month desc limit 6")[::-1]
    columns = [
        column
        for column in served.columns[mart]
        if column not in ("month", "covered_days", "covered_days_in_month", "days_in_month")
        and any(is_number(row[column]) for row in months)
    ]
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
            text="A dash: not known, for example because the month is not loaded whole.",
            table=Table(
                caption=f"{what}, by month",
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


def or_unknown(value: int | None) -> str:
    return "not known" if value is None else wording.number(value)


E_MAIL = re.compile(r"[^\s@<>()]+@[^\s@<>()]+\.[^\s@<>()]+")


def public(context: Context, text: str) -> str:
    """A freely chosen text, without the e-mails that stand in it unless people may be named."""
    return text if context.with_people else E_MAIL.sub("(e-mail)", text)
