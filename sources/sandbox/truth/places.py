"""Where a person is in the org chart, and what a seat there costs, on a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from sources.sandbox.truth import Facts, Rows

UNMAPPED = "Unmapped"
UNATTRIBUTED = "Unattributed"
DEFAULT = "default"

Place = tuple[str, str | None]
"""Department and cost center."""


@dataclass(frozen=True)
class OrgChart:
    """The stays of each e-mail, and the prices of each seat tier, oldest first."""

    stays: dict[str, Rows]
    prices: dict[str, Rows]

    @classmethod
    def of(cls, facts: Facts) -> "OrgChart":
        stays: dict[str, Rows] = {}
        for row in facts.rows("org_chart"):
            stays.setdefault(row["email"].casefold(), []).append(row)
        prices: dict[str, Rows] = {}
        for row in facts.rows("seat_prices"):
            prices.setdefault(row["seat_tier"], []).append(row)
        return cls(stays, prices)

    def place(self, email: str | None, day: date) -> Place:
        stay = valid(self.stays.get((email or "").casefold(), ()), day)
        return (stay["department"], stay["cost_center"]) if stay else (UNMAPPED, None)

    def usd_per_month(self, email: str | None, day: date) -> Fraction:
        """The price of this person's seat."""
        stay = valid(self.stays.get((email or "").casefold(), ()), day)
        tier = (stay and stay["seat_tier"]) or DEFAULT
        price = valid(self.prices.get(tier, ()), day) or valid(self.prices[DEFAULT], day)
        assert price
        return Fraction(price["usd_per_month"])


def valid(rows: Sequence[dict[str, Any]], day: date) -> dict[str, Any] | None:
    """The newest row that applies on the day; rows stand oldest first."""
    found = [row for row in rows if row["valid_from"] is None or row["valid_from"] <= day]
    return found[-1] if found else None
