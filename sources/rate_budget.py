"""One rate budget for an organisation, over all threads and processes that share a data folder."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WINDOW_SECONDS = 60.0
LONGEST_REQUEST_SECONDS = 150.0
"""After this long without an answer, the process that sent a request counts as dead."""


class BudgetClosed(Exception):
    """The run ends; nobody waits for a slot any more."""


class RateBudget:
    """Slots for requests: never more than `limit` of them in any 60 seconds.

    A slot is taken when a request is sent and becomes free 60 s after its answer or failure
    arrived. Counted from the sending, the server could see more than the limit in its own
    window, because requests travel at different speeds. Bursts inside the limit are fine.
    The slots are kept in a file, so that the next process obeys the last minute of this one.
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
        self._slots = sqlite3.connect(
            file, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._slots.execute("pragma synchronous = off")
        self._slots.execute(
            "create table if not exists slots "
            "(id integer primary key autoincrement, free_at real not null)"
        )
        self._slots.execute(
            "create table if not exists pauses (begun_at real not null, until real not null)"
        )

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a slot and hold it while the request runs."""
        slot_id = self._take()
        try:
            yield
        finally:
            # After close(), the slot stays as its worst case has it.
            with suppress(BudgetClosed), self._transaction() as slots:
                free_at = self._clock() + WINDOW_SECONDS
                # Written anew if it took so long that the slot already counted as free.
                slots.execute("insert or replace into slots values (?, ?)", (slot_id, free_at))

    def pause(self, seconds: float) -> None:
        """Let nobody send before this many seconds have passed, as `retry-after` asks."""
        with self._transaction() as slots:
            now = self._clock()
            slots.execute("insert into pauses values (?, ?)", (now, now + seconds))

    def close(self) -> None:
        """End it: everybody who waits, or asks from now on, gets BudgetClosed."""
        self._closed.set()
        with self._lock:
            self._slots.close()

    def _take(self) -> int:
        while True:
            with self._transaction() as slots:
                now = self._clock()
                longest = WINDOW_SECONDS + LONGEST_REQUEST_SECONDS
                # A time further ahead than any slot can lie comes from a clock that was set back.
                slots.execute(
                    "delete from slots where free_at <= ? or free_at > ?", (now, now + longest)
                )
                slots.execute("delete from pauses where until <= ? or begun_at > ?", (now, now))
                (paused_until,) = slots.execute("select max(until) from pauses").fetchone()
                taken, next_free = slots.execute(
                    "select count(*), min(free_at) from slots"
                ).fetchone()
                if paused_until is None and taken < self._limit:
                    cursor = slots.execute(
                        "insert into slots (free_at) values (?)", (now + longest,)
                    )
                    assert cursor.lastrowid is not None
                    return cursor.lastrowid
                until = max(paused_until or 0.0, next_free if taken >= self._limit else 0.0)
            # A slot that is still in flight frees up earlier than its worst case says: look again.
            self._wait(min(max(until - now, 0.01), 1.0))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._closed.is_set():
                raise BudgetClosed
            self._slots.execute("begin immediate")
            try:
                yield self._slots
            finally:
                self._slots.execute("commit")
