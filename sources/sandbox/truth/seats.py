"""The mart `seats`: everyone who holds, held or is invited to a seat."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from sources.sandbox.truth import Facts, Rows
from sources.sandbox.truth.places import OrgChart

DORMANT_AFTER_DAYS = 30
GRACE_DAYS = 14


def seats(facts: Facts) -> Rows:
    """One row per person; activity counts up to the newest loaded day, the roster is today's."""
    first, newest = facts.days
    chart = OrgChart.of(facts)
    people = {person["user_id"]: person for person in facts.rows("people")}
    active: dict[str, list[date]] = defaultdict(list)
    for row in facts.rows("active_days"):
        active[row["user_id"]] += [row["activity_date"]] if row["is_active"] else []
    roles: dict[str, tuple[date, str]] = {}
    for row in facts.rows("members"):
        last = roles.get(row["user_id"], (date.min, ""))
        roles[row["user_id"]] = max(last, (row["activity_date"], row["role"]))
    spent: dict[str, date] = {}
    for row in facts.rows("spend_daily"):
        if row["user_id"] and (row["spend_usd"] > 0 or (row["request_count"] or 0) > 0):
            spent[row["user_id"]] = max(spent.get(row["user_id"], date.min), row["activity_date"])
    rows: Rows = []
    for user_id in sorted(active.keys() | roles.keys()):
        person, days = people[user_id], sorted(active[user_id])
        seen_on, role = roles.get(user_id, (date.min, None))
        is_member = seen_on == facts.as_of
        joined: date | None = person["joined_on"] if role else None
        uses = [*days, *([spent[user_id]] if user_id in spent else [])]
        status = "removed"
        if is_member:
            is_used = bool(uses) and (newest - max(uses)).days < DORMANT_AFTER_DAYS
            status = "active" if is_used else status_of(newest, first, person["joined_on"], days)
        rows.append(
            {
                **person_row(chart, person["email"], newest, is_priced=is_member),
                "user_id": user_id,
                "name": person["name"],
                "role": role,
                "joined_date": joined,
                "first_active_date": days[0] if days else None,
                "last_active_date": days[-1] if days else None,
                "days_since_active": (newest - days[-1]).days if days else None,
                "active_days_in_28": sum((newest - day).days < 28 for day in days)
                if (newest - first).days >= 27
                else None,
                "seat_status": status,
            }
        )
    invited = [
        {
            **person_row(chart, row["email"], newest, is_priced=False),
            "user_id": None,
            "role": row["role"],
            "seat_status": "invited",
        }
        for row in facts.rows("pending_invites")
    ]
    return rows + invited


def status_of(newest: date, first: date, joined: date, active: list[date]) -> str:
    """What a member's seat is."""
    if active and (newest - active[-1]).days < DORMANT_AFTER_DAYS:
        return "active"
    if not active and (newest - joined).days < GRACE_DAYS:
        return "new"
    if (newest - first).days + 1 < DORMANT_AFTER_DAYS:
        return "unknown"
    return "dormant" if active else "never_active"


def person_row(chart: OrgChart, email: str | None, day: date, *, is_priced: bool) -> dict[str, Any]:
    department, cost_center = chart.place(email, day)
    price = chart.usd_per_month(email, day)
    usd = Decimal(price.numerator) / Decimal(price.denominator)
    return {
        "as_of_date": day,
        "email": email,
        "department": department,
        "cost_center": cost_center,
        "seat_cost_usd_per_month": usd if is_priced else None,
    }
