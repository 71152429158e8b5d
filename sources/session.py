"""What a run hands to every source: the moment that it counts as taking place."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic

CLOSE_ENOUGH = timedelta(minutes=1)
"""Clocks that differ by no more than this agree; the header that tells a server's has seconds."""


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
        return replace(self, now=self.now - self.ahead_of(server_now))
