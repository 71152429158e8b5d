"""Load the Analytics API: plan days, fetch them, and commit them in chunks."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltSource

from sources.claude_analytics import AnalyticsSettings, Counting, Storing, claude_analytics
from sources.claude_analytics.client import (
    ANALYTICS_API,
    Client,
    NotAvailable,
    NotThisOrganisation,
)
from sources.claude_analytics.doubted import Judge
from sources.claude_analytics.endpoints import (
    CHILD,
    COST_API,
    ENDPOINTS,
    EVERY_ENDPOINT,
    Endpoint,
)
from sources.claude_analytics.fetch import Fetcher, Progress
from sources.claude_analytics.generation import WORDS, Generation, choose
from sources.claude_analytics.kinds import KINDS, Kind
from sources.claude_analytics.plan import (
    Fetched,
    Ledger,
    Plan,
    Span,
    known_generation,
)
from sources.contract import EndpointReport, Outcome, SourceReport
from sources.days import FIRST_DAY
from sources.door import NOBODY, Door
from sources.doubts import Doubt
from sources.errors import AnotherOrganisation, ApiError, ForeseenError, read_before_words
from sources.ledger import (
    COUNTS,
    change,
    extract,
    is_in_the_future,
    known_columns,
    moment_text,
    of_organization,
    stored,
)
from sources.organisation import Further
from sources.plausibility import DoubtSettings, stalled
from sources.session import (
    WORTH_SAYING,
    Access,
    Clock,
    LoadProgress,
    Session,
    clock_note,
)

REQUESTS_PER_CHUNK = 55
"""About how much a killed run has to fetch again at most: with what each run asks first, a minute
of the API's default limit.

How many pages a span has is only known from those before it."""

NO_KEY = (
    "The Analytics API is not read: no key is set for it, and another source is.\n"
    "The marts about Claude stay empty.\n"
    f"Set {ANALYTICS_API.key_variable} to load them."
)

log = logging.getLogger(__name__)

# Arrow's own allocator keeps the memory of past pages; this one gives it back.
pa.set_memory_pool(pa.system_memory_pool())


_OR_ELSE = {
    endpoint.table: ', or set [sources.claude_analytics] cost_api = "reports"'
    for endpoint in COST_API
}


def load(session: Session, settings: AnalyticsSettings) -> SourceReport:
    """Fetch what the plan misses (or the backfill asks for) and commit it, oldest days first.

    Where another source is set up, a warehouse that never read the API is loaded without a key.

    Raises:
        ForeseenError: No key, a wrong setting, or a clock before the API's first day.
    """
    if session.clock.today < FIRST_DAY:
        raise ForeseenError(
            f"The clock says {session.clock.today}, and the API has no day before {FIRST_DAY}.\n"
            "Check --today, or the clock of this machine."
        )
    if missing(settings) and not session.is_alone and not fetched_days(session.pipeline):
        return SourceReport(unit="day", skipped=NO_KEY)
    return _load_endpoints(session, settings)


def missing(settings: AnalyticsSettings) -> str | None:
    """Why nothing of the API is read."""
    return None if (settings.api_key or "").strip() else NO_KEY


def client_of(access: Access, settings: AnalyticsSettings) -> Client:
    """Raises:
    ForeseenError: No usable key or address.
    """
    name = f"claude_analytics_{access.further.name}" if access.further else "claude_analytics"
    return Client(
        base_url=settings.base_url,
        api_key=settings.api_key or "",
        budget=access.budget(name, settings.requests_per_minute),
        clock=access.clock.now if access.clock.is_set else None,
        connection=settings.connection,
        further=access.further,
    )


def _load_endpoints(session: Session, settings: AnalyticsSettings) -> SourceReport:
    pipeline, clock, further = session.pipeline, session.clock, session.further
    kind = KINDS[further.kind if further else "enterprise"]
    client = client_of(session, settings)
    # Whose rows they are has to be known before any is stored, or looked for.
    organization: str | None = None
    left_out: list[str] = []

    def wanted(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
        only, door = session.only, session.door
        return [
            endpoint
            for endpoint in endpoints
            if (not only or endpoint.table in only) and door.asks_for(endpoint.table)
        ]

    engagement, money = wanted(kind.engagement), list[Endpoint]()
    with client, Fetcher(client, engagement) as fetcher:
        fetcher.told = session.door.text
        if further:
            try:
                found = client.organisation(session.owners)
            except ForeseenError as error:
                return _not_told(further, kind, session, str(error))
            assert found is not None
            organization = found.id
            if further.kind == "parent":
                try:
                    told = _children(client, kind.generations["unified"][0], clock.today)
                except ApiError as error:
                    return _not_told(further, kind, session, str(error))
                if twice := _told_twice(session, further, told):
                    return _not_told(further, kind, session, twice)
                left_out = _left_out(pipeline, session, told | {found.id})
        ledger = fetched_days(pipeline, organization)
        read_before = set(ledger)
        newest = newest_day(client, (engagement or ENDPOINTS)[0], clock.today, settings.lag_days)
        plan = Plan(clock, settings, newest, session.backfill)
        days_planned = 0

        def fetch(endpoints: Sequence[Endpoint]) -> None:
            nonlocal days_planned
            ledger = fetched_days(pipeline, organization, until=plan.clock.now)
            planned = plan.spans(endpoints, ledger)
            days_planned += sum(len(span.days) for span in planned)
            counting = counting_versions(pipeline, organization)
            storing = _storing(session, plan, ledger, counting, organization)
            source = partial(claude_analytics, fetcher, storing=storing)
            load_spans(pipeline, client, fetcher, planned, source)

        fetcher.on_progress = lambda: session.on_progress(
            LoadProgress(fetcher.day_count, days_planned, client.request_count)
        )
        if client.server_now is None:
            fetcher.try_first(plan.spans(engagement, ledger))
        generation = None
        every_money = [each for found in kind.generations.values() for each in found]
        if not fetcher.fatal and wanted(every_money):
            # Asked of a day so long ago that every clock agrees that it has been.
            day = max(FIRST_DAY, clock.today - timedelta(days=30))
            client.was_fine = _was_fine(pipeline, organization)
            known = known_generation(ledger, kind.generations)
            generation = choose(client, kind.generations, settings.cost_api, known, day)
            money = wanted(kind.generations[generation.name or "unified"])
            if settings.hourly and generation.name == "unified":
                money += wanted(kind.hourly)
            fetcher.watch(money)
            if generation.name is None:
                for endpoint in money:
                    fetcher.progress[endpoint.table].refused = generation.refusal
            elif client.server_now is None:
                fetcher.try_first(plan.spans(money, ledger))
        if client.request_count and not fetcher.fatal and not further:
            try:
                client.organisation(session.owners)
            except AnotherOrganisation as error:
                fetcher.fatal = error
        server_now = _server_now(clock, client, fetcher, settings.lag_days)
        agreed = clock.agreed(server_now)
        if changed_at := session.owners.changed_at(ANALYTICS_API.section):
            plan = replace(plan, owned_since=changed_at.date())
        if agreed is not clock:
            plan = replace(plan, clock=agreed, newest=min(newest, _newest(agreed, settings)))
        if server_now and not fetcher.fatal:
            windows = {endpoint.table: plan.window(endpoint) for endpoint in EVERY_ENDPOINT}
            oldest = {table: days[0] for table, days in windows.items() if days}
            forget_future_days(pipeline, server_now, oldest)
        judge = Judge(
            pipeline,
            session.doubts,
            session.limits,
            plan.clock.now,
            plan.owned_since,
            organization,
            further.name if further else "",
        )
        fetcher.judge = judge.apart
        # The totals show what of the others is new or moved.
        of_totals = [endpoint for endpoint in money if endpoint.totals is None]
        others = [endpoint for endpoint in money if endpoint.totals is not None]
        for endpoints in ([*engagement, *of_totals], others):
            if not fetcher.fatal:
                fetch(endpoints)
            again = [each for each in endpoints if each.table in judge.kept_apart]
            if again and not fetcher.fatal:
                judge.ask_again(again)
                fetch(again)
        judge.end()
        of = f" ({further.name})" if further else ""
        for doubt in _stalls(plan, fetcher, session.limits, of):
            session.doubts.allows(doubt)
        report = _report(fetcher, client, read_before, session.door)
        report.endpoints |= {
            endpoint.table: EndpointReport(outcome="unavailable", message=NOBODY)
            for endpoint in kind.engagement
            if not session.door.asks_for(endpoint.table)
        }
        report.clock, report.clock_note = plan.clock, clock_note(clock, server_now)
        if generation:
            report.details = _generation_words(generation) + _coarse_words(client)
        not_asked = SourceReport(
            unit="day",
            endpoints={
                table: each for table, each in report.endpoints.items() if each.message == NOBODY
            },
        )
        not_asked.note_runs("engagement", plan.clock.now)
        report.endpoint_runs = [
            {**_endpoint_run(plan, report, fetcher.progress, each), "organization_id": organization}
            for each in [*engagement, *money]
        ] + not_asked.endpoint_runs
        if further and report.summary:
            report.summary = f"{found}: {report.summary}"
        report.details += left_out
    return report


def _not_told(further: Further, kind: Kind, session: Session, why: str) -> SourceReport:
    """What a further organisation's load says that could not begin; its days stay wanted."""
    report = SourceReport(unit="day", fatal=why, problems=[why])
    if known := session.owners.known(further):
        report.endpoint_runs = [
            {
                "endpoint": endpoint.table,
                "organization_id": known,
                "kind": endpoint.kind,
                "run_at": session.clock.now,
                "outcome": "failed",
                "message": why,
                "request_count": 0,
            }
            for endpoint in [*kind.engagement, *kind.generations["unified"]]
        ]
    return report


def _children(client: Client, totals: Endpoint, today: date) -> set[str]:
    """The organisations that a parent's key has told of in the last 31 days."""
    first = max(FIRST_DAY, today - timedelta(days=30))
    found = {
        id
        for page in client.pages(totals, first, today)
        for id in page.rows[CHILD].unique().to_pylist()
    }
    return found - {None}


def _told_twice(session: Session, further: Further, told: Collection[str]) -> str | None:
    """Why the parent is not read: a child of it has a key of its own, too."""
    twice = {id: session.owners.covers(id) for id in sorted(told)}
    named = [f"{id} ({by})" for id, by in twice.items() if by]
    if not named:
        return None
    return (
        f"{further.key_variable} tells what {', '.join(named)} cost, and so does a key of its own."
        "\nIt would count twice, so nothing was read with the parent's key.\n"
        f"Remove the child's own key, or [{further.section}]."
    )


def _left_out(pipeline: dlt.Pipeline, session: Session, told: Collection[str]) -> list[str]:
    """Organisations that the activity feed names and no key tells the cost of: the API leaves out
    children with HIPAA readiness without a word."""
    rows = stored(
        pipeline,
        "select distinct coalesce(organization_uuid, organization_id) as id from activities"
        f" where version in (select version from activity_windows where {COUNTS})",
    )
    named = sorted(
        row["id"]
        for row in rows
        if row["id"] and row["id"] not in told and not session.owners.covers(row["id"])
    )
    if not named:
        return []
    return [
        f"Not in the parent's cost, though the activity feed names them: {', '.join(named)}.",
        "The API leaves out children with HIPAA readiness; they take a key of their own.",
    ]


def _stalls(plan: Plan, fetcher: Fetcher, limits: DoubtSettings, of: str) -> Iterator[Doubt]:
    """What the API has had nothing newer of for long, as far as it was asked."""
    for table, progress in fetcher.progress.items():
        newest, expected = progress.newest, plan.newest
        if progress.refreshed_at:
            newest, expected = progress.refreshed_at.date(), plan.clock.today
        if newest < date.max and (
            found := stalled(f"{table} of the API{of}", newest, expected, limits)
        ):
            yield found


def _report(
    fetcher: Fetcher, client: Client, read_before: Collection[str], door: Door
) -> SourceReport:
    fatal = str(fetcher.fatal) if fetcher.fatal else None
    endpoints = {}
    for table, progress in fetcher.progress.items():
        others_answer = any(other.day_count for other in fetcher.progress.values())
        outcome, message = _outcome(table, progress, fatal, others_answer, table in read_before)
        endpoints[table] = EndpointReport(
            outcome=outcome,
            message=message,
            unit_count=progress.day_count,
            row_count=progress.row_count,
            rejected_count=progress.rejected_count,
            request_count=client.requests_by_table[table],
            undeclared={door.field_name(name) for name in progress.undeclared},
            closed_days=progress.closed_days,
        )
    report = SourceReport(
        unit="day", endpoints=endpoints, fatal=fatal, request_count=client.request_count
    )
    failed = report.with_outcome("failed").values()
    report.problems = [fatal] if fatal else list(dict.fromkeys(failed))
    if endpoints:
        report.summary = (
            f"Loaded {report.unit_count} endpoint days ({report.row_count:,} rows) "
            f"with {report.request_count} requests."
        )
    return report


def _outcome(
    table: str, progress: Progress, fatal: str | None, others_answer: bool, was_read: bool
) -> tuple[Outcome, str | None]:
    """How the endpoint fared, and why.

    It is unavailable when it is refused while another of the same source answers: the key works,
    and this organisation or key does not have it. One that was read before is refused by mistake,
    or for tonight.
    """
    if progress.failures:
        return "failed", progress.failures[0]
    if progress.refused and was_read:
        return "failed", read_before_words(table, progress.refused, _OR_ELSE.get(table, ""))
    if progress.refused:
        return "unavailable" if others_answer else "failed", str(progress.refused)
    return ("failed", fatal) if fatal else ("ok", None)


def _generation_words(generation: Generation) -> list[str]:
    changed = ", from now on" if generation.is_changed else ""
    source = (
        WORDS[generation.name] if generation.name else "nowhere: both of their APIs are refused"
    )
    reasons = str(generation.refusal or "").splitlines()[:2]
    return [f"Cost and usage come from {source}{changed}.", *(f"  {line}" for line in reasons)]


def _coarse_words(client: Client) -> list[str]:
    words = []
    for endpoint in COST_API:
        if refused := client.coarse.get(endpoint.table):
            words += [
                f"{endpoint.table} come without {', '.join(endpoint.finer)}, which stay unknown:",
                *(f"  {line}" for line in str(refused).splitlines()[:2]),
            ]
    return words


def _was_fine(pipeline: dlt.Pipeline, organization: str | None) -> dict[str, bool]:
    """Of each table with rows, whether any tells of a dimension that not every organisation has."""
    known = known_columns(pipeline)
    found = {}
    for endpoint in COST_API:
        names = [f"group__{each}" for each in endpoint.finer]
        there = [name for name in names if name in known.get(endpoint.table, ())]
        if not there:
            continue
        is_told = " or ".join(f"{name} is not null" for name in there)
        one = (
            f"select 1 from {endpoint.table} where version in"
            f" (select version from loaded_days where {of_organization(organization)})"
        )
        if stored(pipeline, f"{one} limit 1"):
            found[endpoint.table] = bool(stored(pipeline, f"{one} and ({is_told}) limit 1"))
    return found


def _storing(
    session: Session,
    plan: Plan,
    ledger: Ledger,
    counting: Mapping[str, Mapping[date, Counting]],
    organization: str | None,
) -> Storing:
    return Storing(
        fetched_at=plan.clock.now,
        run_number=session.run_number,
        numbers=session.numbers,
        settle_after=plan.settle_after,
        totals_hashes={
            table: {day: fetched.rows_hash for day, fetched in days.items()}
            for table, days in ledger.items()
        },
        counting=counting,
        moves_cursor=not plan.backfill,
        door=session.door,
        organization_id=organization,
    )


def _endpoint_run(
    plan: Plan, report: SourceReport, progresses: Mapping[str, Progress], endpoint: Endpoint
) -> dict[str, Any]:
    """One row per run and endpoint."""
    endpoint_report, progress = report.endpoints[endpoint.table], progresses[endpoint.table]
    newest = min(plan.newest, progress.newest)
    if endpoint.kind == "money":
        totals = progresses.get(endpoint.totals or endpoint.table, progress)
        refreshed_at = totals.refreshed_at or progress.refreshed_at
        # A moment at midnight completes the day before it.
        newest = (refreshed_at - timedelta(microseconds=1)).date() if refreshed_at else date.min
    days = plan.window(endpoint)
    return {
        "endpoint": endpoint.table,
        "kind": endpoint.kind,
        "run_at": plan.clock.now,
        "outcome": endpoint_report.outcome,
        "message": endpoint_report.message,
        "window_start_date": min(days, default=plan.clock.today),
        "newest_available_date": None if newest == date.min else newest,
        "request_count": endpoint_report.request_count,
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
    pipeline: dlt.Pipeline, organization: str | None = None, until: datetime | None = None
) -> dict[str, dict[date, Fetched]]:
    """Each endpoint's days of an organisation (None: the first one) as they were last fetched:
    completely, without a rejected row.

    What was noted as fetched later than `until` does not count, nor does a day of whose version
    more or fewer rows are stored than its ledger says.
    """
    fetched: dict[str, dict[date, Fetched]] = {}
    for row in _newest_fetches(pipeline, organization, until):
        days = fetched.setdefault(row["endpoint"], {})
        if row["is_whole"] and not row["rejected_row_count"]:
            days[row["activity_date"]] = Fetched(
                row["fetched_at"].astimezone(UTC), row["rows_hash"], row["totals_hash"]
            )
    return fetched


def counting_versions(
    pipeline: dlt.Pipeline, organization: str | None = None
) -> dict[str, dict[date, Counting]]:
    """The version of each endpoint's days that counts, if as many rows are stored as it has."""
    counting: dict[str, dict[date, Counting]] = {}
    for row in _newest_fetches(pipeline, organization):
        if row["is_whole"]:
            version = Counting(row["version"], row["rows_hash"], row["rejected_hash"])
            counting.setdefault(row["endpoint"], {})[row["activity_date"]] = version
    return counting


def _newest_fetches(
    pipeline: dlt.Pipeline, organization: str | None, until: datetime | None = None
) -> list[dict[str, Any]]:
    """The row of the ledger by which each day counts, and whether its rows are stored once."""
    known = known_columns(pipeline)
    counts = " union all ".join(
        f"select '{table}' as endpoint, version, count(*) as stored_row_count from {table}"
        " where version is not null group by version"
        for table in sorted({endpoint.table for endpoint in EVERY_ENDPOINT} & known.keys())
        if "version" in known[table]
    )
    if not counts:
        return []
    earlier = f"and fetched_at <= {moment_text(until)}" if until else ""
    return stored(
        pipeline,
        f"""
        select
            fetches.*,
            fetches.row_count = coalesce(counts.stored_row_count, 0) as is_whole
        from (
            select
                loaded_days.*,
                row_number() over (
                    partition by endpoint, activity_date order by fetch_number desc
                ) as fetches_since
            from loaded_days
            where {COUNTS} and {of_organization(organization)} {earlier}
        ) as fetches
        left join ({counts}) as counts
            on fetches.endpoint = counts.endpoint and fetches.version = counts.version
        where fetches.fetches_since = 1
        """,
    )


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
        extract(pipeline, source(endpoints))
        endpoints = [] if fetcher.fatal else start_next()
        pipeline.normalize()
        pipeline.load()


def forget_future_days(
    pipeline: dlt.Pipeline, server_now: datetime, oldest: dict[str, date]
) -> None:
    """Let days that were fetched later than the server's own time be fetched again.

    Days before `oldest` of their endpoint cannot be: they stay as they are. Days that have not
    begun go out of the ledger, so that their rows count nowhere.
    """
    now, today = moment_text(server_now), server_now.date()
    if not is_in_the_future(pipeline, "loaded_days", "fetched_at", now):
        change(pipeline, [f"delete from endpoint_runs where run_at > {now}"], {"endpoint_runs"})
        return
    change(
        pipeline,
        [
            f"delete from loaded_days where activity_date > date '{today}'",
            *(
                f"update loaded_days set fetched_at = {now} where endpoint = '{table}'"
                f" and fetched_at > {now} and activity_date < date '{day}'"
                for table, day in oldest.items()
            ),
            # Before the day began, so that it has not settled by any rule.
            "update loaded_days set fetched_at = activity_date - interval '1 day'"
            f" where fetched_at > {now}",
            f"delete from endpoint_runs where run_at > {now}",
        ],
    )
    log.warning(
        "An earlier run had a clock that was ahead: what it noted as read later than %s "
        "is read again.",
        f"{server_now:%Y-%m-%d %H:%M} UTC",
    )
