"""The report's sections, one per reader in reading order, and which function draws which chart."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from pipelines.reading.headlines import Headline, headlines
from pipelines.report import (
    ChartName,
    SectionName,
    adoption,
    changes,
    data,
    department,
    drivers,
    habits,
    money,
    seats,
    security,
    spending,
    usage,
)
from pipelines.report.context import Builder, Context
from pipelines.report.parts import Absent, Figure, Section
from pipelines.report.told import Told
from pipelines.settings import PrivacySettings, settings
from pipelines.warehouse.base import Reading

EVERY_SECTION = tuple(SectionName)
OF_SECTION = {
    "monthly_active": SectionName.ADOPTION,
    "weekly_active": SectionName.ADOPTION,
    "stickiness": SectionName.ADOPTION,
    "utilization": SectionName.SEATS,
    "reclaimable": SectionName.SEATS,
    "bill": SectionName.MONEY,
    "cost_per_active_user": SectionName.MONEY,
    "completeness": SectionName.DATA,
}
"""Headline -> the section that it is the head of; the executive's has all."""


def sections(context: Context, wanted: Collection[str] = EVERY_SECTION) -> list[Section]:
    """The wanted sections that have a part, in reading order."""
    table = SECTIONS if context.department is None else OF_A_DEPARTMENT
    found = [
        Section(name, TITLES[name], [part for build in builders for part in build(context)])
        for name, builders in table.items()
        if name in wanted
    ]
    return [section for section in found if section.parts]


def chosen(numbers: dict[str, Headline], wanted: Collection[str]) -> dict[str, Headline]:
    """The headlines of the wanted sections."""
    if SectionName.EXECUTIVE in wanted:
        return numbers
    return {name: each for name, each in numbers.items() if OF_SECTION.get(name) in wanted}


def figure(
    served: Reading, name: ChartName, last_run: dict[str, Any] | None, *, with_people: bool
) -> Figure | Absent:
    """One chart of the report, or why it cannot be drawn."""
    context = context_of(served, last_run, with_people=with_people)
    for build in FIGURES[name](context):
        if isinstance(build, Absent) or (isinstance(build, Figure) and build.name == name):
            return build
    return Absent(f"There is nothing to draw for {name} yet.")


def context_of(
    served: Reading,
    last_run: dict[str, Any] | None,
    *,
    with_people: bool,
    of: str | None = None,
    earlier: Told | None = None,
) -> Context:
    """What the page builds on; `of` is the department that it is about.

    Raises:
        ForeseenError: That department is not there, or too small for a page.
    """
    smallest = settings(PrivacySettings).min_group_size
    context = Context(served, {}, last_run, with_people, smallest, earlier=earlier)
    if of is None:
        return replace(context, headlines=headlines(served))
    name = department.found(served, of, smallest, with_people=with_people)
    context = replace(context, department=name)
    return replace(context, headlines=department.numbers(context))


FIGURES: dict[ChartName, Builder] = {
    ChartName.ACTIVE_PEOPLE: adoption.active_people,
    ChartName.STICKINESS: adoption.stickiness,
    ChartName.PRODUCTS: adoption.products,
    ChartName.GROWTH: adoption.growth,
    ChartName.RETENTION: habits.retention,
    ChartName.ACTIVE_DAYS: habits.active_days,
    ChartName.TEAMS: adoption.teams,
    ChartName.ASSISTANTS: habits.assistants,
    ChartName.SEAT_UTILIZATION: seats.seat_utilization,
    ChartName.SEAT_STATUS: seats.seat_status,
    ChartName.BILL: money.bill,
    ChartName.CHARGEBACK: money.chargeback,
    ChartName.SPEND: spending.by_product,
    ChartName.FORECAST: spending.forecast,
    **{wanted.chart: usage.used(wanted) for wanted in usage.USED},
    ChartName.COVERAGE: data.coverage,
}
TITLES = {
    SectionName.EXECUTIVE: "What changed, and why",
    SectionName.ADOPTION: "Adoption",
    SectionName.MONEY: "Money",
    SectionName.SEATS: "Seats",
    SectionName.SECURITY: "Security",
    SectionName.DATA: "Data",
}
SECTIONS: dict[SectionName, tuple[Builder, ...]] = {
    SectionName.EXECUTIVE: (
        changes.since_the_last_report,
        changes.people,
        changes.money,
        adoption.governance,
    ),
    SectionName.ADOPTION: (
        adoption.active_people,
        adoption.products,
        adoption.stickiness,
        adoption.growth,
        habits.retention,
        habits.active_days,
        adoption.teams,
        habits.assistants,
        FIGURES[ChartName.PROJECTS],
    ),
    SectionName.MONEY: (
        money.bill,
        spending.forecast,
        spending.by_product,
        drivers.drivers,
        money.chargeback,
        money.unit_costs,
        money.reconciliation,
    ),
    SectionName.SEATS: (
        seats.seat_utilization,
        seats.seat_status,
        seats.reclaim,
        seats.downgrade,
    ),
    SectionName.SECURITY: (
        security.leavers,
        security.audit,
        *(FIGURES[name] for name in (ChartName.CONNECTORS, ChartName.SKILLS, ChartName.PLUGINS)),
    ),
    SectionName.DATA: (data.coverage, data.revisions, data.agreement, data.last_run),
}
OF_A_DEPARTMENT: dict[SectionName, tuple[Builder, ...]] = {
    SectionName.ADOPTION: (department.active_people, department.products),
    SectionName.MONEY: (department.cost, spending.by_product),
    SectionName.SEATS: (seats.seat_status, seats.reclaim, seats.downgrade),
    SectionName.SECURITY: (security.leavers,),
}
"""A department's page has what is the department's alone."""
