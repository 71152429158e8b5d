"""What the dashboards show: edit this file to add a chart."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How Superset draws a chart; its name for it."""

    NUMBER = "big_number"
    LINE = "echarts_timeseries_line"
    BAR = "echarts_timeseries_bar"
    TABLE = "table"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart of metrics that are of one dataset.

    Attributes:
        by: Columns, a series for each of their values; of a table, a row.
        per: The periods that it shows: day, week or month.
        before: Of a number, how many periods before it is compared with.
        stacked: Whether the series are added up, which only parts of a sum are.
        width: Of the 12 columns of a dashboard.
        note: Beneath the definitions of its metrics.
    """

    title: str
    kind: Kind
    metrics: Sequence[str]
    per: str
    by: Sequence[str] = ()
    before: int | None = None
    stacked: bool = False
    width: int = 6
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Charts in rows, with filters.

    Attributes:
        filters: Titles of filters, and the column of a dataset that each is about.
    """

    name: str
    title: str
    text: str
    rows: Sequence[Sequence[Chart]]
    filters: Sequence[tuple[str, str, str]] = ()

    @property
    def charts(self) -> list[Chart]:
        return [chart for row in self.rows for chart in row]


def _number(title: str, metric: str, per: str, before: int | None, width: int = 2) -> Chart:
    return Chart(
        title=title, kind=Kind.NUMBER, metrics=[metric], per=per, before=before, width=width
    )


ADOPTION = Dashboard(
    name="adoption",
    title="Claude: adoption",
    text=(
        "Numbers of people are those of the newest day or month, or counted anew for each bar: "
        "never add them up. Days and months that are not wholly loaded are gaps, not zeros."
    ),
    filters=[("Product", "user_product_activity_daily", "product")],
    rows=[
        [
            _number("Active: 1 day", "dau", "day", 7),
            _number("7 days", "wau", "day", 7),
            _number("30 days", "mau", "day", 30),
            _number("Stickiness", "stickiness", "day", 7),
            _number("Seats", "seats", "day", 30),
            _number("Seats in use", "utilization", "day", 30),
        ],
        [
            Chart(
                title="Active people, in 1, 7 and 30 days",
                kind=Kind.LINE,
                metrics=["dau", "wau", "mau"],
                per="day",
                width=8,
            ),
            Chart(
                title="Seats, and who used them in 30 days",
                kind=Kind.LINE,
                metrics=["seats", "mau"],
                per="day",
                width=4,
            ),
        ],
        [
            Chart(
                title="Active people by product, per month",
                kind=Kind.BAR,
                metrics=["active_people"],
                per="month",
                by=["product"],
                note="Somebody who uses two products is in both bars.",
            ),
            Chart(
                title="Active people by department, per month",
                kind=Kind.BAR,
                metrics=["active_by_department"],
                per="month",
                by=["department"],
            ),
        ],
        [
            Chart(
                title="Messages by product, per week",
                kind=Kind.BAR,
                metrics=["messages_sent"],
                per="week",
                by=["product"],
                stacked=True,
                width=12,
            ),
        ],
    ],
)  # fmt: skip
MONEY = Dashboard(
    name="money",
    title="Claude: money",
    text=(
        "US dollars, after discount and before credits. A month that still runs has its whole "
        "seat fees, and the spend so far."
    ),
    filters=[("Department", "chargeback_monthly", "department")],
    rows=[
        [
            _number("Newest bill, so far", "bill", "month", None, width=3),
            _number("Expected at its end", "expected_bill", "month", 1, width=3),
            _number("Its budget", "budget", "month", None, width=3),
            _number("Cost per active person", "cost_per_active_person", "month", 1, width=3),
        ],
        [
            Chart(
                title="Bill by pool, per month",
                kind=Kind.BAR,
                metrics=["bill"],
                per="month",
                by=["cost_pool"],
                stacked=True,
                width=5,
            ),
            Chart(
                title="Spend beyond seats by product, per week",
                kind=Kind.BAR,
                metrics=["spend"],
                per="week",
                by=["product"],
                stacked=True,
                width=7,
            ),
        ],
        [
            Chart(
                title="Bill by department, per month",
                kind=Kind.BAR,
                metrics=["bill"],
                per="month",
                by=["department"],
                stacked=True,
            ),
            Chart(
                title="Spend beyond seats by model, per week",
                kind=Kind.BAR,
                metrics=["spend"],
                per="week",
                by=["model"],
                stacked=True,
            ),
        ],
        [
            Chart(
                title="Open months by cost center: expected, and budget",
                kind=Kind.TABLE,
                metrics=["expected_bill", "budget"],
                per="month",
                by=["month", "cost_center"],
            ),
            Chart(
                title="Cost per active person, per month",
                kind=Kind.LINE,
                metrics=["cost_per_active_person"],
                per="month",
                note="Months that are not wholly loaded are gaps.",
            ),
        ],
    ],
)  # fmt: skip
DASHBOARDS = (ADOPTION, MONEY)
