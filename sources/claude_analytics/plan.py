"""Which days to fetch, and from which API: pure rules of clock, settings and ledger."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sources.claude_analytics.endpoints import Endpoint
from sources.claude_analytics.kinds import Generations
from sources.claude_analytics.settings import AnalyticsSettings
from sources.days import FIRST_DAY, days_between
from sources.session import Clock


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


WHOLE_AFTER = timedelta(days=2)
"""After its beginning a day's cost and usage have all arrived, whatever may be revised later."""


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


Ledger = Mapping[str, Mapping[date, Fetched]]
"""Each endpoint's days as they were last fetched."""


def known_generation(ledger: Ledger, generations: Generations) -> str | None:
    """The API that brought this warehouse's cost and usage last; None: none has yet.

    The totals do not tell: both fill the same tables of them.
    """
    fetches = [
        (fetched.at, name)
        for name, generation in generations.items()
        for endpoint in generation
        if endpoint.totals is not None
        for fetched in ledger.get(endpoint.table, {}).values()
    ]
    return max(fetches)[1] if fetches else None


@dataclass(frozen=True)
class Plan:
    """Which days of which endpoint a run asks for.

    Attributes:
        newest: The newest day that the API has published whole.
        backfill: Days that are asked for whatever the ledger says.
        owned_since: Of this organisation; what another one's key brought of earlier days stays.
    """

    clock: Clock
    settings: AnalyticsSettings
    newest: date
    backfill: Sequence[date] | None = None
    owned_since: date = FIRST_DAY

    def window(self, endpoint: Endpoint) -> list[date]:
        """The days that the API answers for; those of money go on into the present."""
        if endpoint.kind == "money":
            days = min(self.settings.cost_window_days, endpoint.newest_days or sys.maxsize)
            return window(self.clock.today, days - 1, self.clock.today)
        return window(self.clock.today, self.settings.window_days, self.newest)

    def settle_after(self, endpoint: Endpoint) -> timedelta:
        """How long after a day it may still change."""
        days = self.settings.revision_days
        revision = timedelta(endpoint.revision_days if days is None else days)
        if endpoint.kind == "money":
            return max(revision, WHOLE_AFTER)
        return self.clock.today - self.newest + revision

    def spans(self, endpoints: Sequence[Endpoint], ledger: Ledger) -> list[Span]:
        """The fewest requests that bring what the ledger misses or what may have changed."""
        return [
            span for endpoint in endpoints for span in spans(endpoint, self._days(endpoint, ledger))
        ]

    def _days(self, endpoint: Endpoint, ledger: Ledger) -> Sequence[date]:
        if self.backfill and not endpoint.newest_days:
            return [day for day in self.backfill if day < self.clock.today]
        fetched = ledger.get(endpoint.table, {})
        days = [
            day for day in self.window(endpoint) if day >= self.owned_since or day not in fetched
        ]
        settle_after = self.settle_after(endpoint)
        if endpoint.totals is None:
            return days_to_fetch(days, fetched, settle_after)
        totals = ledger.get(endpoint.totals, {})
        return days_to_read_again(days, fetched, totals, settle_after, self.clock.now)
