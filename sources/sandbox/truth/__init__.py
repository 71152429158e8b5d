"""What the marts must say about the invented organisation, computed from its facts alone."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from sources.sandbox.organisation import Days, Organisation

FOLDER = Path(__file__).parent


def truth(
    organisation: Organisation, name: str, days: Days, as_of: date, refreshed_at: datetime
) -> list[dict[str, Any]]:
    """The rows of the mart `name`, loaded as of a day, whose engagement goes over `days`."""
    query = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    values = {
        "first_date": days[0],
        "last_date": days[1],
        "as_of": as_of,
        "refreshed_at": refreshed_at.replace(tzinfo=None),
    }
    return organisation.facts(query, values)
