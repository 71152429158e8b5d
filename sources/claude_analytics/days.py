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


@dataclass(frozen=True)
class Fetched:
    """The newest complete fetch of a day.

    Attributes:
        rows_hash: Hash over its rows.
        totals_hash: Hash over the organisation's totals of that day, as they were then.
    """

    at: datetime
    rows_hash: str = ""
    totals_hash: str | None = None


def window(today: date, window_days: int, newest: date) -> list[date]:
    """Every day that the API answers for on that day, oldest first."""
    first = max(FIRST_DAY, today - timedelta(days=window_days))
    return days_between(first, newest)


def days_between(first: date, last: date) -> list[date]:
    """The days from first to last, both included; none if last is before first."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def days_to_fetch(
    days: Iterable[date], fetched: Mapping[date, Fetched], settle_after: timedelta
) -> list[date]:
    """Those days that were never fetched, or last fetched before they settled.

    A day settles `settle_after` later, at 00:00 UTC; from then on the API does not change it.
    """
    return [
        day
        for day in days
        if day not in fetched or fetched[day].at < datetime.combine(day, time(), UTC) + settle_after
    ]


def days_to_read_again(
    days: Iterable[date],
    fetched: Mapping[date, Fetched],
    totals: Mapping[date, Fetched],
    settle_after: timedelta,
    now: datetime,
) -> list[date]:
    """Those days that were never fetched, whose totals moved since, or that settled since.

    Once settled, a day is read a last time: a total can stay while rows move between people.
    Days whose totals are unknown are not asked for again until they settle.
    """

    def is_due(day: date) -> bool:
        if day not in fetched:
            # The data of days after the newest total has not arrived yet.
            return not totals or day <= max(totals)
        moved = day in totals and totals[day].rows_hash != fetched[day].totals_hash
        settles_at = datetime.combine(day, time(), UTC) + settle_after
        return moved or fetched[day].at < settles_at <= now

    return [day for day in days if is_due(day)]


def spans(endpoint: Endpoint, days: Sequence[date]) -> Iterator[Span]:
    """The fewest requests that bring all these days, in order."""
    first = 0
    for index, day in enumerate(days):
        gap = endpoint.pages_by_rows and index > first and (day - days[index - 1]).days > 1
        if gap or (day - days[first]).days >= endpoint.days_per_request:
            yield Span(endpoint, tuple(days[first:index]))
            first = index
    if days:
        yield Span(endpoint, tuple(days[first:]))
