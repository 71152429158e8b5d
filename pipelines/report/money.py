"""Money: what it costs, who carries it, and whether it adds up."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date
from typing import Any

from pipelines.reading import wording
from pipelines.reading.wording import Unit
from pipelines.report import ChartName, charts
from pipelines.report.context import MOST_BARS, Context, definitions, months, needs
from pipelines.report.parts import Absent, Amount, Figure, Part, Statement, Table
from pipelines.warehouse.base import Row

DAYS_IN_MONTH = "extract(day from month + interval '1 month' - interval '1 day')"
"""SQL, of a row whose `month` is the first day of one."""
POOLS = {"seats": charts.C1, "metered": charts.C2, "shared": charts.C3, "unexplained": charts.SOFT}


UNKNOWN_SIZE = 0.12
"""Of the longest bar, the length of an outline that stands for what is unknown."""


def sorted_months(found: Iterable[date]) -> list[str]:
    return [f"{month:%B}" for month in sorted(found)]


def pool_colours() -> dict[str, str]:
    return {wording.label(pool): colour for pool, colour in POOLS.items()}


def pool_order(pool: str) -> int:
    """The place of a pool among the parts of a bar."""
    return list(POOLS).index(pool) if pool in POOLS else len(POOLS)


def bill(context: Context) -> list[Part]:
    """What each month costs, by cost pool."""
    served, mart = context.served, "chargeback_reconciliation_monthly"
    absent = needs(served, "Cost", mart, "month", "cost_pool", "billed_usd", "covered_days")
    if absent:
        return absent
    rows = served.rows(
        f"""
        select month, cost_pool, billed_usd, covered_days, is_settled
        from {mart}
        where month > (select max(month) from {mart}) - interval '12 months'
        order by month, cost_pool
        """
    )
    unknown = [row for row in rows if row["billed_usd"] is None]
    # Seats that other months have and this one does not: there was no roster then.
    with_seats = {row["month"] for row in rows if row["cost_pool"] == "seats"}
    without = sorted({row["month"] for row in rows} - with_seats) if with_seats else []
    unknown += [{"month": month, "cost_pool": "seats"} for month in without]
    rows = [row for row in rows if row["billed_usd"] is not None]
    if not rows:
        return [
            Absent(
                "Cost: no amount is known. Set [sources.reference_files] seat_prices or "
                "[chargeback] monthly_amount_usd, then run claude-warehouse sync."
            )
        ]
    months: dict[date, list[Row]] = {}
    for row in rows:
        months.setdefault(row["month"], []).append(row)
    partial = {
        month: (min(row["covered_days"] for row in pools), monthrange(month.year, month.month)[1])
        for month, pools in months.items()
    }
    partial = {month: days for month, days in partial.items() if days[0] < days[1]}

    def name(month: date) -> str:
        return f"{month:%b %Y}{'*' if month in partial else ''}"

    values = [
        {
            "title": wording.month(row["month"]),
            "name": name(row["month"]),
            "kind": wording.label(row["cost_pool"]),
            "value": float(row["billed_usd"]),
            "text": wording.number(row["billed_usd"], Unit.USD),
            "order": pool_order(row["cost_pool"]),
            "opacity": 0.45 if row["month"] in partial else 1,
        }
        for row in rows
    ]
    lacking = {row["month"] for row in unknown}
    totals: list[dict[str, Any]] = [
        {
            "name": name(month),
            "value": float(sum(row["billed_usd"] for row in pools)),
            "text": wording.number(sum(row["billed_usd"] for row in pools), Unit.USD, short=True),
        }
        for month, pools in months.items()
    ]
    # An outline without a length of its own: what nobody knows has no size.
    size = max(total["value"] for total in totals) * UNKNOWN_SIZE
    outlines = [
        {
            "title": wording.month(row["month"]),
            "name": name(row["month"]),
            "kind": wording.label(row["cost_pool"]),
            "from": total["value"],
            "value": total["value"] + size,
            "text": "unknown",
        }
        for row in unknown
        for total in totals
        if total["name"] == name(row["month"])
    ]
    for total in totals:
        if any(outline["name"] == total["name"] for outline in outlines):
            total["value"] += size
            total["text"] = f"{total['text']} + unknown"
    headline = context.headlines.get("bill")
    title = "Cost by month"
    if headline:
        title = f"{headline.as_of} cost {headline.text}"
        title += f": {headline.change}" if headline.change else ""
        title += f" ({headline.note})" if headline.note else ""
    notes = [f"{month:%B} {known} of {days} days" for month, (known, days) in partial.items()]
    caption = "What the organisation pays, by month."
    if notes:
        caption += (
            f" * and faint: not all days are loaded ({wording.listed(notes, most=12)}); seat fees "
            "stand there with the whole month's expected amount."
        )
    if unknown:
        caption += (
            f" Outlined: seat fees of {wording.listed(sorted_months(lacking), most=12)} are "
            "unknown and in no total; the outline's length says nothing."
        )
    return [
        Figure(
            name=ChartName.BILL,
            title=title,
            caption=caption,
            chart=charts.stacked_bars(
                values,
                totals,
                colours=pool_colours(),
                tooltip={"title": "title", "kind": "Pool", "text": "Amount"},
                outlines=outlines,
            ),
            table=Table(
                caption="Cost by month and pool, newest first",
                columns=["Month", "Pool", "Cost", "Days loaded", "Final"],
                rows=[
                    [
                        wording.month(row["month"]),
                        wording.label(row["cost_pool"]),
                        Amount(row["billed_usd"], Unit.USD),
                        row["covered_days"],
                        row["is_settled"],
                    ]
                    for row in reversed(rows)
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {"billed_usd": "Cost", "cost_pool": "Pool", "covered_days": "Days loaded"},
            ),
        )
    ]


def chargeback(context: Context) -> list[Part]:
    """Which department carries how much of the newest whole month."""
    served, mart = context.served, "chargeback_monthly"
    absent = needs(
        served, "Chargeback", mart, "month", "department", "cost_center", "cost_pool", "amount_usd"
    )
    if absent:
        return absent
    rows = served.rows(
        f"""
        with

        months as (
            select month, min(covered_days) >= {DAYS_IN_MONTH} as is_whole
            from {mart}
            group by month
        ),

        chosen as (
            select * from months order by is_whole desc, month desc limit 1
        )

        select {mart}.*, chosen.is_whole
        from {mart}
        inner join chosen on {mart}.month = chosen.month
        order by {mart}.department, {mart}.cost_center, {mart}.cost_pool
        """
    )
    is_partly_unknown = any(row["amount_usd"] is None for row in rows)
    rows = [row for row in rows if row["amount_usd"] is not None]
    if not rows:
        return []  # The part above says what is missing.
    month = wording.month(rows[0]["month"])
    whole = sum(row["amount_usd"] for row in rows)
    amounts: dict[str, Any] = {}
    for row in rows:
        amounts[row["department"]] = amounts.get(row["department"], 0) + row["amount_usd"]
    ranked = sorted(amounts, key=lambda name: (-amounts[name], name))
    shown = ranked if len(ranked) <= MOST_BARS else ranked[: MOST_BARS - 1]
    others = f"{len(ranked) - len(shown)} other departments"
    parts: dict[tuple[str, str], Any] = {}
    for row in rows:
        key = (row["department"] if row["department"] in shown else others, row["cost_pool"])
        parts[key] = parts.get(key, 0) + row["amount_usd"]

    def share(value: Any) -> str:
        return f" ({wording.number(value / whole, Unit.RATE)})" if whole > 0 else ""

    values = [
        {
            "title": name,
            "name": name,
            "kind": wording.label(pool),
            "value": float(value),
            "text": wording.number(value, Unit.USD),
            "order": pool_order(pool),
            "opacity": 1,
        }
        for (name, pool), value in parts.items()
    ]
    totals = [
        {
            "name": name,
            "value": float(value),
            "text": f"{wording.number(value, Unit.USD, short=True)}{share(value)}",
        }
        for name in [*shown, *([others] if len(shown) < len(ranked) else [])]
        for value in [sum(v for (n, _), v in parts.items() if n == name)]
    ]
    so_far = "" if rows[0]["is_whole"] else " so far"
    so_far += " without seat fees, which are unknown" if is_partly_unknown else ""
    first = amounts[ranked[0]]
    is_share = whole > 0
    part = wording.number(first / whole if is_share else first, Unit.RATE if is_share else Unit.USD)
    title = f"{ranked[0]} carries {part} of {month}'s cost{so_far}"
    return [
        Figure(
            name=ChartName.CHARGEBACK,
            title=title,
            caption=(
                f"Cost of {month} by department, {wording.number(whole, Unit.USD)} in all. "
                "Unmapped: people who are not in the org chart. Unattributed: what nobody known "
                "causes."
            ),
            chart=charts.stacked_bars(
                values,
                totals,
                colours=pool_colours(),
                tooltip={"title": "title", "kind": "Pool", "text": "Amount"},
            ),
            table=Table(
                caption=f"Chargeback of {month}",
                columns=["Department", "Cost center", "Pool", "Amount", "Seats", "Split by"],
                rows=[
                    [
                        row["department"],
                        row["cost_center"],
                        wording.label(row["cost_pool"]),
                        Amount(row["amount_usd"], Unit.USD),
                        row.get("seat_count"),
                        wording.label(row.get("allocation_method") or ""),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served,
                mart,
                {"amount_usd": "Amount", "cost_pool": "Pool", "allocation_method": "Split by"},
            ),
        )
    ]


def reconciliation(context: Context) -> list[Part]:
    """Whether what departments were charged is what the organisation pays."""
    served, mart = context.served, "chargeback_reconciliation_monthly"
    columns = ("month", "cost_pool", "billed_usd", "allocated_usd", "difference_usd")
    if not served.has(mart, *columns):
        return []  # The part above said so.
    rows = served.rows(f"select * from {mart} order by month desc, cost_pool")
    if not rows:
        return []
    off = [row for row in rows if row["difference_usd"]]
    known = [row for row in rows if row["difference_usd"] is not None]
    billed = sum(row["billed_usd"] for row in known)
    allocated = sum(row["allocated_usd"] for row in known)
    if off:
        worst = max(off, key=lambda row: abs(row["difference_usd"]))
        title = (
            f"The bill and what was charged differ by {wording.exact_usd(worst['difference_usd'])} "
            f"in {wording.month(worst['month'])}"
        )
    else:
        title = f"What is charged adds up to the bill{_nobodys(context)}"
    return [
        Statement(
            title=title,
            text=(
                f"Billed {wording.number(billed, Unit.USD)} − charged "
                f"{wording.number(allocated, Unit.USD)} = "
                f"{wording.exact_usd(billed - allocated)}, over "
                f"{wording.plural(len({row['month'] for row in rows}), 'month')}."
            ),
            table=Table(
                caption="Bill and charges by month and pool, newest first",
                columns=["Month", "Pool", "Billed", "Charged", "Difference"],
                rows=[
                    [
                        wording.month(row["month"]),
                        wording.label(row["cost_pool"]),
                        Amount(row["billed_usd"], Unit.USD),
                        Amount(row["allocated_usd"], Unit.USD),
                        Exactly(row["difference_usd"], Unit.USD),
                    ]
                    for row in rows
                ],
            ),
            definitions=definitions(
                served, mart, {"allocated_usd": "Charged", "difference_usd": "Difference"}
            ),
        )
    ]


NOBODYS = ("Unattributed", "Unmapped")
"""Departments of chargeback that are none: spend of nobody known, and of people without a line."""


def _nobodys(context: Context) -> str:
    """How much of the newest whole month no department carries, as the sentence's end."""
    mart = "chargeback_monthly"
    if not context.served.has(mart, "month", "department", "amount_usd", "covered_days"):
        return ""
    rows = context.served.rows(
        f"""
        with

        months as (
            select month, min(covered_days) >= {DAYS_IN_MONTH} as is_whole
            from {mart}
            group by month
        ),

        chosen as (
            select * from months order by is_whole desc, month desc limit 1
        )

        select month, department, cast(sum(amount_usd) as decimal(38, 8)) as amount_usd
        from {mart}
        inner join chosen using (month)
        where department in {NOBODYS}
        group by month, department
        having sum(amount_usd) <> 0
        order by department
        """
    )
    if not rows:
        return ", and a department carries every cent of it"
    whole = wording.number(sum(row["amount_usd"] for row in rows), Unit.USD)
    each = wording.listed(
        [f"{row['department']} {wording.number(row['amount_usd'], Unit.USD)}" for row in rows]
    )
    return f"; {whole} of {wording.month(rows[0]['month'])} is nobody's: {each}"


class Exactly(Amount):
    """Dollars with every digit that is not 0."""

    def __str__(self) -> str:
        return "" if self.value is None else wording.exact_usd(self.value)  # type: ignore[arg-type]


def unit_costs(context: Context) -> list[Part]:
    """What an active person costs."""
    headline = context.headlines.get("cost_per_active_user")
    title = "Unit costs"
    if headline:
        title = f"An active person cost {headline.text} in {headline.as_of}"
        title += f": {headline.change}" if headline.change else ""
    return months(context, "unit_economics_monthly", "Unit costs", title)
