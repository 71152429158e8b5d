"""Load Langdock's exports into the warehouse: what is new, and whose period still counts."""

from datetime import date, datetime
from functools import partial
from typing import Any

import dlt

from sources.contract import EndpointReport, SourceReport
from sources.door import NOBODY
from sources.errors import ForeseenError
from sources.langdock import (
    ENTITIES,
    LEDGER,
    USERS,
    ExportClient,
    LangdockSettings,
    api_sources,
    collect,
    file_sources,
    langdock,
)
from sources.langdock.doubted import doubted_exports
from sources.langdock.versions import number
from sources.ledger import (
    COMPLETE,
    COUNTS,
    KEPT_APART,
    change,
    is_in_the_future,
    moment_text,
    store,
    stored,
)
from sources.session import Access, Session, clock_note

NOT_SET = "not set; see [sources.langdock] files and api_key"


def missing(settings: LangdockSettings) -> str | None:
    """Why no export is read."""
    return None if settings.files or (settings.api_key or "").strip() else NOT_SET


def load(session: Session, settings: LangdockSettings) -> SourceReport:
    """Load what is new in the folder and the API, where they are set."""
    pipeline, clock = session.pipeline, session.clock
    report = SourceReport(unit="period")
    if missing(settings):
        return report
    if not session.door.asks_for(USERS):
        report.skipped = f"Langdock's exports are not read: {NOBODY.splitlines()[0]}"
        return report
    report.endpoints = {
        entity.table: EndpointReport(rejected_called="lines of Langdock exports")
        for entity in ENTITIES
    }
    ledger = stored_exports(pipeline)
    refusals: list[str] = []
    sources = list(file_sources(settings.files, refusals))
    if (settings.api_key or "").strip():
        try:
            client = client_of(session, settings)
        except ForeseenError as refusal:
            refusals.append(str(refusal))
        else:
            with client:
                sources += api_sources(
                    client,
                    ledger,
                    now=lambda: clock.agreed(client.server_now).now,
                    revision_days=settings.revision_days,
                    endpoints=report.endpoints,
                )
                report.request_count = client.request_count
                for table, endpoint in report.endpoints.items():
                    endpoint.request_count = client.requests_by[table]
                if client.server_now:
                    report.clock_note = clock_note(clock, client.server_now)
                    clock = clock.agreed(client.server_now)
                    forget_future_exports(pipeline, client.server_now)
                    ledger = stored_exports(pipeline)
    collected = collect(
        sources,
        ledger,
        policy=settings.overlaps,
        read_at=clock.now,
        endpoints=report.endpoints,
        doubted=partial(doubted_exports, session, ledger),
        known_apart=kept_apart(pipeline),
        door=session.door,
    )
    failed = report.with_outcome("failed").values()
    report.problems = list(dict.fromkeys([*refusals, *failed, *collected.refusals]))
    if report.unit_count:
        report.summary = f"Loaded {report.unit_count} Langdock exports ({report.row_count:,} rows)."
    number(
        collected,
        ledger,
        noted_at=clock.now,
        run_number=session.run_number,
        numbers=session.numbers,
    )
    if collected.rows or collected.ledger or collected.rejected:
        store(pipeline, langdock(collected))
    report.note_runs("export", clock.now)
    return report


def client_of(access: Access, settings: LangdockSettings) -> ExportClient:
    """The client of the export API.

    Raises:
        ForeseenError: No usable key or address.
    """
    return ExportClient(
        base_url=settings.base_url,
        api_key=settings.api_key or "",
        budget=access.budget("langdock", settings.requests_per_minute),
        clock=access.clock.now if access.clock.is_set else None,
        connection=settings.connection,
    )


def stored_exports(pipeline: dlt.Pipeline) -> list[dict[str, Any]]:
    """The newest row of langdock_exports on each export, and whether its rows are stored once."""
    counts = " union all ".join(
        f"select '{entity.table}' as entity_table, slot, version, count(*) as row_count"
        f" from {entity.table} group by slot, version"
        for entity in ENTITIES
    )
    query = f"""
        select
            {", ".join(f"exports.{name}" for name in LEDGER.names)},
            exports.version,
            exports.outcome = 'loaded' and exports.row_count = coalesce(stored.row_count, 0)
                as is_loaded
        from (
            select
                langdock_exports.*,
                row_number() over (partition by export_id order by fetch_number desc)
                    as changes_since
            from langdock_exports
            where {COUNTS}
        ) as exports
        left join ({counts}) as stored
            on 'langdock_' || exports.entity = stored.entity_table
                and exports.slot = stored.slot
                and exports.version = stored.version
        where exports.changes_since = 1
    """
    return stored(pipeline, query)


def kept_apart(pipeline: dlt.Pipeline) -> set[str]:
    """Ids of the exports that are stored and did not count when they came."""
    query = f"""
        select distinct export_id from langdock_exports
        where {COMPLETE} and outcome = '{KEPT_APART}'
    """
    return {row["export_id"] for row in stored(pipeline, query)}


def forget_future_exports(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Let months that were exported later than the server's own time be asked for again."""
    now = moment_text(server_now)
    if is_in_the_future(pipeline, "langdock_exports", "read_at", now):
        change(
            pipeline,
            [
                f"update langdock_exports set exported_at = {now}"
                f" where read_at > {now} and exported_at > {now}",
                f"update langdock_exports set read_at = coalesce(period_start, date '{FIRST}')"
                f" where read_at > {now}",
            ],
        )


FIRST = date(2000, 1, 1)
"""Earlier than any export."""
