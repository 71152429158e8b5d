"""UTC days, as all sources count them."""

from datetime import date, timedelta

FIRST_DAY = date(2026, 1, 1)
"""The Analytics API has no data before it (reference: Analytics API, section 2.1)."""


def days_between(first: date, last: date) -> list[date]:
    """The days from first to last, both included; none if last is before first."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
