"""What the marts must say about the invented organisation, computed from its facts alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sources.sandbox.organisation import Days, Organisation

FOLDER = Path(__file__).parent

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The facts that a warehouse can know.

    Attributes:
        days: First and newest loaded day of the engagement endpoints.
        as_of: The day on which everything was loaded.
        refreshed_at: Up to when costs and usage were known then.
        roster_since: The day of the roster's first snapshot; later ones are a day apart.
    """

    organisation: Organisation
    days: Days
    as_of: date
    refreshed_at: datetime
    roster_since: date

    def rows(self, name: str) -> Rows:
        """What the query truth/<name>.sql finds."""
        query = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        values = {
            "first_date": self.days[0],
            "last_date": self.days[1],
            "as_of": self.as_of,
            "refreshed_at": self.refreshed_at.replace(tzinfo=None),
            "roster_since": self.roster_since,
        }
        return self.organisation.facts(query, values)


def truth(name: str, facts: Facts) -> Rows:
    """The rows that the mart, or the file, of this name must have."""
    from sources.sandbox.truth.money import chargeback_monthly, reconciliation_monthly, spend_daily
    from sources.sandbox.truth.seats import seats

    computed: Mapping[str, Callable[[Facts], Rows]] = {
        "spend_daily": spend_daily,
        "chargeback_monthly": chargeback_monthly,
        "chargeback_reconciliation_monthly": reconciliation_monthly,
        "seats": seats,
    }
    return computed[name](facts) if name in computed else facts.rows(name)
