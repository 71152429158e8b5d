"""A department's own page: its people, products, cost and seats, and nobody else's."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipelines.reading import wording
from pipelines.reading.headlines import MONTH, Headline, reclaimable, saving_column
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import Context, day_fields, definitions, needs, or_unknown
from pipelines.report.money import pool_colours, pool_order
from pipelines.report.parts import Absent, Amount, Figure, Part, Table
from pipelines.warehouse.base import Reading
from sources.errors import ForeseenError
from sources.typed_files.keys import name_key

OTHER = "Other"
"""The department of team_adoption_monthly in which the small ones are one."""
NOT_ONE = (OTHER, "Unattributed")


def found(served: Reading, wanted: str, min_group_size: int, *, with_people: bool) -> str:
    """The department as the marts write it.

    Raises:
        ForeseenError: There is none of that name, or it is too small for a page without people.
    """
    names = _every_department(served)
    shown = names if with_people else _large_enough(served, names, min_group_size)
    listed = wording.listed(shown, most=20) or "none"
    for name in shown:
        if name_key(name) == name_key(wanted):
            return name
    if any(name_key(name) == name_key(wanted) for name in names):
        raise ForeseenError(
            f"The department {wanted} has no page of its own: numbers of fewer than "
            f"{min_group_size} people ([privacy] min_group_size) would tell of persons, and so "
            "would those of the one that hides them.\n"
            f"Departments with a page: {listed}.\n"
            "A page that may name people has every department: --with-people."
        )
    raise ForeseenError(
        f"There is no department {wanted}.\nDepartments: {listed}.\n"
        "Name one of them, or see the file [sources.reference_files] org_chart."
    )


def _every_department(served: Reading) -> list[str]:
    if not served.has("seats", "user_id", "department"):
        return []
    rows = served.rows("select distinct department from seats order by department")
    return [row["department"] for row in rows if row["department"] not in (None, *NOT_ONE)]


def _large_enough(served: Reading, names: list[str], min_group_size: int) -> list[str]:
    """Those that the mart of teams shows by themselves in its newest month; it also merges the
    department that would else give a small one away. Without it, those with enough people."""
    mart = "team_adoption_monthly"
    if served.has(mart, "month", "department"):
        rows = served.rows(
            f"select department from {mart} where month = (select max(month) from {mart})"
        )
        if rows:
            alone = {row["department"] for row in rows}
            return [name for name in names if name in alone]
    rows = served.rows("select department, count(*) as people from seats group by department")
    people = {row["department"]: row["people"] for row in rows}
    if any(people[name] < min_group_size for name in names):
        # The others and the whole would tell the small one's numbers.
        smallest = sorted(names, key=lambda name: people[name])
        hidden = {name for name in names if people[name] < min_group_size} | set(smallest[:2])
        return [name for name in names if name not in hidden]
    return names


def numbers(context: Context) -> dict[str, Headline]:
    """Name -> headline of the department alone."""
    each = [_active(context), _bill(context), _reclaimable(context)]
    return {headline.name: headline for headline in each if headline}


ACTIVE = """
    with

    days as (
        select activity_date, {counts}
        from active_users_daily
    ),

    people as (
        select activity_date, user_id from {activity}
        where is_active
    )

    select
        days.activity_date,
        case
            when max(days.daily) is not null
                then count(distinct case when people.activity_date = days.activity_date
                    then people.user_id end)
        end as daily,
        case
            when max(days.weekly) is not null
                then count(distinct case when people.activity_date > days.activity_date - 7
                    then people.user_id end)
        end as weekly,
        case
            when max(days.monthly) is not null then count(distinct people.user_id)
        end as monthly
    from days
    left join people
        on people.activity_date > days.activity_date - 30
        and people.activity_date <= days.activity_date
    group by days.activity_date
    order by days.activity_date
"""
"""One row per day: the department's people of that day, of 7 and of 30 days; null where the
organisation's window is not loaded."""
WINDOWS = ("daily", "weekly", "monthly")
COUNTS = ", ".join(f"computed_{window}_active_users as {window}" for window in WINDOWS)


def _days(context: Context) -> list[dict[str, Any]]:
    served = context.served
    columns = [f"computed_{window}_active_users" for window in WINDOWS]
    if not (
        served.has("active_users_daily", "activity_date", *columns)
        and served.has("user_activity_daily", "activity_date", "user_id", "department", "is_active")
    ):
        return []
    rows = served.rows(ACTIVE.format(counts=COUNTS, activity=context.of("user_activity_daily")))
    known = [place for place, row in enumerate(rows) if any(row[w] is not None for w in WINDOWS)]
    return rows[known[0] : known[-1] + 1] if known else []


def _active(context: Context) -> Headline | None:
    rows = {row["activity_date"]: row["monthly"] for row in _days(context)}
    newest = max((day for day, people in rows.items() if people is not None), default=None)
    if newest is None:
        return None
    return Headline(
        name="monthly_active",
        label="people active in 30 days",
        unit=Unit.COUNT,
        mart="user_activity_daily",
        column="is_active",
        definition="People of the department with at least one use in the 30 days, computed from "
        "the loaded user rows; whoever changed the department counts where they were on the day.",
        value=rows[newest],
        before=rows.get(newest - timedelta(days=MONTH)),
        as_of=wording.day(newest),
        than="30 days before",
        at=newest,
    )


def _months(context: Context) -> list[dict[str, Any]]:
    mart = "chargeback_monthly"
    if not context.served.has(
        mart, "month", "department", "cost_pool", "amount_usd", "covered_days"
    ):
        return []
    return context.served.rows(
        f"""
        select
            month,
            cost_pool,
            cast(sum(amount_usd) as decimal(38, 8)) as amount_usd,
            min(covered_days) as covered_days,
            min(covered_days) >= extract(day from month + interval '1 month' - interval '1 day')
                as is_whole
        from {context.of(mart)}
        where
            month > (select max(month) from {mart}) - interval '12 months'
            and amount_usd is not null
        group by month, cost_pool
        order by month, cost_pool
        """
    )


def _bill(context: Context) -> Headline | None:
    months: dict[date, Decimal] = {}
    pools: dict[date, set[str]] = {}
    whole = set()
    for row in _months(context):
        months[row["month"]] = months.get(row["month"], Decimal(0)) + row["amount_usd"]
        pools.setdefault(row["month"], set()).add(row["cost_pool"])
        if row["is_whole"]:
            whole.add(row["month"])
    newest = max(whole or months, default=None)
    if newest is None:
        return None
    before = (newest - timedelta(days=1)).replace(day=1)
    # A month without seat fees beside one with them: they are not known, and no saving.
    has_same_parts = before in whole and ("seats" in pools[before]) == ("seats" in pools[newest])
    return Headline(
        name="bill",
        label=f"cost of {wording.month(newest)}",
        unit=Unit.USD,
        mart="chargeback_monthly",
        column="amount_usd",
        definition=context.served.definition("chargeback_monthly", "amount_usd"),
        value=months[newest],
        before=months[before] if has_same_parts else None,
        as_of=wording.month(newest),
        than=f"{before:%B}",
        note="" if newest in whole else "not all days are loaded",
        at=newest,
    )


def _reclaimable(context: Context) -> Headline | None:
    source = reclaimable(context.served)
    if not source or not context.served.has(source[0], "department"):
        return None
    mart, condition = source
    row = context.served.row(
        f"""
        select
            count(*) filter (where {condition}) as idle,
            cast(sum({saving_column(context.served, mart)}) filter (where {condition})
                as decimal(38, 8)) as saving_usd,
            count(*) filter (where seat_status = 'unknown') as unknown
        from {context.of(mart)}
        """
    )
    if not row or (row["unknown"] and not row["idle"]):
        return None
    column = "recommendation" if mart == "seat_recommendations" else "seat_status"
    saving = row["saving_usd"]
    return Headline(
        name="reclaimable",
        label="seat to reclaim" if row["idle"] == 1 else "seats to reclaim",
        unit=Unit.COUNT,
        mart=mart,
        column=column,
        definition=context.served.definition(mart, column),
        value=row["idle"],
        before=None,
        as_of="now",
        than="",
        note=f"{wording.number(saving, Unit.USD, short=True)} a month" if saving else "",
    )


def active_people(context: Context) -> list[Part]:
    """The department's active people by day."""
    absent = needs(
        context.served, "Active people", "user_activity_daily", "activity_date", "department"
    )
    rows = _days(context)
    headline = context.headlines.get("monthly_active")
    if absent or not rows or not headline:
        return absent or [Absent("Active people: no 30 days are loaded whole yet.")]
    names = {"daily": "On the day", "weekly": "In 7 days", "monthly": "In 30 days"}

    def newest(window: str) -> str:
        known = [row[window] for row in rows if row[window] is not None]
        return wording.number(known[-1]) if known else ""

    change = f": {headline.change}" if headline.change else ""
    return [
        Figure(
            name=ChartName.ACTIVE_PEOPLE,
            title=f"{headline.text} people in 30 days{change}",
            caption=(
                "The department's people active in 30 days and in 7 days, computed from the loaded "
                "user rows; bars: on the day itself. Days that are not known are left out."
            ),
            chart=charts.lines(
                [
                    {
                        **day_fields(row["activity_date"]),
                        **{window: row[window] for window in WINDOWS},
                        **{f"{window}_text": or_unknown(row[window]) for window in WINDOWS},
                    }
                    for row in rows
                ],
                {
                    "monthly": ("in 30 days", charts.C1, newest("monthly")),
                    "weekly": ("in 7 days", charts.C3, newest("weekly")),
                },
                bars=("daily", charts.SOFT),
                tooltip={
                    "title": "title",
                    **{f"{window}_text": name for window, name in names.items()},
                },
            ),
            table=Table(
                caption="Active people by day, newest first",
                columns=["Day", *names.values()],
                rows=[
                    [row["activity_date"], *(row[window] for window in names)]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(context.served, "user_activity_daily", {"is_active": "Active"}),
        )
    ]


def products(context: Context) -> list[Part]:
    """How many of the department's people each product reaches."""
    served, mart = context.served, "user_product_activity_daily"
    absent = needs(
        served, "Products", mart, "activity_date", "user_id", "product", "department", "is_active"
    )
    headline = context.headlines.get("monthly_active")
    if absent or not headline or not headline.at:
        return absent
    rows = served.rows(
        f"""
        select product, count(distinct user_id) as people
        from {context.of(mart)}
        where
            is_active
            and activity_date > cast($newest as date) - 30
            and activity_date <= cast($newest as date)
        group by product
        order by people desc, product
        """,
        newest=headline.at,
    )
    least = 1 if context.with_people else context.min_group_size
    shown = [row for row in rows if row["people"] >= least]
    hidden = [wording.label(row["product"]) for row in rows if row["people"] < least]
    note = f" Fewer than {least} people, and not counted here: {wording.listed(hidden, most=9)}."
    if not shown:
        return [Absent(f"Products: none reached {least} people.")]
    return [
        Figure(
            name=ChartName.PRODUCTS,
            title=f"{wording.label(shown[0]['product'])} reaches most: "
            f"{wording.plural(shown[0]['people'], 'person', 'people')}",
            caption=(
                f"The department's people in the 30 days to {headline.as_of} by product; most use "
                f"several, so the bars do not add up.{note if hidden else ''}"
            ),
            chart=charts.bars(
                [
                    {
                        "title": wording.label(row["product"]),
                        "name": wording.label(row["product"]),
                        "value": row["people"],
                        "text": wording.number(row["people"]),
                    }
                    for row in shown
                ],
                tooltip={"title": "title", "text": "People"},
            ),
            table=Table(
                caption="Active people by product",
                columns=["Product", "People"],
                rows=[[wording.label(row["product"]), row["people"]] for row in shown],
            ),
            definitions=definitions(served, mart, {"product": "Product"}),
        )
    ]


def cost(context: Context) -> list[Part]:
    """What the department was charged, by month."""
    mart = "chargeback_monthly"
    absent = needs(context.served, "Cost", mart, "month", "department", "cost_pool", "amount_usd")
    rows, headline = _months(context), context.headlines.get("bill")
    if absent or not rows or not headline:
        return absent or [Absent("Cost: no amount is known.")]
    months = sorted({row["month"] for row in rows})
    whole = {row["month"] for row in rows if row["is_whole"]}

    def name(month: date) -> str:
        return f"{month:%b %Y}{'' if month in whole else '*'}"

    totals = {
        month: sum(row["amount_usd"] for row in rows if row["month"] == month) for month in months
    }
    change = f": {headline.change}" if headline.change else ""
    caption = "What the department was charged, by month; parts that are not known are in no bar."
    if len(whole) < len(months):
        caption += " * and faint: not all days of the month are loaded."
    return [
        Figure(
            name=ChartName.BILL,
            title=f"{headline.as_of} cost {headline.text}{change}",
            caption=caption,
            chart=charts.stacked_bars(
                [
                    {
                        "title": wording.month(row["month"]),
                        "name": name(row["month"]),
                        "kind": wording.label(row["cost_pool"]),
                        "value": float(row["amount_usd"]),
                        "text": wording.number(row["amount_usd"], Unit.USD),
                        "order": pool_order(row["cost_pool"]),
                        "opacity": 1 if row["month"] in whole else 0.45,
                    }
                    for row in rows
                ],
                [
                    {
                        "name": name(month),
                        "value": float(total),
                        "text": wording.number(total, Unit.USD, short=True),
                    }
                    for month, total in totals.items()
                ],
                colours=pool_colours(),
                tooltip={"title": "title", "kind": "Pool", "text": "Amount"},
            ),
            table=Table(
                caption="Cost by month and pool, newest first",
                columns=["Month", "Pool", "Amount", "Days loaded"],
                rows=[
                    [
                        wording.month(row["month"]),
                        wording.label(row["cost_pool"]),
                        Amount(row["amount_usd"], Unit.USD),
                        row["covered_days"],
                    ]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(
                context.served, mart, {"amount_usd": "Amount", "cost_pool": "Pool"}
            ),
        )
    ]
