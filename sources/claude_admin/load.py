"""Take a snapshot of the rosters and keep it: who has a seat, which role, group and limit."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import dlt
from pipelines.data_dir import DataDir
from pipelines.future import forget_future_snapshots
from pipelines.raw_tables import COMPLETE, store, stored

from sources.claude_admin import AdminSettings, claude_admin
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_admin.snapshot import ADMIN_API, Snapshot, check, take_snapshot
from sources.claude_analytics.load import endpoint_runs
from sources.errors import ForeseenError, read_before_words
from sources.http import HttpClient, Refused
from sources.rate_budget import RateBudget
from sources.session import CLOSE_ENOUGH, Clock, clock_note

SPEND_LIMIT_REQUESTS_PER_MINUTE = 60
"""The spend-limit endpoints have a limit of their own (reference: Admin API, section 1.3)."""

NO_KEY = (
    "No key for the Admin API, so no roster: seats that never did anything, roles, groups "
    f"and people who left are unknown. Set {ADMIN_API.key_variable} to load them."
)


@dataclass
class RosterReport:
    """What a snapshot of the rosters brought.

    Attributes:
        skipped: Why no snapshot was taken, though nothing failed.
        row_counts: Rows of each roster that was read.
        unavailable: Rosters that this key or organisation does not have, and why.
        problems: Messages of what failed.
        note: What to say of the difference between the run's clock and the API's.
    """

    skipped: str | None = None
    row_counts: dict[str, int] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    request_count: int = 0
    note: str | None = None


def load_roster(
    pipeline: dlt.Pipeline, data_dir: DataDir, clock: Clock, settings: AdminSettings | None
) -> RosterReport:
    """Store a snapshot as validity ranges; without settings or a key, do nothing.

    The caller holds the warehouse.
    """
    report = RosterReport()
    snapshot, counts = Snapshot(), dict[str, int]()
    newest = newest_snapshot(pipeline)
    if settings is None:
        pass
    elif not settings.api_key:
        report.skipped = NO_KEY
    elif newest and clock.now < newest and not _is_future(data_dir, clock, settings, newest):
        report.skipped = (
            f"The newest roster is of {newest:%Y-%m-%d %H:%M} UTC, later than this run's clock "
            f"({clock.now:%Y-%m-%d %H:%M}). Rosters have no history, so this run takes none."
        )
    else:
        try:
            with roster_clients(data_dir, clock, settings) as (shared, of_spend_limits):
                snapshot = take_snapshot(
                    lambda roster: of_spend_limits if roster.of_spend_limits else shared
                )
                counts = dict(shared.requests_by + of_spend_limits.requests_by)
                if server_now := shared.server_now:
                    report.note = clock_note(clock, server_now)
                    clock = clock.agreed(server_now)
                    if snapshot.rows:
                        forget_future_snapshots(pipeline, server_now)
        except ForeseenError as error:
            snapshot.failures["members"] = str(error)
    for table in snapshot.refused.keys() & _read_before(pipeline):
        snapshot.failures[table] = read_before_words(table, snapshot.refused.pop(table))
    report.row_counts = {table: len(rows) for table, rows in snapshot.rows.items()}
    report.request_count = sum(counts.values())
    if snapshot.rows:
        report.unavailable = snapshot.refused
    else:
        snapshot.failures |= snapshot.refused
    report.problems = list(dict.fromkeys(snapshot.failures.values()))
    if snapshot.rows or snapshot.failures:
        store(
            pipeline,
            [
                claude_admin(snapshot.rows, clock.now),
                endpoint_runs(_runs(clock, snapshot, counts)),
            ],
        )
    return report


def _read_before(pipeline: dlt.Pipeline) -> set[str]:
    """Rosters of which there is a snapshot."""
    query = f"select distinct roster_table from roster_snapshots where {COMPLETE}"
    return {row["roster_table"] for row in stored(pipeline, query)}


def newest_snapshot(pipeline: dlt.Pipeline) -> datetime | None:
    """The moment of the newest snapshot whose load is complete."""
    query = f"select max(snapshot_at) as newest from roster_snapshots where {COMPLETE}"
    newest: datetime | None = next((row["newest"] for row in stored(pipeline, query)), None)
    return newest.astimezone(UTC) if newest else None


def _is_future(data_dir: DataDir, clock: Clock, settings: AdminSettings, moment: datetime) -> bool:
    """The API's own time has not come to that moment yet; False where it cannot be asked."""
    with suppress(ForeseenError), roster_clients(data_dir, clock, settings) as (shared, _):
        with suppress(Refused):
            check(shared, ROSTERS[0])
        return bool(shared.server_now and shared.server_now + CLOSE_ENOUGH < moment)
    return False


@contextmanager
def roster_clients(
    data_dir: DataDir, clock: Clock, settings: AdminSettings
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
                    budget=RateBudget(data_dir.rate_budget_of(name), at_most),
                    clock=clock.now if clock.is_set else None,
                    connection=settings.connection,
                )
            )
            for name, at_most in limits.items()
        )
        yield shared, of_spend_limits


def _runs(clock: Clock, snapshot: Snapshot, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    outcomes = {
        **{table: ("ok", None) for table in snapshot.rows},
        **{table: ("unavailable", why) for table, why in snapshot.refused.items()},
        **{table: ("failed", why) for table, why in snapshot.failures.items()},
    }
    return [
        {
            "endpoint": table,
            "kind": "roster",
            "run_at": clock.now,
            "outcome": outcome,
            "message": why,
            "request_count": counts.get(table, 0),
        }
        for table, (outcome, why) in outcomes.items()
    ]
