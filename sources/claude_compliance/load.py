"""Run the activity feed into the warehouse: plan windows, and commit them one by one."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import dlt

from sources.claude_compliance import (
    ComplianceSettings,
    Reading,
    Storing,
    claude_compliance,
    fingerprint,
)
from sources.claude_compliance.activities import SCHEMA
from sources.claude_compliance.feed import COMPLIANCE_API, Feed
from sources.claude_compliance.windows import (
    FIRST_WINDOW_DAYS,
    ReadWindow,
    Window,
    days_to_read,
    next_length,
    next_window,
    settled_days,
)
from sources.contract import EndpointReport, SourceReport
from sources.door import NOBODY
from sources.errors import ForeseenError, KeyRefused, Refused, read_before_words
from sources.http import HttpClient
from sources.ledger import (
    BROKEN_OFF,
    COUNTS,
    change,
    counting_rows,
    is_in_the_future,
    moment_text,
    store,
    stored,
)
from sources.plausibility import shrunk_feed, stalled
from sources.session import CLOSE_ENOUGH, Access, Session, clock_note

NO_KEY = (
    "The activity feed is not read: no key is set for it.\n"
    "The audit marts stay as they are, or empty.\n"
    f"Set {COMPLIANCE_API.key_variable} to a key with the scope read:compliance_activities."
)


ENDPOINT = "activities"
FEED = "feed"
"""What `accept` is told."""


def missing(settings: ComplianceSettings) -> str | None:
    """Why the feed is not read."""
    return None if (settings.api_key or "").strip() else NO_KEY


def load(session: Session, settings: ComplianceSettings) -> SourceReport:
    """Read what the ledger misses of the feed, or what may have grown since, and the days of a
    backfill; oldest days first.

    Each window is committed before the next one begins. Whatever goes wrong is in the report.
    """
    report = SourceReport(unit="window")
    if why := missing(settings):
        report.skipped = why.splitlines()[0]
        return report
    if not session.door.asks_for(ENDPOINT):
        report.skipped = f"The activity feed is not read: {NOBODY.splitlines()[0]}"
        return report
    endpoint = report.endpoints[ENDPOINT] = EndpointReport(rejected_called="events")
    try:
        _load_windows(session, settings, report, endpoint)
    except KeyRefused as error:
        endpoint.outcome, endpoint.message = "failed", str(error)
    except Refused as error:
        endpoint.outcome, endpoint.message = "unavailable", str(error)
        if read_windows(session.pipeline):
            endpoint.outcome = "failed"
            endpoint.message = read_before_words("The activity feed", error)
    except ForeseenError as error:
        endpoint.outcome, endpoint.message = "failed", str(error)
    report.request_count = endpoint.request_count
    report.problems = list(report.with_outcome("failed").values())
    if endpoint.outcome != "unavailable":
        report.summary = (
            f"Read {endpoint.row_count:,} events of the activity feed "
            f"with {endpoint.request_count} requests."
        )
    report.note_runs("feed", (report.clock or session.clock).now)
    return report


def first_day_of(settings: ComplianceSettings) -> date | None:
    """The day from which the settings want the feed; None: as far as it goes back.

    Raises:
        ForeseenError: It is no day.
    """
    if not settings.first_day:
        return None
    try:
        return date.fromisoformat(settings.first_day)
    except ValueError:
        raise ForeseenError(
            f"[sources.claude_compliance] first_day is {settings.first_day!r}.\n"
            "It is the UTC day from which the activity feed is read.\n"
            "Write it as 2026-01-31, or remove it: the feed is then read from its oldest event."
        ) from None


def client_of(access: Access, settings: ComplianceSettings) -> HttpClient:
    """The client of the Compliance API, with the rate budget that this API has for itself.

    Raises:
        ForeseenError: No usable key or address.
    """
    return HttpClient(
        COMPLIANCE_API,
        base_url=settings.base_url,
        api_key=settings.api_key,
        budget=access.budget(COMPLIANCE_API.section, settings.requests_per_minute),
        clock=access.clock.now if access.clock.is_set else None,
        connection=settings.connection,
    )


def read_windows(pipeline: dlt.Pipeline) -> list[ReadWindow]:
    """Windows in the ledger that were read to their end, and whose load is complete."""
    rows = stored(
        pipeline,
        f"select from_at, to_at, read_at from activity_windows where {COUNTS}"
        f" and outcome <> '{BROKEN_OFF}'",
    )
    return [
        ReadWindow(
            Window(row["from_at"].astimezone(UTC), row["to_at"].astimezone(UTC)),
            row["read_at"].astimezone(UTC),
        )
        for row in rows
    ]


def _load_windows(
    session: Session,
    settings: ComplianceSettings,
    report: SourceReport,
    endpoint: EndpointReport,
) -> None:
    pipeline, clock = session.pipeline, session.clock
    overlap = timedelta(hours=settings.overlap_hours)
    wanted = first_day_of(settings)
    with client_of(session, settings) as client:
        feed = Feed(client, settings.activities_path)
        try:
            feed.check()  # Its answer tells the API's own time, which no window may reach beyond.
            session.owners.see(COMPLIANCE_API.section, COMPLIANCE_API.key_variable, client)
            if client.server_now:
                report.clock_note = clock_note(clock, client.server_now)
                forget_future_windows(pipeline, client.server_now)
            report.clock = clock.agreed(client.server_now)
            now = report.clock.now
            read = [each for each in read_windows(pipeline) if each.read_at <= now + CLOSE_ENOUGH]
            first_day = wanted or min((each.window.start.date() for each in read), default=None)
            if first_day is None:
                # Not later than what may still appear, or its day would never be read.
                first_day = min(feed.first_day(now.date()), (now - overlap).date())
            is_any_doubted = False
            planned = days_to_read(first_day, now, settled_days(read, overlap))
            days = sorted({*planned, *session.backfill})
            length = FIRST_WINDOW_DAYS
            while days:
                reading = Reading(next_window(days, length, now))
                storing = Storing(
                    read_at=now,
                    run_number=session.run_number,
                    fetch_number=next(session.numbers),
                    known=known_events(pipeline, reading.window),
                    is_doubted=partial(_is_doubted, session, reading.window),
                    door=session.door,
                )
                store(pipeline, claude_compliance(feed, reading, storing))
                if reading.error:
                    endpoint.row_count += reading.activity_count
                    raise reading.error
                if reading.is_too_long:
                    length = max(length // 2, 1)
                    continue
                is_any_doubted = is_any_doubted or reading.is_doubted
                endpoint.unit_count += 1
                endpoint.row_count += reading.activity_count
                endpoint.rejected_count += len(reading.rejected)
                days = days[len(reading.window.days) :]
                length = next_length(length, reading.page_count)
            if not is_any_doubted:
                session.doubts.none(FEED)
            _say_stalled(session)
        finally:
            endpoint.request_count = client.request_count


def _is_doubted(session: Session, window: Window, came: int, known: int) -> bool:
    """Whether a window is read again because it came with too few of its known events."""
    changed_at = session.owners.changed_at(COMPLIANCE_API.section)
    if changed_at and window.start < changed_at:
        return False  # They are of another organisation.
    doubt = shrunk_feed(FEED, window.days, known, came, session.limits)
    return doubt is not None and not session.doubts.allows(doubt)


def _say_stalled(session: Session) -> None:
    """Say that the feed ends though people were active since."""
    query = f"""
        select
            (select max(created_at) from activities) as newest,
            (select max(activity_date) from {counting_rows("users")}) as active_on
    """
    for row in stored(session.pipeline, query):
        if row["newest"] and row["active_on"]:
            newest = row["newest"].astimezone(UTC).date()
            if doubt := stalled("activities of the feed", newest, row["active_on"], session.limits):
                session.doubts.allows(doubt)


def known_events(pipeline: dlt.Pipeline, window: Window) -> dict[str, int]:
    """A fingerprint of each of the window's events that count, by its id."""
    rows = stored(
        pipeline,
        f"""
        select {", ".join(SCHEMA.names)} from activities
        where created_at >= timestamp with time zone '{window.start.isoformat(sep=" ")}'
            and created_at < timestamp with time zone '{window.end.isoformat(sep=" ")}'
            and version in (select version from activity_windows where {COUNTS})
        order by version
        """,
    )
    return {row["id"]: fingerprint(row) for row in rows}


def forget_future_windows(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Let what was read of the feed later than the server's own time be read again."""
    now = moment_text(server_now)
    if is_in_the_future(pipeline, "activity_windows", "greatest(read_at, to_at)", now):
        change(pipeline, [f"delete from activity_windows where read_at > {now} or to_at > {now}"])
