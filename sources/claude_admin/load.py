"""Take a snapshot of the rosters and keep it: who has a seat, which role, group and limit."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import dlt

from sources.claude_admin import AdminSettings, claude_admin
from sources.claude_admin.doubted import doubted_lists
from sources.claude_admin.endpoints import OF_CONSOLE, ROSTERS, Roster
from sources.claude_admin.snapshot import ADMIN_API, BY_TOKEN, Snapshot, check, take_snapshot
from sources.contract import EndpointReport, SourceReport
from sources.errors import AnotherOrganisation, ForeseenError, Refused, read_before_words
from sources.http import HttpClient
from sources.ledger import (
    COMPLETE,
    change,
    is_in_the_future,
    moment_text,
    of_organization,
    store,
    stored,
)
from sources.roster_versions import (
    Answer,
    Known,
    known_hashes,
    known_rosters,
    version_of,
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
    """Store what a snapshot changed; without a key, do nothing."""
    pipeline, clock = session.pipeline, session.clock
    snapshot, counts = Snapshot(), dict[str, int]()
    report = SourceReport(unit="snapshot")
    if why := missing(settings):
        report.skipped = why
        return report
    further = session.further
    organization = session.owners.seen(further) if further else None
    if further and organization is None:
        return report  # Its cost could not be read either, which says why.
    newest = newest_snapshot(pipeline, organization)

    def asks_for(table: str) -> bool:
        return session.door.asks_for(table) and (further is None or table in OF_CONSOLE)

    if newest and clock.now < newest and not _is_future(session, settings, newest):
        report.skipped = (
            f"The newest roster is of {newest:%Y-%m-%d %H:%M} UTC, later than this run's clock "
            f"({clock.now:%Y-%m-%d %H:%M}). Rosters have no history, so this run takes none."
        )
        return report
    try:
        with roster_clients(session, settings) as clients:
            shared = clients.shared
            snapshot = take_snapshot(clients.of, asks_for)
            counts = clients.counts
            if snapshot.rows and not further:
                session.owners.see(ADMIN_API.section, ADMIN_API.key_variable, shared)
            if server_now := shared.server_now:
                report.clock_note = clock_note(clock, server_now)
                clock = clock.agreed(server_now)
                if snapshot.rows:
                    forget_future_snapshots(pipeline, server_now)
    except AnotherOrganisation as error:
        snapshot = Snapshot(failures={roster.table: str(error) for roster in ROSTERS})
    except ForeseenError as error:
        snapshot.failures["members"] = str(error)
    if further:
        # What such an organisation is not asked for is not refused.
        snapshot.refused = {
            table: why for table, why in snapshot.refused.items() if table in OF_CONSOLE
        }
    for table in snapshot.refused.keys() & _read_before(pipeline, organization):
        if not session.door.asks_for(table):
            continue
        snapshot.failures[table] = read_before_words(table, snapshot.refused.pop(table))
    if not snapshot.rows:
        snapshot.failures |= snapshot.refused
        snapshot.refused = {}
    snapshot.rows = {table: session.door.rows(table, rows) for table, rows in snapshot.rows.items()}
    before = known_rosters(pipeline, organization)
    read = snapshot.rows
    answers = {table: Answer.of(rows) for table, rows in read.items()}
    unchanged = {
        table for table, answer in answers.items() if answer.is_known(before.get(table, Known()))
    }
    doubted: dict[str, str] = {}
    emptied: set[str] = set()
    if not further:
        doubted, emptied = doubted_lists(session, read, unchanged)
    snapshot.rows = {table: rows for table, rows in read.items() if table not in doubted}
    report.endpoints = _endpoints(snapshot, counts) | {
        table: EndpointReport(message=why, request_count=counts.get(table, 0))
        for table, why in doubted.items()
    }
    report.request_count = sum(counts.values())
    report.problems = list(dict.fromkeys(snapshot.failures.values()))
    if snapshot.rows:
        rosters = ", ".join(
            f"{len(rows):,} {table.replace('_', ' ')}" for table, rows in snapshot.rows.items()
        )
        of = f"{further.name}: " if further else ""
        report.summary = f"{of}Took a snapshot of the roster: {rosters}."
    if read or snapshot.failures:
        versions = [
            version_of(
                table,
                answer,
                before.get(table, Known()),
                partial(known_hashes, pipeline, table, organization),
                taken_at=clock.now,
                run_number=session.run_number,
                fetch_number=next(session.numbers),
                is_kept_apart=table in doubted,
                retires_all=table in emptied,
                organization=organization,
            )
            for table, answer in answers.items()
        ]
        report.note_runs("roster", clock.now)
        for line in report.endpoint_runs:
            line["organization_id"] = organization
        store(pipeline, claude_admin(versions))
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


def _read_before(pipeline: dlt.Pipeline, organization: str | None) -> set[str]:
    """Rosters of which there is a snapshot."""
    query = (
        f"select distinct roster_table from roster_snapshots where {COMPLETE}"
        f" and {of_organization(organization)}"
    )
    return {row["roster_table"] for row in stored(pipeline, query)}


def newest_snapshot(pipeline: dlt.Pipeline, organization: str | None = None) -> datetime | None:
    """The moment of an organisation's newest snapshot whose load is complete."""
    query = (
        f"select max(snapshot_at) as newest from roster_snapshots where {COMPLETE}"
        f" and {of_organization(organization)}"
    )
    newest: datetime | None = next((row["newest"] for row in stored(pipeline, query)), None)
    return newest.astimezone(UTC) if newest else None


def _is_future(session: Session, settings: AdminSettings, moment: datetime) -> bool:
    """The API's own time has not come to that moment yet; False where it cannot be asked."""
    with suppress(ForeseenError), roster_clients(session, settings) as clients:
        with suppress(Refused):
            check(clients.shared, ROSTERS[0])
        server_now = clients.shared.server_now
        return bool(server_now and server_now + CLOSE_ENOUGH < moment)
    return False


@dataclass(frozen=True)
class Clients:
    """Clients of the Admin API.

    Attributes:
        of_spend_limits: With the rate budget of its spend limits.
        with_token: With the token of an administrator, if one is set, else with the key.
    """

    shared: HttpClient
    of_spend_limits: HttpClient
    with_token: HttpClient

    def of(self, roster: Roster) -> HttpClient:
        if roster.takes_token:
            return self.with_token
        return self.of_spend_limits if roster.of_spend_limits else self.shared

    @property
    def counts(self) -> dict[str, int]:
        """Requests sent for each list."""
        return dict(
            self.shared.requests_by + self.of_spend_limits.requests_by + self.with_token.requests_by
        )


@contextmanager
def roster_clients(access: Access, settings: AdminSettings) -> Iterator[Clients]:
    """Clients of the Admin API and of its spend limits, each with its own rate budget.

    Raises:
        ForeseenError: No usable key or address.
    """
    limit, api = settings.requests_per_minute, ADMIN_API
    name = ""
    if access.further:
        name, api = f"_{access.further.name}", replace(api, within=access.further.section)
    shared = access.budget(f"claude_admin{name}", limit)
    of_spend_limits = access.budget(
        f"spend_limits{name}", min(limit, SPEND_LIMIT_REQUESTS_PER_MINUTE)
    )
    token = (settings.org_admin_token or "").strip()
    with ExitStack() as stack:
        yield Clients(
            *(
                stack.enter_context(
                    HttpClient(
                        api,
                        base_url=settings.base_url,
                        api_key=key,
                        budget=budget,
                        clock=access.clock.now if access.clock.is_set else None,
                        connection=settings.connection,
                    )
                )
                for api, key, budget in (
                    (api, settings.api_key, shared),
                    (api, settings.api_key, of_spend_limits),
                    (BY_TOKEN, token, shared) if token else (api, settings.api_key, shared),
                )
            )
        )


def forget_future_snapshots(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Undo the snapshots of the roster that were taken later than the server's own time."""
    now = moment_text(server_now)
    if is_in_the_future(pipeline, "roster_snapshots", "snapshot_at", now):
        change(pipeline, [f"delete from roster_snapshots where snapshot_at > {now}"])
