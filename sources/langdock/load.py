"""Load Langdock's exports into the warehouse: what is new, and whose period still counts."""

from typing import Any

import dlt
from pipelines.data_dir import DataDir
from pipelines.future import forget_future_exports
from pipelines.raw_tables import COMPLETE, store, stored

from sources.errors import ForeseenError
from sources.langdock import (
    ENTITIES,
    LEDGER,
    Collected,
    ExportClient,
    LangdockSettings,
    api_sources,
    collect,
    file_sources,
    langdock,
)
from sources.rate_budget import RateBudget
from sources.session import Clock, clock_note


def load_langdock(
    pipeline: dlt.Pipeline, data_dir: DataDir, clock: Clock, settings: LangdockSettings
) -> Collected:
    """Load what is new in the folder and the API, where they are set.

    The caller holds the warehouse.
    """
    ledger = stored_exports(pipeline)
    refusals: list[str] = []
    sources = list(file_sources(settings.files, refusals))
    request_count, note = 0, None
    if settings.api_key:
        try:
            client = ExportClient(
                base_url=settings.base_url,
                api_key=settings.api_key,
                budget=RateBudget(
                    data_dir.rate_budget_of("langdock"), settings.requests_per_minute
                ),
                clock=clock.now if clock.is_set else None,
                connection=settings.connection,
            )
        except ForeseenError as refusal:
            refusals.append(str(refusal))
        else:
            with client:
                sources += api_sources(
                    client,
                    ledger,
                    now=lambda: clock.agreed(client.server_now).now,
                    revision_days=settings.revision_days,
                    refusals=refusals,
                )
                request_count = client.request_count
                if client.server_now:
                    note = clock_note(clock, client.server_now)
                    clock = clock.agreed(client.server_now)
                    forget_future_exports(pipeline, client.server_now)
                    ledger = stored_exports(pipeline)
    collected = collect(sources, ledger, policy=settings.overlaps, read_at=clock.now)
    collected.refusals[:0] = refusals
    collected.request_count, collected.note = request_count, note
    if collected.rows or collected.ledger or collected.rejected:
        store(pipeline, langdock(collected))
    return collected


def stored_exports(pipeline: dlt.Pipeline) -> list[dict[str, Any]]:
    """The rows of langdock_exports, and whether the warehouse has all of their rows.

    A load that broke off can leave its ledger without its rows, or store them twice.
    """
    counts = " union all ".join(
        f"select slot, file_hash, count(*) as row_count from {entity.table} "
        "group by slot, file_hash"
        for entity in ENTITIES
    )
    query = f"""
        select
            {", ".join(f"exports.{name}" for name in LEDGER.names)},
            exports.outcome = 'loaded'
            and exports.row_count = coalesce(stored.row_count, 0)
            and exports.{COMPLETE}
                as is_loaded
        from langdock_exports as exports
        left join ({counts}) as stored
            on exports.slot = stored.slot and exports.file_hash = stored.file_hash
    """
    return stored(pipeline, query)
