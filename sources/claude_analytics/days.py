"""Which days to fetch: pure date rules, given today (design: only whole UTC days)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sources.claude_analytics.endpoints import Endpoint

FIRST_DAY = date(2026, 1, 1)
"""The API has no data before it (reference: Analytics API, section 2.1)."""


@dataclass(frozen=True)
class Span:
    """Days of one endpoint that one request sequence brings: those planned, first to last."""

    endpoint: Endpoint
    days: tuple[date, ...]

    @property
    def first(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]


def window(today: date, window_days: int, newest: date) -> list[date]:
    """Every day that the API answers for on that day, oldest first."""
    first = max(FIRST_DAY, today - timedelta(days=window_days))
    return days_between(first, newest)


def days_between(first: date, last: date) -> list[date]:
    """The days from first to last, both included; none if last is before first."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def days_to_fetch(
    days: Iterable[date], fetched: Mapping[date, datetime], settle_after: timedelta
) -> list[date]:
    """Those days that were never fetched, or last fetched before they settled.

    A day settles `settle_after` later, at 00:00 UTC; from then on the API does not change it.
    """
    return [
        day
        for day in days
        if day not in fetched or fetched[day] < datetime.combine(day, time(), UTC) + settle_after
    ]


def spans(endpoint: Endpoint, days: Sequence[date]) -> Iterator[Span]:
    """The fewest requests that bring all these days, in order."""
    first = 0
    for index, day in enumerate(days):
        if (day - days[first]).days >= endpoint.days_per_request:
            yield Span(endpoint, tuple(days[first:index]))
            first = index
    if days:
        yield Span(endpoint, tuple(days[first:]))
