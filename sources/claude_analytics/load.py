"""Run the sources into the warehouse: plan days, fetch them, and commit them in chunks."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltSource
from pipelines.data_dir import DataDir
from pipelines.future import forget_future_days
from pipelines.raw_tables import (
    COMPLETE,
    finish_pending,
    known_tables,
    store,
    stored,
    warehouse_pipeline,
)

from sources.claude_analytics import AnalyticsSettings, claude_analytics, empty_endpoints
from sources.claude_analytics.client import (
    ANALYTICS_API,
    Client,
    NotAvailable,
    NotThisOrganisation,
)
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS, EVERY_ENDPOINT, Endpoint
from sources.claude_analytics.fetch import Fetcher, Progress
from sources.claude_analytics.generation import Generation, choose
from sources.claude_analytics.plan import (
    FIRST_DAY,
    GENERATIONS,
    Fetched,
    Ledger,
    Plan,
    Span,
    known_generation,
)
from sources.errors import ForeseenError, read_before_words
from sources.hints import typed_columns
from sources.rate_budget import RateBudget
from sources.reference_files import FILES, reference_files
from sources.session import CLOSE_ENOUGH, WORTH_SAYING, Clock, clock_note

REQUESTS_PER_CHUNK = 60
"""About how much a killed run has to fetch again at most: a minute of the API's default limit.

How many pages a span has is only known from those before it."""

NO_KEY = (
    "The Analytics API is not read: no key is set for it, and another source is.\n"
    "The marts about Claude stay empty.\n"
    f"Set {ANALYTICS_API.key_variable} to load them."
)

# Arrow's own allocator keeps the memory of past pages; this one gives it back.
pa.set_memory_pool(pa.system_memory_pool())


@dataclass(frozen=True)
class LoadReport:
    """What a load did, by endpoint.

    Attributes:
        clock: The lesser of the run's clock and the API's.
        note: What to say of the difference between them.
        skipped: Why nothing was asked of the API, though nothing failed.
        fatal: Why nothing more could be read from the source.
        refusals: One message per reference file that could not be read; its table stays.
        read_before: Endpoints of which the warehouse has had days before this run.
        generation: Which API cost and usage came from; None: they were not wanted.
    """

    endpoints: Mapping[str, Progress] = field(default_factory=dict)
    request_count: int = 0
    clock: Clock | None = None
    note: str | None = None
    skipped: str | None = None
    fatal: str | None = None
    refusals: list[str] = field(default_factory=list)
    read_before: Collection[str] = ()
    generation: Generation | None = None

    @property
    def problems(self) -> list[str]:
        """Messages of all that failed, each once."""
        failed = self.with_outcome("failed")
        reasons = [self.fatal] if self.fatal else list(dict.fromkeys(failed.values()))
        return reasons + self.refusals

    @property
    def day_count(self) -> int:
        return sum(progress.day_count for progress in self.endpoints.values())

    @property
    def row_count(self) -> int:
        return sum(progress.row_count for progress in self.endpoints.values())

    @property
    def rejected_count(self) -> int:
        return sum(progress.rejected_count for progress in self.endpoints.values())

    def outcome(self, table: str) -> tuple[str, str | None]:
        """`ok`, `unavailable` or `failed`, and why.

        An endpoint is unavailable when it is refused while another of the same source answers:
        the key works, and this organisation or key does not have it. One that was read before is
        refused by mistake, or for tonight.
        """
        progress = self.endpoints[table]
        if progress.failures:
            return "failed", progress.failures[0]
        if progress.refused and table in self.read_before:
            return "failed", read_before_words(table, progress.refused, _OR_ELSE.get(table, ""))
        if progress.refused:
            others_answer = any(other.day_count for other in self.endpoints.values())
            return "unavailable" if others_answer else "failed", str(progress.refused)
        return ("failed", self.fatal) if self.fatal else ("ok", None)

    def with_outcome(self, outcome: str) -> dict[str, str]:
        """Endpoints with this outcome, and the reason of each."""
        outcomes = {table: self.outcome(table) for table in self.endpoints}
        return {table: why or "" for table, (what, why) in outcomes.items() if what == outcome}


@dataclass(frozen=True)
class LoadProgress:
    """Where a load is: days of all endpoints together, and requests since it began."""

    days_done: int
    days_planned: int
    request_count: int


_OR_ELSE = {
    endpoint.table: ', or set [sources.claude_analytics] cost_api = "reports"'
    for endpoint in COST_API
}


def load(
    data_dir: DataDir,
    clock: Clock,
    settings: AnalyticsSettings,
    only: Collection[str] = (),
    *,
    is_optional: bool = False,
    backfill: Sequence[date] | None = None,
    reference_paths: Mapping[str, str] | None = None,
    on_progress: Callable[[LoadProgress], None] = lambda _: None,
) -> LoadReport:
    """Fetch what the plan misses (or the backfill asks for) and commit it, oldest days first;
    then replace the reference files' tables. `reference_paths` win over the configured ones,
    `only` names the tables to load. Where it `is_optional`, a warehouse that never read the API
    is loaded without a key.

    The caller holds the warehouse.

    Raises:
        ForeseenError: No key, a wrong setting, or a clock before the API's first day.
    """
    if clock.today < FIRST_DAY:
        raise ForeseenError(
            f"The clock says {clock.today}, and the API has no day before {FIRST_DAY}.\n"
            "Check --today, or the clock of this machine."
        )
    pipeline = warehouse_pipeline(data_dir)
    finish_pending(pipeline)
    pipeline.sync_destination()
    is_wanted = not only or any(endpoint.table in only for endpoint in EVERY_ENDPOINT)
    has_key = bool((settings.api_key or "").strip())
    if is_wanted and (has_key or not is_optional or fetched_days(pipeline)):
        report = _load_endpoints(pipeline, data_dir, clock, settings, only, backfill, on_progress)
    else:
        report = LoadReport(skipped=NO_KEY if is_wanted else None)
        # It names dlt's schema where nothing was loaded before.
        store(pipeline, [empty_endpoints([]), endpoint_runs([])])
    empty = _empty_reference_files(pipeline)
    store(pipeline, reference_files(reference_paths or {}, report.refusals, empty=empty))
    return report


def _load_endpoints(
    pipeline: dlt.Pipeline,
    data_dir: DataDir,
    clock: Clock,
    settings: AnalyticsSettings,
    only: Collection[str],
    backfill: Sequence[date] | None,
    on_progress: Callable[[LoadProgress], None],
) -> LoadReport:
    client = Client(
        base_url=settings.base_url,
        api_key=settings.api_key or "",
        budget=RateBudget(data_dir.rate_budget, settings.requests_per_minute),
        clock=clock.now if clock.is_set else None,
        connection=settings.connection,
    )

    def wanted(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        return [endpoint for endpoint in endpoints if not only or endpoint.table in only]

    engagement, money = wanted(ENDPOINTS), list[Endpoint]()
    with client, Fetcher(client, engagement) as fetcher:
        ledger = fetched_days(pipeline)
        read_before = set(ledger)
        newest = newest_day(client, ENDPOINTS[0], clock.today, settings.lag_days)
        plan = Plan(clock, settings, newest, backfill)
        days_planned = 0

        def fetch(endpoints: Sequence[Endpoint]) -> None:
            nonlocal days_planned
            ledger = fetched_days(pipeline, until=plan.clock.now)
            planned = plan.spans(endpoints, ledger)
            days_planned += sum(len(span.days) for span in planned)
            load_spans(
                pipeline, client, fetcher, planned, partial(_source, fetcher, plan, ledger=ledger)
            )

        fetcher.on_progress = lambda: on_progress(
            LoadProgress(fetcher.day_count, days_planned, client.request_count)
        )
        if client.server_now is None:
            fetcher.try_first(plan.spans(engagement, ledger))
        generation = None
        if not fetcher.fatal and wanted([*GENERATIONS["unified"], *GENERATIONS["reports"]]):
            # Asked of a day so long ago that every clock agrees that it has been.
            day = max(FIRST_DAY, clock.today - timedelta(days=30))
            generation = choose(client, settings.cost_api, known_generation(ledger), day)
            money = wanted(GENERATIONS[generation.name or "unified"])
            fetcher.watch(money)
            if generation.name is None:
                for endpoint in money:
                    fetcher.progress[endpoint.table].refused = generation.refusal
            elif client.server_now is None:
                fetcher.try_first(plan.spans(money, ledger))
        server_now = _server_now(clock, client, fetcher, settings.lag_days)
        agreed = clock.agreed(server_now)
        if agreed is not clock:
            plan = replace(plan, clock=agreed, newest=min(newest, _newest(agreed, settings)))
        if server_now and not fetcher.fatal:
            windows = {endpoint.table: plan.window(endpoint) for endpoint in EVERY_ENDPOINT}
            oldest = {table: days[0] for table, days in windows.items() if days}
            forget_future_days(pipeline, server_now, oldest)
        if not fetcher.fatal:
            fetch(engagement + [endpoint for endpoint in money if endpoint.totals is None])
        if not fetcher.fatal:
            # What the totals have shown to be new or moved.
            fetch([endpoint for endpoint in money if endpoint.totals is not None])
        report = LoadReport(
            endpoints=fetcher.progress,
            request_count=client.request_count,
            clock=plan.clock,
            note=clock_note(clock, server_now),
            fatal=str(fetcher.fatal) if fetcher.fatal else None,
            read_before=read_before,
            generation=generation,
        )
        runs = [
            _endpoint_run(plan, report, endpoint, client.requests_by_table[endpoint.table])
            for endpoint in [*engagement, *money]
        ]
        # The first one names dlt's schema where nothing was loaded before.
        store(pipeline, [_source(fetcher, plan, [], ledger={}), endpoint_runs(runs)])
    return report


def _source(
    fetcher: Fetcher, plan: Plan, endpoints: Sequence[Endpoint], *, ledger: Ledger
) -> DltSource:
    return claude_analytics(
        fetcher,
        endpoints,
        fetched_at=plan.clock.now,
        settle_after={endpoint.table: plan.settle_after(endpoint) for endpoint in endpoints},
        totals_hashes={
            table: {day: fetched.rows_hash for day, fetched in days.items()}
            for table, days in ledger.items()
        },
        moves_cursor=plan.backfill is None,
    )


def _endpoint_run(
    plan: Plan, report: LoadReport, endpoint: Endpoint, request_count: int
) -> dict[str, Any]:
    """One row per run and endpoint."""
    outcome, message = report.outcome(endpoint.table)
    progress = report.endpoints[endpoint.table]
    newest = min(plan.newest, progress.newest)
    if endpoint.kind == "money":
        totals = report.endpoints.get(endpoint.totals or endpoint.table, progress)
        refreshed_at = totals.refreshed_at or progress.refreshed_at
        # A moment at midnight completes the day before it.
        newest = (refreshed_at - timedelta(microseconds=1)).date() if refreshed_at else date.min
    days = plan.window(endpoint)
    return {
        "endpoint": endpoint.table,
        "kind": endpoint.kind,
        "run_at": plan.clock.now,
        "outcome": outcome,
        "message": message,
        "window_start_date": min(days, default=plan.clock.today),
        "newest_available_date": None if newest == date.min else newest,
        "request_count": request_count,
    }


def _newest(clock: Clock, settings: AnalyticsSettings) -> date:
    """The newest day that the API may have by this clock."""
    lag_days = 1 if settings.lag_days == "auto" else int(settings.lag_days)
    return clock.today - timedelta(days=lag_days)


def _server_now(clock: Clock, client: Client, fetcher: Fetcher, lag_days: str) -> datetime | None:
    """The API's own time: what its answers say, or the newest day that it says it has.

    The latter where the answers say nothing, or that the clock is behind: then something else
    than the API may have dated them.
    """
    said = client.server_now
    named = min((progress.newest for progress in fetcher.progress.values()), default=date.max)
    if (
        named < date.max
        and lag_days != "auto"
        and (said is None or clock.ahead_of(said) < -WORTH_SAYING)
    ):
        by_its_days = datetime.combine(named + timedelta(days=int(lag_days)), time(), UTC)
        if by_its_days < clock.now:
            return by_its_days
    return said


def newest_day(client: Client, endpoint: Endpoint, today: date, lag_days: str) -> date:
    """The newest day to ask for: today less the lag, or by the API's own word for "auto"."""
    if lag_days != "auto":
        return today - timedelta(days=int(lag_days))
    yesterday = today - timedelta(days=1)
    try:
        next(client.pages(endpoint, yesterday, yesterday))
    except NotAvailable as error:
        return min(error.newest, yesterday)
    except NotThisOrganisation:
        pass  # Nothing of it is loaded, then.
    return yesterday


def fetched_days(
    pipeline: dlt.Pipeline, until: datetime | None = None
) -> dict[str, dict[date, Fetched]]:
    """Each endpoint's days as they were last fetched: completely, without a rejected row.

    What was noted as fetched later than `until` does not count.
    """
    fetched: dict[str, dict[date, Fetched]] = {}
    rows = stored(pipeline, f"select * from loaded_days where {COMPLETE} order by fetched_at")
    for row in rows:
        if until and row["fetched_at"] > until + CLOSE_ENOUGH:
            continue
        days = fetched.setdefault(row["endpoint"], {})
        if row["rejected_row_count"]:
            days.pop(row["activity_date"], None)
        else:
            days[row["activity_date"]] = Fetched(
                row["fetched_at"].astimezone(UTC), row["rows_hash"], row.get("totals_hash")
            )
    return fetched


def load_spans(
    pipeline: dlt.Pipeline,
    client: Client,
    fetcher: Fetcher,
    planned: Sequence[Span],
    source: Callable[[Sequence[Endpoint]], DltSource],
) -> None:
    """Commit chunk by chunk, oldest days first: they are the next ones that the API forgets.

    A chunk is fetched while the one before it is written, and begins only when that one is
    safe on disk, so that a killed run has at most one chunk to fetch again.
    """
    waiting = deque(sorted(planned, key=lambda span: span.first))

    def start_next() -> list[Endpoint]:
        done = len(planned) - len(waiting)
        requests_per_span = max(1.0, client.request_count / done) if done else 1.0
        size = max(1, int(REQUESTS_PER_CHUNK / requests_per_span))
        chunk = [waiting.popleft() for _ in range(min(size, len(waiting)))]
        fetcher.start(chunk)
        return list({span.endpoint.table: span.endpoint for span in chunk}.values())

    endpoints = start_next()
    while endpoints:
        pipeline.extract(source(endpoints))
        endpoints = [] if fetcher.fatal else start_next()
        pipeline.normalize()
        pipeline.load()


def _empty_reference_files(pipeline: dlt.Pipeline) -> list[str]:
    known = known_tables(pipeline)
    tables = [file.table for file in FILES if file.table in known]
    query = " union all ".join(
        f"select '{table}' as name where not exists (select 1 from {table})" for table in tables
    )
    return [row["name"] for row in stored(pipeline, query)] if tables else []


@dlt.resource(
    name="endpoint_runs",
    write_disposition="merge",
    primary_key=("endpoint", "run_at"),
    columns=typed_columns(
        endpoint="text",
        kind="text",
        run_at="timestamp",
        outcome="text",
        message="text",
        window_start_date="date",
        newest_available_date="date",
        request_count="bigint",
    ),
)
def endpoint_runs(runs: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """One row per run and endpoint or roster: how it ended, and which days the API had then."""
    yield dlt.mark.materialize_table_schema()
    yield runs
