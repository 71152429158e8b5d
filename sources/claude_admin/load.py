"""Take a snapshot of the rosters and keep it: who has a seat, which role, group and limit."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime

import dlt

from sources.claude_admin import AdminSettings, claude_admin
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_admin.snapshot import ADMIN_API, Snapshot, check, take_snapshot
from sources.contract import EndpointReport, SourceReport
from sources.errors import ForeseenError, read_before_words
from sources.http import HttpClient, Refused
from sources.ledger import (
    COMPLETE,
    change,
    endpoint_runs,
    is_in_the_future,
    known_tables,
    moment_text,
    store,
    stored,
)
from sources.session import CLOSE_ENOUGH, Access, Session, clock_note

SPEND_LIMIT_REQUESTS_PER_MINUTE = 60
"""The spend-limit endpoints have a limit of their own (reference: Admin API, section 1.3)."""

NO_KEY = (
    "No key for the Admin API, so no roster: seats that never did anything, roles, groups "
    f"and people who left are unknown. Set {ADMIN_API.key_variable} to load them."
)


def missing(settings: AdminSettings) -> str | None:
    """Why no roster is read."""
    return None if (settings.api_key or "").strip() else NO_KEY


def load(session: Session, settings: AdminSettings) -> SourceReport:
    """Store a snapshot as validity ranges; without a key, do nothing."""
    pipeline, clock = session.pipeline, session.clock
    snapshot, counts = Snapshot(), dict[str, int]()
    report = SourceReport(unit="snapshot")
    newest = newest_snapshot(pipeline)
    if why := missing(settings):
        report.skipped = why
        return report
    if newest and clock.now < newest and not _is_future(session, settings, newest):
        report.skipped = (
            f"The newest roster is of {newest:%Y-%m-%d %H:%M} UTC, later than this run's clock "
            f"({clock.now:%Y-%m-%d %H:%M}). Rosters have no history, so this run takes none."
        )
        return report
    try:
        with roster_clients(session, settings) as (shared, of_spend_limits):
            snapshot = take_snapshot(
                lambda roster: of_spend_limits if roster.of_spend_limits else shared
            )
            counts = dict(shared.requests_by + of_spend_limits.requests_by)
            if server_now := shared.server_now:
                report.clock_note = clock_note(clock, server_now)
                clock = clock.agreed(server_now)
                if snapshot.rows:
                    forget_future_snapshots(pipeline, server_now)
    except ForeseenError as error:
        snapshot.failures["members"] = str(error)
    for table in snapshot.refused.keys() & _read_before(pipeline):
        snapshot.failures[table] = read_before_words(table, snapshot.refused.pop(table))
    if not snapshot.rows:
        snapshot.failures |= snapshot.refused
        snapshot.refused = {}
    report.endpoints = _endpoints(snapshot, counts)
    report.request_count = sum(counts.values())
    report.problems = list(dict.fromkeys(snapshot.failures.values()))
    if snapshot.rows:
        rosters = ", ".join(
            f"{len(rows):,} {table.replace('_', ' ')}" for table, rows in snapshot.rows.items()
        )
        report.summary = f"Took a snapshot of the roster: {rosters}."
    if snapshot.rows or snapshot.failures:
        store(
            pipeline,
            [
                claude_admin(snapshot.rows, clock.now),
                endpoint_runs(report.runs("roster", clock.now)),
            ],
        )
    return report


def _endpoints(snapshot: Snapshot, counts: dict[str, int]) -> dict[str, EndpointReport]:
    read = {
        table: EndpointReport(unit_count=1, row_count=len(rows))
        for table, rows in snapshot.rows.items()
    }
    refused = {
        table: EndpointReport(outcome="unavailable", message=why)
        for table, why in snapshot.refused.items()
    }
    failed = {
        table: EndpointReport(outcome="failed", message=why)
        for table, why in snapshot.failures.items()
    }
    endpoints = read | refused | failed
    for table, endpoint in endpoints.items():
        endpoint.request_count = counts.get(table, 0)
    return endpoints


def _read_before(pipeline: dlt.Pipeline) -> set[str]:
    """Rosters of which there is a snapshot."""
    query = f"select distinct roster_table from roster_snapshots where {COMPLETE}"
    return {row["roster_table"] for row in stored(pipeline, query)}


def newest_snapshot(pipeline: dlt.Pipeline) -> datetime | None:
    """The moment of the newest snapshot whose load is complete."""
    query = f"select max(snapshot_at) as newest from roster_snapshots where {COMPLETE}"
    newest: datetime | None = next((row["newest"] for row in stored(pipeline, query)), None)
    return newest.astimezone(UTC) if newest else None


def _is_future(session: Session, settings: AdminSettings, moment: datetime) -> bool:
    """The API's own time has not come to that moment yet; False where it cannot be asked."""
    with suppress(ForeseenError), roster_clients(session, settings) as (shared, _):
        with suppress(Refused):
            check(shared, ROSTERS[0])
        return bool(shared.server_now and shared.server_now + CLOSE_ENOUGH < moment)
    return False


@contextmanager
def roster_clients(
    access: Access, settings: AdminSettings
) -> Iterator[tuple[HttpClient, HttpClient]]:
    """Clients of the Admin API and of its spend limits, each with its own rate budget.

    Raises:
        ForeseenError: No usable key or address.
    """
    limit = settings.requests_per_minute
    limits = {
        "claude_admin": limit,
        "spend_limits": min(limit, SPEND_LIMIT_REQUESTS_PER_MINUTE),
    }
    with ExitStack() as stack:
        shared, of_spend_limits = (
            stack.enter_context(
                HttpClient(
                    ADMIN_API,
                    base_url=settings.base_url,
                    api_key=settings.api_key,
                    budget=access.budget(name, at_most),
                    clock=access.clock.now if access.clock.is_set else None,
                    connection=settings.connection,
                )
            )
            for name, at_most in limits.items()
        )
        yield shared, of_spend_limits


def forget_future_snapshots(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Undo the snapshots of the roster that were taken later than the server's own time."""
    now, known = moment_text(server_now), known_tables(pipeline)
    if is_in_the_future(pipeline, "roster_snapshots", "snapshot_at", now):
        tables = [roster.table for roster in ROSTERS if roster.table in known]
        change(
            pipeline,
            [
                *(f"delete from {table} where _dlt_valid_from > {now}" for table in tables),
                *(
                    f"update {table} set _dlt_valid_to = null where _dlt_valid_to > {now}"
                    for table in tables
                ),
                f"delete from roster_snapshots where snapshot_at > {now}",
            ],
        )
