"""The money marts: spend by day, and every month's bill split to departments."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

from sources.sandbox.organisation import FIRST_DAY
from sources.sandbox.truth import Facts, Rows
from sources.sandbox.truth.places import UNATTRIBUTED, OrgChart, Place

UNITS = 10**8
SETTLES_AFTER = timedelta(days=30)


def spend_daily(facts: Facts) -> Rows:
    """One row per UTC day, actor, product, model and cost type."""
    emails = {person["user_id"]: person["email"] for person in facts.rows("people")}
    return [{**row, "email": emails.get(row["user_id"])} for row in facts.rows("spend_daily")]


def chargeback_monthly(facts: Facts) -> Rows:
    """One row per month, cost pool, cost center and department: metered and shared spend, seats.

    Metered spend goes where its person is that day, shared spend in proportion to a month's
    metered spend, seat fees to those who hold the seats. People are counted once, on the first
    pool of a place.
    """
    chart = OrgChart.of(facts)
    active, months = active_people(facts, chart)
    rows = sorted(
        [*spend_rows(facts, chart), *seat_rows(facts, chart)], key=lambda row: row["cost_pool"]
    )
    counted = set()
    for row in rows:
        place = row["month"], (row["department"], row["cost_center"])
        is_first = place not in counted and row["month"] in months
        row["active_user_count"] = len(active[place]) if is_first else None
        counted.add(place)
    return rows


def active_people(
    facts: Facts, chart: OrgChart
) -> tuple[dict[tuple[date, Place], set[str]], set[date]]:
    """Who was active in a month while in a place, and the months that days of people are of."""
    emails = {person["user_id"]: person["email"] for person in facts.rows("people")}
    active: dict[tuple[date, Place], set[str]] = defaultdict(set)
    months = set()
    for row in facts.rows("active_days"):
        month, user_id = month_of(row["activity_date"]), row["user_id"]
        months.add(month)
        if row["is_active"]:
            place = chart.place(emails[user_id], row["activity_date"])
            active[month, place].add(user_id)
    return active, months


def reconciliation_monthly(facts: Facts) -> Rows:
    """One row per month and cost pool."""
    billed: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for row in spend_daily(facts):
        pool = "metered" if row["actor_type"] == "user" else "shared"
        billed[month_of(row["activity_date"]), pool] += row["spend_usd"]
    for row in seat_rows(facts, OrgChart.of(facts)):
        billed[row["month"], "seats"] += row["amount_usd"]
    return [
        {
            "month": month,
            "cost_pool": pool,
            "billed_usd": amount,
            "allocated_usd": amount,
            "difference_usd": Decimal(0),
        }
        for (month, pool), amount in sorted(billed.items())
    ]


def spend_rows(facts: Facts, chart: OrgChart) -> Rows:
    metered: dict[date, dict[Place, list[Decimal]]] = defaultdict(dict)
    shared: dict[date, list[Decimal]] = {}
    for row in spend_daily(facts):
        month = month_of(row["activity_date"])
        if row["actor_type"] == "user":
            place = chart.place(row["email"], row["activity_date"])
            sums = metered[month].setdefault(place, [Decimal(0), Decimal(0)])
        else:
            sums = shared.setdefault(month, [Decimal(0), Decimal(0)])
        sums[0] += row["spend_usd"]
        sums[1] += row["list_price_usd"]
    rows = [
        pool_row(month, place, "metered", amount, list_price, "direct")
        for month, places in metered.items()
        for place, (amount, list_price) in places.items()
    ]
    for month, (amount, list_price) in shared.items():
        weights = {
            place: Fraction(sums[0]) for place, sums in metered[month].items() if sums[0] > 0
        }
        method = "proportional" if weights else "unallocated"
        weights = weights or {(UNATTRIBUTED, None): Fraction(1)}
        amounts, list_prices = split(amount, weights), split(list_price, weights)
        rows += [
            pool_row(month, place, "shared", amounts[place], list_prices[place], method)
            for place in weights
        ]
    for row in rows:
        first, end = row["month"], row["month"] + timedelta(days=days_in(row["month"]))
        is_whole = first >= max(FIRST_DAY, facts.as_of - timedelta(days=365))
        row["is_settled"] = is_whole and end - timedelta(days=1) + SETTLES_AFTER <= facts.as_of
    return rows


def seat_rows(facts: Facts, chart: OrgChart) -> Rows:
    """The seat fees of every month with a loaded day, all its days."""
    counts = {row["activity_date"]: row["assigned_seats"] for row in facts.rows("seat_counts")}
    emails = {person["user_id"]: person["email"] for person in facts.rows("people")}
    seen: dict[date, set[str]] = defaultdict(set)
    for row in facts.rows("active_days"):
        seen[month_of(row["activity_date"])].add(row["user_id"])
    members: dict[date, set[str]] = defaultdict(set)
    for row in facts.rows("members"):
        members[row["activity_date"]].add(row["user_id"])
    rows: Rows = []
    for month in sorted({month_of(day) for day in counts}):
        weights: dict[Place, Fraction] = defaultdict(Fraction)
        for day in (month + timedelta(days=n) for n in range(days_in(month))):
            assigned = counts[min(counts, key=lambda each: (abs(each - day), each))]
            holders = members[min(day, facts.as_of)] if day >= facts.roster_since else seen[month]
            held: dict[Place, int] = defaultdict(int)
            part = min(Fraction(1), Fraction(assigned, max(1, len(holders))))
            for user_id in holders:
                place = chart.place(emails[user_id], day)
                held[place] += 1
                weights[place] += part * chart.usd_per_month(emails[user_id], day)
            if assigned > len(holders):
                held[UNATTRIBUTED, None] = assigned - len(holders)
                price = chart.usd_per_month(None, day)
                weights[UNATTRIBUTED, None] += held[UNATTRIBUTED, None] * price
        units = floor(sum(weights.values()) / days_in(month) * UNITS + Fraction(1, 2))
        amounts = split(Decimal(units) / UNITS, weights)
        rows += [
            {
                **pool_row(month, place, "seats", amount, amount, "seats"),
                "seat_count": held.get(place, 0),
            }
            for place, amount in amounts.items()
        ]
    return rows


def pool_row(
    month: date, place: Place, pool: str, amount: Decimal, list_price: Decimal, method: str
) -> dict[str, Any]:
    return {
        "month": month,
        "cost_center": place[1],
        "department": place[0],
        "cost_pool": pool,
        "amount_usd": amount,
        "list_price_usd": list_price,
        "allocation_method": method,
    }


def split(amount: Decimal, weights: Mapping[Place, Fraction]) -> dict[Place, Decimal]:
    """The parts of an amount: largest remainder in units of 1e-8, ties by key."""
    units = abs(int(amount * UNITS))
    total = sum(weights.values())
    exact = {place: units * weight / total for place, weight in weights.items()}
    whole = {place: floor(part) for place, part in exact.items()}
    left = units - sum(whole.values())
    order = sorted(
        weights,
        key=lambda place: (whole[place] - exact[place], place[0], place[1] is None, place[1] or ""),
    )
    for place in order[:left]:
        whole[place] += 1
    sign = -1 if amount < 0 else 1
    return {place: Decimal(sign * part) / UNITS for place, part in whole.items()}


def month_of(day: date) -> date:
    return day.replace(day=1)


def days_in(month: date) -> int:
    return monthrange(month.year, month.month)[1]
