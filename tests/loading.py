"""Load one source as `sync` does, without the others."""

from collections.abc import Collection, Sequence
from datetime import date

import dlt
from dlt.common.configuration.specs import BaseConfiguration

from pipelines.data_dir import DataDir
from pipelines.doubts import doubts_of, keep_doubts
from pipelines.key_owners import keep_owners
from pipelines.raw_tables import make_ready, name_schema, warehouse_pipeline
from pipelines.registry import SOURCES
from pipelines.run import session
from sources.contract import Source, SourceReport
from sources.ledger import endpoint_runs, held_open, store
from sources.session import Clock


def load_source(
    data_dir: DataDir,
    name: str,
    clock: Clock,
    settings: BaseConfiguration,
    *,
    only: Collection[str] = (),
    backfill: Sequence[date] = (),
) -> SourceReport:
    """The caller holds the warehouse."""
    [source] = [source for source in SOURCES if source.name == name]
    pipeline = warehouse_pipeline(data_dir)
    with held_open(pipeline):
        return _load(data_dir, pipeline, source, clock, settings, only, backfill)


def _load(
    data_dir: DataDir,
    pipeline: dlt.Pipeline,
    source: Source,
    clock: Clock,
    settings: BaseConfiguration,
    only: Collection[str],
    backfill: Sequence[date],
) -> SourceReport:
    make_ready(pipeline)
    pipeline.sync_destination()
    if source is not SOURCES[0]:
        name_schema(pipeline)
    doubts = doubts_of(pipeline, clock.now)
    now = session(data_dir, clock, pipeline, doubts, only=only, backfill=backfill)
    report = source.load(now, settings)
    now.owners.end()
    keep_doubts(pipeline, doubts)
    keep_owners(pipeline, now.owners)
    name_schema(pipeline)
    store(pipeline, endpoint_runs(report.endpoint_runs))
    return report
