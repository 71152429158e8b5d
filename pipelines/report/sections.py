"""The report's sections, in reading order, and which function draws which chart."""

from typing import Any

from pipelines.headlines import headlines
from pipelines.report import ChartName, adoption, data, money, seats, usage
from pipelines.report.context import Builder, Context
from pipelines.report.parts import Absent, Figure, Section
from pipelines.settings import PrivacySettings, settings
from pipelines.warehouse.base import Reading


def sections(
    served: Reading, last_run: dict[str, Any] | None, *, with_people: bool
) -> list[Section]:
    """Every section with its parts, in reading order."""
    context = _context(served, last_run, with_people)
    return [
        Section(name, title, [part for build in builders for part in build(context)])
        for name, title, builders in SECTIONS
    ]


def figure(
    served: Reading, name: ChartName, last_run: dict[str, Any] | None, *, with_people: bool
) -> Figure | Absent:
    """One chart of the report, or why it cannot be drawn."""
    context = _context(served, last_run, with_people)
    for build in FIGURES[name](context):
        if isinstance(build, Absent) or (isinstance(build, Figure) and build.name == name):
            return build
    return Absent(f"There is nothing to draw for {name} yet.")


def _context(served: Reading, last_run: dict[str, Any] | None, with_people: bool) -> Context:
    smallest = settings(PrivacySettings).min_group_size
    return Context(served, headlines(served), last_run, with_people, smallest)


FIGURES: dict[ChartName, Builder] = {
    ChartName.ACTIVE_PEOPLE: adoption.active_people,
    ChartName.STICKINESS: adoption.stickiness,
    ChartName.PRODUCTS: adoption.products,
    ChartName.GROWTH: adoption.growth,
    ChartName.TEAMS: adoption.teams,
    ChartName.SEAT_UTILIZATION: seats.seat_utilization,
    ChartName.SEAT_STATUS: seats.seat_status,
    ChartName.BILL: money.bill,
    ChartName.CHARGEBACK: money.chargeback,
    **{wanted.chart: usage.used(wanted) for wanted in usage.USED},
    ChartName.COVERAGE: data.coverage,
}
SECTIONS: tuple[tuple[str, str, tuple[Builder, ...]], ...] = (
    (
        "adoption",
        "Adoption",
        (
            adoption.active_people,
            adoption.products,
            adoption.stickiness,
            adoption.growth,
            adoption.teams,
            adoption.governance,
        ),
    ),
    ("seats", "Seats", (seats.seat_utilization, seats.seat_status, seats.reclaim)),
    ("money", "Money", (money.bill, money.chargeback, money.unit_costs, money.reconciliation)),
    ("usage", "Usage", tuple(FIGURES[wanted.chart] for wanted in usage.USED)),
    ("data", "Data", (data.coverage, data.last_run, data.agreement)),
)
