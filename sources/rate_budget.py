"""One rate budget for an organisation, over all threads and processes that share a data folder."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

WINDOW_SECONDS = 60.0
LONGEST_REQUEST_SECONDS = 150.0
"""After this long without an answer, the process that sent a request counts as dead."""
LONGEST_PAUSE_SECONDS = 600.0
"""A longer pause is not waited for."""
FARTHEST_PAUSE_SECONDS = 30 * 86_400.0
IN_MEMORY = Path(":memory:")
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)

Changed = TypeVar("Changed")

log = logging.getLogger(__name__)


class BudgetClosed(Exception):
    """The run ends; nobody waits for a slot any more."""


class PausedForLong(Exception):
    """The API asked for a pause that no run waits for; `seconds` of it are left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


class RateBudget:
    """Slots for requests: never more than `limit` of them in any 60 seconds.

    A slot is taken when a request is sent and becomes free 60 s after its answer or failure
    arrived. Counted from the sending, the server could see more than the limit in its own
    window, because requests travel at different speeds. Bursts inside the limit are fine.
    The slots are kept in a file, so that the next process obeys the last minute of this one.

    Attributes:
        request_count: Slots that were taken here, one for each attempt of a request.
        retry_count: Attempts that were not the first of their request.
        waited_seconds: How long requests were held up here, for want of a slot or before another
            attempt; what is held up together counts once.
    """

    def __init__(
        self,
        file: Path,
        limit: int,
        *,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self._limit = limit
        self._clock = clock
        self._closed = threading.Event()
        self._wait = wait or self._closed.wait
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._held_up, self._held_up_since = 0, 0.0
        self.request_count = self.retry_count = 0
        self.waited_seconds = 0.0
        self.file = file
        self._slots = self._opened()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a slot and hold it while the request runs.

        Raises:
            PausedForLong: There is none for a long time.
            BudgetClosed: The run ends.
        """
        slot_id = self._take()
        with self._counting:
            self.request_count += 1
        try:
            yield
        finally:
            # After close(), the slot stays as its worst case has it.
            with suppress(BudgetClosed):
                free_at = self._clock() + WINDOW_SECONDS
                # Written anew if it took so long that the slot already counted as free.
                self._execute("insert or replace into slots values (?, ?)", (slot_id, free_at))

    def pause(self, seconds: float) -> None:
        """Let nobody send before this many seconds have passed, as `retry-after` asks."""
        now = self._clock()
        until = now + min(seconds, FARTHEST_PAUSE_SECONDS)
        self._execute("insert into pauses values (?, ?)", (now, until))

    def wait_to_retry(self, seconds: float) -> None:
        """Wait before another attempt, not longer than the run goes on.

        Raises:
            BudgetClosed: It ends.
        """
        if seconds > 0:
            with self._holding_up():
                self._wait(seconds)
        if self._closed.is_set():
            raise BudgetClosed
        with self._counting:
            self.retry_count += 1

    def close(self) -> None:
        """End it: everybody who waits, or asks from now on, gets BudgetClosed."""
        self._closed.set()
        with self._lock:
            self._slots.close()

    def _take(self) -> int:
        slot_id, seconds = self._changed(self._slot_or_wait)
        if slot_id is not None:
            return slot_id
        with self._holding_up():
            while slot_id is None:
                # One that is still in flight frees up earlier than its worst case says: look again.
                self._wait(min(max(seconds, 0.01), 1.0))
                slot_id, seconds = self._changed(self._slot_or_wait)
        return slot_id

    @contextmanager
    def _holding_up(self) -> Iterator[None]:
        with self._counting:
            self._held_up += 1
            if self._held_up == 1:
                self._held_up_since = self._clock()
        try:
            yield
        finally:
            with self._counting:
                self._held_up -= 1
                if not self._held_up:
                    # A clock that was set back meanwhile takes nothing away.
                    self.waited_seconds += max(0.0, self._clock() - self._held_up_since)

    def _slot_or_wait(self, slots: sqlite3.Connection) -> tuple[int | None, float]:
        """A slot that is free, or how long there will be none."""
        now = self._clock()
        longest = WINDOW_SECONDS + LONGEST_REQUEST_SECONDS
        # A time further ahead than any slot can lie comes from a clock that was set back.
        slots.execute("delete from slots where free_at <= ? or free_at > ?", (now, now + longest))
        slots.execute("delete from pauses where until <= ? or begun_at > ?", (now, now))
        (paused_until,) = slots.execute("select max(until) from pauses").fetchone()
        taken, next_free = slots.execute("select count(*), min(free_at) from slots").fetchone()
        if paused_until is None and taken < self._limit:
            row = slots.execute("insert into slots (free_at) values (?)", (now + longest,))
            return row.lastrowid, 0.0
        if paused_until and paused_until - now > LONGEST_PAUSE_SECONDS:
            raise PausedForLong(paused_until - now)
        until = max(paused_until or 0.0, next_free if taken >= self._limit else 0.0)
        return None, until - now

    def _execute(self, statement: str, values: tuple[float, ...]) -> None:
        self._changed(lambda slots: slots.execute(statement, values))

    def _changed(self, change: Callable[[sqlite3.Connection], Changed]) -> Changed:
        """What `change` brings; in another file where this one was damaged or became full."""
        with self._lock:
            if self._closed.is_set():
                raise BudgetClosed
            try:
                return _in_transaction(self._slots, change)
            except sqlite3.Error:
                with suppress(sqlite3.Error):
                    self._slots.close()
                self._slots = self._opened()
                return _in_transaction(self._slots, change)

    def _opened(self) -> sqlite3.Connection:
        """The file; made anew where it is damaged, and in memory where it cannot be written."""
        try:
            return _connected(self.file)
        except sqlite3.Error as error:
            problem = error
        with suppress(OSError, sqlite3.Error):
            if getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in DAMAGED:
                for damaged in (self.file, Path(f"{self.file}-journal")):
                    damaged.unlink(missing_ok=True)
                anew = _connected(self.file)
                log.warning(
                    "%s was damaged (%s) and was made anew: requests of the last minute are "
                    "forgotten.",
                    self.file,
                    problem,
                )
                return anew
        log.warning(
            "%s cannot be used (%s): this run counts its requests alone, as if no other had sent "
            "any.\nCheck the permissions and the space of that folder.",
            self.file,
            problem,
        )
        return _connected(IN_MEMORY)


def _connected(file: Path) -> sqlite3.Connection:
    slots = sqlite3.connect(file, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        slots.execute("pragma synchronous = off")
        slots.execute(
            "create table if not exists slots "
            "(id integer primary key autoincrement, free_at real not null)"
        )
        slots.execute(
            "create table if not exists pauses (begun_at real not null, until real not null)"
        )
        slots.execute("select id, free_at from slots limit 1")
        slots.execute("select begun_at, until from pauses limit 1")
        ((found,), *_) = slots.execute("pragma quick_check").fetchall()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        slots.execute("pragma user_version = 1")  # Only writing shows whether it can be written.
    except BaseException:
        slots.close()
        raise
    return slots


def _in_transaction(
    slots: sqlite3.Connection, change: Callable[[sqlite3.Connection], Changed]
) -> Changed:
    slots.execute("begin immediate")
    try:
        changed = change(slots)
        slots.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            slots.execute("rollback")
        raise
    return changed
