"""Run the activity feed into the warehouse: plan windows, and commit them one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dlt
from pipelines.data_dir import DataDir
from pipelines.future import forget_future_windows
from pipelines.raw_tables import COMPLETE, store, stored

from sources.claude_analytics.load import endpoint_runs
from sources.claude_compliance import ComplianceSettings, Reading, claude_compliance
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
from sources.errors import ForeseenError, read_before_words
from sources.http import HttpClient, KeyRefused, Refused
from sources.rate_budget import RateBudget
from sources.session import CLOSE_ENOUGH, Clock, clock_note

NO_KEY = (
    "The activity feed is not read: no key is set for it.\n"
    "The audit marts stay as they are, or empty.\n"
    f"Set {COMPLIANCE_API.key_variable} to a key with the scope read:compliance_activities."
)


@dataclass
class ActivitiesReport:
    """What a load of the activity feed did.

    Attributes:
        outcome: `ok`, `not_asked`, `no_key`, `unavailable` (this organisation or key does not
            have it), or `failed`.
        message: Why, unless it is ok.
        activity_count: Events that arrived, those known before included.
        run_at: The lesser of the run's clock and the API's.
        note: What to say of the difference between them.
    """

    outcome: str = "ok"
    message: str | None = None
    window_count: int = 0
    activity_count: int = 0
    rejected_count: int = 0
    request_count: int = 0
    run_at: datetime | None = None
    note: str | None = None

    @property
    def problems(self) -> list[str]:
        return [self.message or ""] if self.outcome == "failed" else []


def load_activities(
    pipeline: dlt.Pipeline,
    data_dir: DataDir,
    clock: Clock,
    settings: ComplianceSettings | None,
    backfill: Sequence[date] = (),
) -> ActivitiesReport:
    """Read what the ledger misses of the feed, or what may have grown since, and the days of a
    backfill; oldest days first.

    Each window is committed before the next one begins. Whatever goes wrong is in the report. The
    caller holds the warehouse, and has finished what an earlier run left pending.
    """
    report = ActivitiesReport()
    if settings is None:
        report.outcome = "not_asked"
    elif not (settings.api_key or "").strip():
        report.outcome, report.message = "no_key", NO_KEY
    else:
        try:
            _load_windows(pipeline, data_dir, clock, settings, report, backfill)
        except KeyRefused as error:
            report.outcome, report.message = "failed", str(error)
        except Refused as error:
            report.outcome, report.message = "unavailable", str(error)
            if read_windows(pipeline):
                report.outcome = "failed"
                report.message = read_before_words("The activity feed", error)
        except ForeseenError as error:
            report.outcome, report.message = "failed", str(error)
    if report.outcome not in ("no_key", "not_asked"):
        store(pipeline, endpoint_runs([_run(clock, report)]))
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


def compliance_client(data_dir: DataDir, settings: ComplianceSettings, clock: Clock) -> HttpClient:
    """The client of the Compliance API, with the rate budget that this API has for itself.

    Raises:
        ForeseenError: No usable key or address.
    """
    return HttpClient(
        COMPLIANCE_API,
        base_url=settings.base_url,
        api_key=settings.api_key,
        budget=RateBudget(
            data_dir.rate_budget_of(COMPLIANCE_API.section), settings.requests_per_minute
        ),
        clock=clock.now if clock.is_set else None,
        connection=settings.connection,
    )


def read_windows(pipeline: dlt.Pipeline) -> list[ReadWindow]:
    """Windows in the ledger whose load is complete."""
    rows = stored(
        pipeline, f"select from_at, to_at, read_at from activity_windows where {COMPLETE}"
    )
    return [
        ReadWindow(
            Window(row["from_at"].astimezone(UTC), row["to_at"].astimezone(UTC)),
            row["read_at"].astimezone(UTC),
        )
        for row in rows
    ]


def _load_windows(
    pipeline: dlt.Pipeline,
    data_dir: DataDir,
    clock: Clock,
    settings: ComplianceSettings,
    report: ActivitiesReport,
    backfill: Sequence[date],
) -> None:
    overlap = timedelta(hours=settings.overlap_hours)
    wanted = first_day_of(settings)
    with compliance_client(data_dir, settings, clock) as client:
        feed = Feed(client, settings.activities_path)
        try:
            feed.check()  # Its answer tells the API's own time, which no window may reach beyond.
            if client.server_now:
                report.note = clock_note(clock, client.server_now)
                forget_future_windows(pipeline, client.server_now)
            report.run_at = now = clock.agreed(client.server_now).now
            read = [each for each in read_windows(pipeline) if each.read_at <= now + CLOSE_ENOUGH]
            first_day = wanted or min((each.window.start.date() for each in read), default=None)
            if first_day is None:
                # Not later than what may still appear, or its day would never be read.
                first_day = min(feed.first_day(now.date()), (now - overlap).date())
            planned = days_to_read(first_day, now, settled_days(read, overlap))
            days = sorted({*planned, *backfill})
            length = FIRST_WINDOW_DAYS
            while days:
                reading = Reading(next_window(days, length, now))
                store(pipeline, claude_compliance(feed, reading, read_at=now))
                if reading.error:
                    report.activity_count += reading.activity_count
                    raise reading.error
                if reading.is_too_long:
                    length = max(length // 2, 1)
                    continue
                report.window_count += 1
                report.activity_count += reading.activity_count
                report.rejected_count += len(reading.rejected)
                days = days[len(reading.window.days) :]
                length = next_length(length, reading.page_count)
        finally:
            report.request_count = client.request_count


def _run(clock: Clock, report: ActivitiesReport) -> dict[str, object]:
    """The line of this run in endpoint_runs, for `status`."""
    return {
        "endpoint": "activities",
        "kind": "feed",
        "run_at": report.run_at or clock.now,
        "outcome": report.outcome,
        "message": report.message,
        "request_count": report.request_count,
    }
