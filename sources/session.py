"""What a run hands to every source: its clock, the raw tables, rate budgets, and what it is for."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from time import monotonic
from typing import Any

import dlt

from sources.door import Door
from sources.doubts import Doubts
from sources.organisation import Further, Owners
from sources.plausibility import DoubtSettings
from sources.rate_budget import RateBudget

CLOSE_ENOUGH = timedelta(minutes=1)
"""Clocks that differ by no more than this agree; the header that tells a server's has seconds."""

WORTH_SAYING = timedelta(hours=1)


@dataclass(frozen=True)
class Clock:
    """The moment a run counts as taking place, and whether it was set by hand."""

    now: datetime
    is_set: bool = False
    started: float = field(default_factory=monotonic, compare=False)

    @classmethod
    def at(cls, today: date | None) -> "Clock":
        """The start of that UTC day, or the present."""
        if today is None:
            return cls(datetime.now(UTC))
        return cls(datetime.combine(today, time(), UTC), is_set=True)

    @property
    def today(self) -> date:
        return self.now.date()

    def ahead_of(self, server_now: datetime) -> timedelta:
        """How far this clock is ahead of a server that has just told its time."""
        here = self.now if self.is_set else self.now + timedelta(seconds=monotonic() - self.started)
        return here - server_now

    def agreed(self, server_now: datetime | None) -> "Clock":
        """The lesser of both clocks: by it, what is read and what has settled is judged."""
        if server_now is None or self.ahead_of(server_now) <= CLOSE_ENOUGH:
            return self
        return replace(self, now=server_now, started=monotonic())


@dataclass(frozen=True)
class LoadProgress:
    """Where a load is: days of all endpoints together, and requests since it began."""

    days_done: int
    days_planned: int
    request_count: int


@dataclass(frozen=True, kw_only=True)
class Access:
    """What it takes to ask a source anything.

    Attributes:
        budget: The rate budget of that name, with at most so many requests in any 60 seconds.
        owners: Whose data each Claude source brings; a key of another organisation is refused.
        is_alone: No other source has a key or a file.
        further: Which organisation beside the first one is read; None: the first one.
    """

    clock: Clock
    budget: Callable[[str, int], RateBudget]
    owners: Owners
    is_alone: bool = True
    further: Further | None = None


@dataclass(frozen=True, kw_only=True)
class Session(Access):
    """One run, as a source sees it. The caller holds the warehouse.

    Attributes:
        pipeline: Writes the raw tables and reads them back, by the functions of sources/ledger.py.
        doubts: What earlier nights claimed and is not believed; rules add theirs.
        limits: From when on something is not believed.
        backfill: Days to fetch again, whatever the ledger says.
        only: Names of endpoints and sources to read; none: all.
        on_replaced: Is told the table and its rows before others take their place.
        door: What of people is stored; whatever a source stores goes through it.
        run_number: The run's place in the order of all runs and fetches.
        numbers: The next ones of that order, for the fetches of this run.
    """

    pipeline: dlt.Pipeline
    doubts: Doubts
    limits: DoubtSettings = field(default_factory=DoubtSettings)
    backfill: Sequence[date] = ()
    only: Collection[str] = ()
    on_replaced: Callable[[str, Sequence[Mapping[str, Any]]], None] = lambda _, __: None
    on_progress: Callable[[LoadProgress], None] = lambda _: None
    door: Door = field(default_factory=Door)
    run_number: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))


def clock_note(clock: Clock, server_now: datetime | None) -> str | None:
    """What to say of a clock that is more than an hour off the server's."""
    if server_now is None or abs(clock.ahead_of(server_now)) <= WORTH_SAYING:
        return None
    there = f"{server_now:%Y-%m-%d %H:%M} UTC"
    if clock.ahead_of(server_now) > timedelta(0):
        what = f"--today {clock.today} lies" if clock.is_set else "The clock of this machine is"
        cure = "Leave --today out." if clock.is_set else "Set the clock of this machine (NTP)."
        return (
            f"{what} {difference(clock, server_now)} ahead of the API's own time, {there}.\n"
            f"Nothing later than that counts as read, and nothing as settled by then. {cure}"
        )
    if clock.is_set:
        return f"This run counts as of {clock.today} (--today); the API's own time is {there}."
    return (
        f"The clock of this machine is {difference(clock, server_now)} behind the API's own time, "
        f"{there}.\nWhat is newer than this clock waits for a later run. "
        "Set the clock of this machine (NTP)."
    )


def difference(clock: Clock, server_now: datetime) -> str:
    """How far the two are apart, in words."""
    apart = abs(clock.ahead_of(server_now))
    if apart < timedelta(hours=48):
        return f"{apart / timedelta(hours=1):.1f} hours"
    return f"{apart / timedelta(days=1):.0f} days"
