"""Fetch planned days concurrently, and hand them over whole and in order."""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from sources.claude_analytics.client import Client, NotAvailable, NotThisOrganisation, WrongCurrency
from sources.claude_analytics.endpoints import Endpoint
from sources.claude_analytics.pages import Page, RejectedRow
from sources.claude_analytics.plan import Span
from sources.claude_analytics.repeats import has_repeats, keys_of, without_repeats
from sources.errors import ApiError, KeyRefused, NotTheApi, Refused, Unreachable
from sources.paging import begun_anew
from sources.rate_budget import BudgetClosed

WORKERS = 16
"""Enough that 60 requests a minute are used up even when each takes 15 s."""
FAILED_SPANS_BEFORE_GIVING_UP = 3


@dataclass(frozen=True)
class PackedPage:
    """A page whose rows are compressed, because the pages of many days wait in memory."""

    rows: pa.Buffer
    row_count: int
    rejected: Sequence[RejectedRow]
    undeclared: frozenset[str]
    data_refreshed_at: datetime | None


@dataclass(frozen=True)
class FetchedDay:
    """All rows of one endpoint and UTC day.

    Attributes:
        is_kept_apart: It is stored and does not count: it is not believed.
    """

    endpoint: Endpoint
    day: date
    pages: Sequence[PackedPage]
    is_kept_apart: bool = False

    def rows(self) -> pa.Table:
        return pa.concat_tables(pa.ipc.open_stream(page.rows).read_all() for page in self.pages)

    @property
    def data_refreshed_at(self) -> datetime | None:
        """Until when the day's rows are complete; None where the API does not say."""
        return self.pages[0].data_refreshed_at

    @property
    def row_count(self) -> int:
        return sum(page.row_count for page in self.pages)

    @property
    def rejected(self) -> list[RejectedRow]:
        return [row for page in self.pages for row in page.rejected]

    @property
    def undeclared(self) -> frozenset[str]:
        return frozenset(name for page in self.pages for name in page.undeclared)


Judge = Callable[[Endpoint, Sequence[FetchedDay], Mapping[date, int]], Collection[date]]
"""Which of an endpoint's fetched days are kept apart, given how many people the other answers
of the run name on a day, at least."""


def people_named(day: FetchedDay) -> int:
    """How many people were active on a day, at least, by an answer that is not about them."""
    endpoint = day.endpoint
    if endpoint.person:
        return int(pc.count_distinct(day.rows()[endpoint.person]).as_py())
    if endpoint.people_count:
        return int(pc.max(day.rows()[endpoint.people_count]).as_py() or 0)
    return 0


@dataclass
class Progress:
    """How one endpoint fares in this run.

    Attributes:
        refused: Why this key or organisation may not read the endpoint.
        failures: One message per span that could not be read for another reason.
        oldest, newest: The API's own bounds, where it refused a day beyond them.
        closed_days: Days that the API does not have: too old, or not yet.
        refreshed_at: Until when the newest of its data is complete, where the API says it.
        day_count, row_count, rejected_count: What was fetched.
        undeclared: Fields that the API sent and we have not declared.
    """

    refused: ApiError | None = None
    failures: list[str] = field(default_factory=list)
    failed_in_a_row: int = 0
    oldest: date = date.min
    newest: date = date.max
    closed_days: set[date] = field(default_factory=set)
    refreshed_at: datetime | None = None
    day_count: int = 0
    row_count: int = 0
    rejected_count: int = 0
    undeclared: set[str] = field(default_factory=set)


class Fetcher:
    """Reads spans of days in threads; one for each run."""

    def __init__(self, client: Client, endpoints: Sequence[Endpoint]) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="fetch")
        self._pending: dict[str, list[Future[list[FetchedDay]]]] = {}
        self._first: dict[Span, Future[list[FetchedDay]]] = {}
        self._lock = threading.Lock()
        self.progress: dict[str, Progress] = {}
        self._engagement = {each.table for each in endpoints if each.kind == "engagement"}
        self.watch(endpoints)
        self.fatal: ApiError | None = None
        """Why no endpoint can be read any more."""
        self.judge: Judge = lambda endpoint, days, named: set()
        self.told: Callable[[str], str] = lambda text: text
        """What may be said of a name that an answer has."""
        self._named: dict[date, int] = {}
        self._ended: list[threading.Event] = []
        self.on_progress: Callable[[], None] = lambda: None
        """Called in the fetching thread when days have arrived."""

    def watch(self, endpoints: Sequence[Endpoint]) -> None:
        """Begin to count for these endpoints, as if nothing of them had been read yet."""
        self.progress |= {endpoint.table: Progress() for endpoint in endpoints}

    def try_first(self, spans: Sequence[Span]) -> None:
        """Fetch one of these spans alone and wait for it: the newest that decides access.

        It tells what the server's time is, and a wrong key costs one request, not one for each
        thread. `start` takes it over if it is still planned then.
        """
        deciding = [span for span in spans if span.endpoint.decides_access] or spans
        if deciding:
            first = max(deciding, key=lambda span: span.last)
            self._first[first] = self._submitted(first)
            self._first[first].result()

    def start(self, spans: Sequence[Span]) -> None:
        """Begin to fetch these spans; `days` then waits for them."""
        if not self.day_count and not self._first:
            self.try_first([span for span in spans if span.endpoint.decides_access])
        self._ended = []
        for span in spans:
            future = self._first.pop(span, None) or self._submitted(span)
            self._pending.setdefault(span.endpoint.table, []).append(future)

    def days(self, endpoint: Endpoint) -> Iterator[FetchedDay]:
        """The endpoint's fetched days in order; those that could not be read are left out."""
        pending = self._pending.pop(endpoint.table, [])
        if endpoint.decides_access:
            for ended in self._ended:
                ended.wait()  # What its sisters say of the same days is compared with it.
        days = [day for future in pending for day in future.result()]
        pending.clear()
        apart = self.judge(endpoint, days, self._named)
        progress = self.progress[endpoint.table]
        while days:
            # Popped, so that a day's memory is free as soon as it was handed over.
            day = days.pop(0)
            if day.day in apart:
                progress.day_count -= 1
                progress.row_count -= day.row_count
            yield replace(day, is_kept_apart=day.day in apart)

    @property
    def day_count(self) -> int:
        return sum(progress.day_count for progress in self.progress.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _submitted(self, span: Span) -> Future[list[FetchedDay]]:
        ended = threading.Event()
        self._ended.append(ended)

        def run() -> list[FetchedDay]:
            try:
                fetched = self._fetch(span)
                for day in fetched:
                    people = people_named(day)
                    with self._lock:
                        self._named[day.day] = max(people, self._named.get(day.day, 0))
                return fetched
            finally:
                ended.set()

        return self._pool.submit(run)

    def _fetch(self, span: Span) -> list[FetchedDay]:
        progress = self.progress[span.endpoint.table]
        days = [day for day in span.days if progress.oldest <= day <= progress.newest]
        with self._lock:
            progress.closed_days.update(set(span.days) - set(days))
        given_up = progress.failed_in_a_row >= FAILED_SPANS_BEFORE_GIVING_UP
        if self.fatal or progress.refused or given_up or not days:
            return []
        try:
            fetched = self._fetched_days(span.endpoint, days)
        except BudgetClosed:
            return []
        except NotAvailable as error:
            with self._lock:
                progress.oldest = max(progress.oldest, error.oldest)
                progress.newest = min(progress.newest, error.newest)
            if any(not progress.oldest <= day <= progress.newest for day in days):
                return self._fetch(span)  # Those of its days that are left, if any.
            with self._lock:
                progress.closed_days.update(days)
            return []
        except ApiError as error:
            with self._lock:
                self._note(span.endpoint, progress, error)
            return []
        with self._lock:
            progress.failed_in_a_row = 0
            for day in fetched:
                progress.day_count += 1
                progress.row_count += day.row_count
                progress.rejected_count += len(day.rejected)
                progress.undeclared |= day.undeclared
                if day.data_refreshed_at:
                    newest = progress.refreshed_at or day.data_refreshed_at
                    progress.refreshed_at = max(newest, day.data_refreshed_at)
        self.on_progress()
        return fetched

    def _note(self, endpoint: Endpoint, progress: Progress, error: ApiError) -> None:
        if endpoint.decides_access and isinstance(error, NotThisOrganisation):
            for table in self._engagement:
                self.progress[table].refused = error
            return
        no_access = endpoint.decides_access and (
            isinstance(error, Refused) or (isinstance(error, NotTheApi) and not self.day_count)
        )
        if isinstance(error, KeyRefused | Unreachable | WrongCurrency) or no_access:
            self.fatal = self.fatal or error
        elif isinstance(error, Refused):
            progress.refused = error
        else:
            progress.failures.append(str(error))
            progress.failed_in_a_row += 1

    def _fetched_days(self, endpoint: Endpoint, days: Sequence[date]) -> list[FetchedDay]:
        whole, contradictions = self._whole(endpoint, days)
        if contradictions:
            whole, contradictions = self._whole(endpoint, days)
        with self._lock:
            self.progress[endpoint.table].failures += [
                f"{endpoint.table}, day {day}: the API gives two rows of {self.told(named)} that "
                "differ.\n"
                "Both cannot be true, and asking again brought the same: the day stays open, what\n"
                "is stored of it stays, and the next run asks again. If it stays, tell Anthropic's "
                "support."
                for day, named in sorted(contradictions.items())
            ]
        fetched = [whole] if endpoint.day_column is None else _cut_into_days(whole, days)
        return [day for day in fetched if day.day not in contradictions]

    def _whole(
        self, endpoint: Endpoint, days: Sequence[date]
    ) -> tuple[FetchedDay, Mapping[date, str]]:
        """One answer, rows that came twice once, and the days on which it contradicts itself."""
        answered = begun_anew(
            lambda: [
                (_packed(page), keys_of(endpoint, page.rows))
                for page in self._client.pages(endpoint, days[0], days[-1])
            ]
        )
        pages, keys = [page for page, _ in answered], [found for _, found in answered]
        if not has_repeats(endpoint, keys):
            return FetchedDay(endpoint, days[0], pages), {}
        tables = [pa.ipc.open_stream(page.rows).read_all() for page in pages]
        rows, contradictions = without_repeats(endpoint, tables)
        # All of them in the first page, so that their number stays.
        empty = [_packed(Page(rows=rows.slice(0, 0))) for _ in pages]
        parts = [_packed(Page(rows=rows)), *empty[1:]]
        told_once = [
            replace(page, rows=part.rows, row_count=part.row_count)
            for page, part in zip(pages, parts, strict=True)
        ]
        return FetchedDay(endpoint, days[0], told_once), contradictions


def _cut_into_days(series: FetchedDay, days: Sequence[date]) -> list[FetchedDay]:
    """One answer for several days as whole days; days that were not asked for are dropped."""
    rows = series.rows()

    refreshed_at = series.data_refreshed_at
    if series.endpoint.kind == "money":
        there = [day for day in days if refreshed_at and _starts(day) < refreshed_at]
    else:
        # A day that a series leaves out or ends before is not there yet; one before its beginning
        # is empty, and so is an empty series.
        answered = {*pc.unique(rows["activity_date"]).to_pylist()}
        answered |= {row.day for row in series.rejected}
        first = min(answered, default=date.max)
        there = [day for day in days if day < first or day in answered]
    return [
        FetchedDay(
            series.endpoint,
            day,
            [
                _packed(
                    Page(
                        rows=rows.filter(pc.equal(rows["activity_date"], pa.scalar(day))),
                        rejected=[row for row in series.rejected if row.day == day],
                        undeclared=series.undeclared,
                        data_refreshed_at=refreshed_at,
                    )
                )
            ],
        )
        for day in there
    ]


def _starts(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _packed(page: Page) -> PackedPage:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, page.rows.schema, options=options) as writer:
        writer.write_table(page.rows)
    return PackedPage(
        sink.getvalue(), len(page.rows), page.rejected, page.undeclared, page.data_refreshed_at
    )
