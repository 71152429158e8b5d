"""What changed and why: each change of a number as steps that add up to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipelines.reading import wording
from pipelines.reading.headlines import MONTH
from pipelines.reading.wording import Unit
from pipelines.report.context import Context, definitions
from pipelines.report.parts import Amount, Part, Signed, Statement, Table
from pipelines.warehouse.base import Reading

CENT = Decimal("0.01")
MOST_PRODUCTS = 6


@dataclass(frozen=True)
class Step:
    """One reason of a change, and how much of it: people, or US dollars."""

    why: str
    size: Decimal


def people(context: Context) -> list[Part]:
    """Why more or fewer people are active in 30 days than 30 days before."""
    headline = context.headlines.get("monthly_active")
    if not headline or headline.before is None or not headline.at:
        return []
    start = headline.at - timedelta(days=MONTH)
    steps = people_steps(context.served, start, headline.at)
    if steps is None:
        return []
    before, now = int(headline.before), int(headline.value)
    steps = _with_rest(steps, now - before, "Counted by the API, and not in our rows")
    more = sum(step.size for step in steps if step.size > 0)
    less = -sum(step.size for step in steps if step.size < 0)
    return [
        Statement(
            title=f"People active in 30 days, {headline.change}: "
            f"{wording.number(more)} came, {wording.number(less)} went",
            text=_by_product(context.served, start, headline.at),
            table=Table(
                caption="Why the number of active people changed",
                columns=["", "People"],
                rows=[
                    [f"Active in the 30 days to {wording.day(start)}", before],
                    *([step.why, Signed(step.size)] for step in steps),
                    [f"Active in the 30 days to {wording.day(headline.at)}", now],
                ],
            ),
            definitions=definitions(context.served, headline.mart, {headline.column: "Active"}),
        )
    ]


def people_steps(served: Reading, before: date, now: date) -> list[Step] | None:
    """Who is active in the 30 days to one day and was not in those to an earlier one, or the other
    way round; None unless both windows are loaded."""
    if not (
        served.has("active_users_daily", "activity_date", "computed_monthly_active_users")
        and served.has("user_activity_daily", "activity_date", "user_id", "is_active")
        and served.has("people", "user_id", "first_active_date", "left_date")
    ):
        return None
    both = served.row(
        """
        select count(computed_monthly_active_users) as days from active_users_daily
        where activity_date in (cast($before as date), cast($now as date))
        """,
        before=before,
        now=now,
    )
    if not both or both["days"] != 2:
        return None
    row = served.row(
        """
        with

        windows as (
            select
                user_id,
                max(case when activity_date > cast($now as date) - 30 then 1 else 0 end) as is_now,
                max(case when activity_date <= cast($before as date) then 1 else 0 end) as was_then
            from user_activity_daily
            where
                is_active
                and activity_date > cast($before as date) - 30
                and activity_date <= cast($now as date)
            group by user_id
        ),

        known as (
            select
                windows.is_now,
                windows.was_then,
                coalesce(people.first_active_date > cast($before as date), false) as is_new,
                coalesce(people.left_date <= cast($now as date), false) as has_left
            from windows
            left join people on windows.user_id = people.user_id
        )

        select
            count(*) filter (where is_now = 1 and was_then = 0 and is_new) as new,
            count(*) filter (where is_now = 1 and was_then = 0 and not is_new) as back,
            count(*) filter (where is_now = 0 and was_then = 1 and has_left) as gone,
            count(*) filter (where is_now = 0 and was_then = 1 and not has_left) as stopped
        from known
        """,
        before=before,
        now=now,
    )
    assert row
    return [
        Step("New to Claude", Decimal(row["new"])),
        Step("Came back", Decimal(row["back"])),
        Step("Left the organisation", Decimal(-row["gone"])),
        Step("Still here, and not active any more", Decimal(-row["stopped"])),
    ]


def _with_rest(steps: Sequence[Step], whole: int | Decimal, why: str) -> list[Step]:
    """The steps that are not 0, and what they leave of the whole."""
    rest = whole - sum((step.size for step in steps), Decimal(0))
    return [step for step in (*steps, Step(why, rest)) if step.size]


def _by_product(served: Reading, before: date, now: date) -> str:
    mart = "product_active_users_daily"
    columns = ("reported_monthly_active_users", "computed_monthly_active_users")
    if not served.has(mart, "activity_date", "product", *columns):
        return ""
    people = f"coalesce({', '.join(columns)})"
    rows = served.rows(
        f"""
        select
            product,
            max(case when activity_date = cast($now as date) then {people} end)
            - max(case when activity_date = cast($before as date) then {people} end)
                as difference
        from {mart}
        group by product
        order by product
        """,
        before=before,
        now=now,
    )
    moved = sorted(
        (row for row in rows if row["difference"]),
        key=lambda row: (-abs(row["difference"]), row["product"]),
    )
    if not moved:
        return ""
    each = wording.listed(
        [f"{wording.label(row['product'])} {Signed(row['difference'])}" for row in moved], most=8
    )
    return f"By product: {each}. Most people use several, so these do not add up."


def money(context: Context) -> list[Part]:
    """Why a month cost more or less than the one before."""
    headline, served = context.headlines.get("bill"), context.served
    if not headline or headline.before is None or not headline.at:
        return []
    month = headline.at
    before = (month - timedelta(days=1)).replace(day=1)
    change = Decimal(headline.value) - Decimal(headline.before)
    steps = [
        Step("Seat fees", size) for size in [_seat_fees(served, before, month)] if size is not None
    ]
    products = sorted(_products(served, before, month), key=lambda step: -abs(step.size))
    steps += products[:MOST_PRODUCTS]
    if rest := products[MOST_PRODUCTS:]:
        steps.append(Step("Other products", sum((step.size for step in rest), Decimal(0))))
    steps.sort(key=lambda step: -abs(step.size))
    steps = in_cents(
        _with_rest(steps, change, "Corrections of closed months, and what no product has"),
        Decimal(headline.before),
        Decimal(headline.value),
    )
    if not steps:
        return []
    most = " and ".join(
        f"{step.why} {'+' if step.size > 0 else ''}"
        f"{wording.number(step.size, Unit.USD, short=True)}"
        for step in steps[:2]
    )
    return [
        Statement(
            title=f"{headline.as_of} cost {headline.change}, most of all by {most}",
            table=Table(
                caption="Why the cost changed",
                columns=["", "Cost"],
                rows=[
                    [f"Cost of {wording.month(before)}", Amount(headline.before, Unit.USD)],
                    *([step.why, Signed(step.size, Unit.USD)] for step in steps),
                    [f"Cost of {headline.as_of}", Amount(headline.value, Unit.USD)],
                ],
            ),
            definitions=definitions(served, headline.mart, {headline.column: "Cost"}),
        )
    ]


def _seat_fees(served: Reading, before: date, month: date) -> Decimal | None:
    row = served.row(
        """
        select
            sum(case when month = cast($month as date) then billed_usd else -billed_usd end)
                as difference
        from chargeback_reconciliation_monthly
        where
            cost_pool = 'seats'
            and month in (cast($month as date), cast($before as date))
        """,
        month=month,
        before=before,
    )
    return row["difference"] if row else None


def _products(served: Reading, before: date, month: date) -> list[Step]:
    if not served.has("spend_daily", "activity_date", "product", "spend_usd"):
        return []
    rows = served.rows(
        """
        select
            product,
            cast(
                sum(
                    case when activity_date >= cast($month as date) then spend_usd
                    else -spend_usd end
                ) as decimal(38, 8)
            ) as difference
        from spend_daily
        where activity_date >= cast($before as date) and activity_date < cast($next as date)
        group by product
        """,
        month=month,
        before=before,
        next=(month + timedelta(days=31)).replace(day=1),
    )
    return [
        Step(wording.label(row["product"] or "no product"), row["difference"])
        for row in rows
        if row["difference"]
    ]


def in_cents(steps: Sequence[Step], before: Decimal, now: Decimal) -> list[Step]:
    """The steps as they are shown, which add up too: the largest takes what rounding leaves."""
    rounded = [Step(step.why, step.size.quantize(CENT)) for step in steps]
    rounded = [step for step in rounded if step.size]
    rest = now.quantize(CENT) - before.quantize(CENT)
    rest -= sum((step.size for step in rounded), Decimal(0))
    if rest and rounded:
        largest = max(range(len(rounded)), key=lambda place: abs(rounded[place].size))
        rounded[largest] = Step(rounded[largest].why, rounded[largest].size + rest)
    return rounded


def since_the_last_report(context: Context) -> list[Part]:
    """What is another than an earlier report said: new days, people, and corrected days."""
    earlier, served = context.earlier, context.served
    headline = context.headlines.get("monthly_active")
    if not earlier or not headline or not headline.at:
        return []
    of_people = _people_since(served, earlier.people, earlier.newest_day, headline)
    then = wording.day(earlier.made_at.date())
    spend = _spend_since(context)
    columns = ["", "People active in 30 days"]
    money: dict[str, Any] = {}
    if spend:
        columns.append(f"Use in {wording.month(spend['month'])}")
        money = spend["cells"]
    rows: list[list[Any]] = [
        [f"In the report of {then}, data to {wording.day(earlier.newest_day)}", earlier.people],
        *([step.why, Signed(step.size)] for step in of_people),
        [f"In this one, data to {headline.as_of}", int(headline.value)],
    ]
    if spend:
        rows[0].append(money["then"])
        for row in rows[1:-1]:
            row.append(money["corrected"] if row[0] == CORRECTED else None)
        if money["corrected"] and all(row[0] != CORRECTED for row in rows):
            rows.insert(1, [CORRECTED, None, money["corrected"]])
        rows.insert(-1, ["New days", None, money["new"]])
        rows[-1].append(money["now"])
    change = wording.change(headline.value, earlier.people, Unit.COUNT, "then")
    return [
        Statement(
            title=f"Since the report of {then}: {change or 'another number of'} active people"
            if change and not change.startswith("the same")
            else f"Since the report of {then}: as many active people",
            text=_corrections(served, earlier.made_at),
            table=Table(
                caption=f"What changed since the report of {then}", columns=columns, rows=rows
            ),
        )
    ]


CORRECTED = "Corrected since, of days that were in it"


def _people_since(served: Reading, then: int, day: date, headline: Any) -> list[Step]:
    row = served.row(
        f"""
        select coalesce(reported_monthly_active_users, computed_monthly_active_users) as people
        from {headline.mart}
        where activity_date = cast($day as date)
        """,
        day=day,
    )
    known = row["people"] if row else None
    steps = [Step(CORRECTED, Decimal(known - then))] if known is not None else []
    steps += people_steps(served, day, headline.at) or []
    return _with_rest(steps, int(headline.value) - then, "Counted by the API, and not in our rows")


def _spend_since(context: Context) -> dict[str, Any] | None:
    """What the month of the earlier report cost then, and what came since."""
    earlier = context.earlier
    assert earlier
    if not earlier.spend_month or not earlier.spend_day or earlier.spend_usd is None:
        return None
    if not context.served.has("spend_daily", "activity_date", "spend_usd"):
        return None
    row = context.served.row(
        """
        select
            cast(sum(spend_usd) filter (where activity_date <= cast($day as date))
                as decimal(38, 8)) as known,
            cast(sum(spend_usd) as decimal(38, 8)) as now
        from spend_daily
        where activity_date >= cast($month as date) and activity_date < cast($next as date)
        """,
        day=earlier.spend_day,
        month=earlier.spend_month,
        next=(earlier.spend_month + timedelta(days=31)).replace(day=1),
    )
    if not row or row["now"] is None:
        return None
    corrected, new = _in_cents_kept(
        [(row["known"] or Decimal(0)) - earlier.spend_usd, row["now"] - (row["known"] or 0)],
        earlier.spend_usd,
        row["now"],
    )
    return {
        "month": earlier.spend_month,
        "cells": {
            "then": Amount(earlier.spend_usd, Unit.USD),
            "corrected": Signed(corrected, Unit.USD) if corrected else None,
            "new": Signed(new, Unit.USD),
            "now": Amount(row["now"], Unit.USD),
        },
    }


def _in_cents_kept(sizes: Sequence[Decimal], before: Decimal, now: Decimal) -> list[Decimal]:
    """The same of sizes that keep their places: the last one takes what rounding leaves."""
    others = [size.quantize(CENT) for size in sizes[:-1]]
    return [*others, now.quantize(CENT) - before.quantize(CENT) - sum(others, Decimal(0))]


def _corrections(served: Reading, since: Any) -> str:
    """Which endpoints came with other rows than before, and what that moved."""
    if not served.has("day_revisions", "endpoint", "revised_at", "activity_date"):
        return ""
    rows = served.rows(
        """
        select endpoint, count(distinct activity_date) as days
        from day_revisions
        where revised_at > cast($since as timestamp)
        group by endpoint
        order by days desc, endpoint
        """,
        since=since,
    )
    if not rows:
        return "No day that was loaded before came with other rows since."
    each = wording.listed([f"{wording.label(row['endpoint'])} {row['days']}" for row in rows])
    return f"Days that came with other rows since, by endpoint: {each}; day_revisions has each."
