"""Which parts of the activity feed to read: pure rules, given the clock and the ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

FEED_DELAY = timedelta(minutes=2)
"""An event can be read within a minute of its time (reference: Compliance API, section 1)."""

RETENTION_DAYS = 6 * 366
"""The feed keeps six years (section 1)."""

FIRST_WINDOW_DAYS = 8
LONGEST_WINDOW_DAYS = 32
MOST_PAGES = 20
"""Pages of a window of several days; 100,000 events. A single day is read however long it is."""


@dataclass(frozen=True, order=True)
class Window:
    """A span of the feed that is read as one, from the start of a UTC day; its end is not in it."""

    start: datetime
    end: datetime

    @property
    def days(self) -> list[date]:
        """The UTC days of which the window has at least a part."""
        last = (self.end - timedelta(microseconds=1)).date()
        first = self.start.date()
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]


@dataclass(frozen=True)
class ReadWindow:
    """A window that was read to its end and committed, and the run's clock at that time."""

    window: Window
    read_at: datetime


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def newest_moment(now: datetime) -> datetime:
    """The end of what can be read; whatever happened before it has had the time to appear."""
    return now - FEED_DELAY


def settled_days(read: Iterable[ReadWindow], overlap: timedelta) -> set[date]:
    """Days that were read as a whole, and so late that no event of theirs is expected any more."""
    return {
        day
        for each in read
        for day in each.window.days
        if start_of(day + timedelta(days=1)) <= min(each.window.end, each.read_at - overlap)
    }


def days_to_read(first_day: date, now: datetime, settled: set[date]) -> list[date]:
    """Every day from the first to the newest moment that is not settled, oldest first."""
    end = newest_moment(now)
    if end <= start_of(first_day):
        return []
    days = Window(start_of(first_day), end).days
    return [day for day in days if day not in settled]


def next_window(days: Sequence[date], most_days: int, now: datetime) -> Window:
    """The oldest of these days, with those that follow on it, as far as the newest moment."""
    last = days[0]
    for day in days[1:most_days]:
        if day - last != timedelta(days=1):
            break
        last = day
    return Window(start_of(days[0]), min(start_of(last + timedelta(days=1)), newest_moment(now)))


def next_length(window_days: int, page_count: int) -> int:
    """How many days the window after one of so many days and pages should have."""
    if page_count * 4 <= MOST_PAGES:
        return min(window_days * 2, LONGEST_WINDOW_DAYS)
    return max(window_days // 2, 1) if page_count * 2 > MOST_PAGES else window_days
