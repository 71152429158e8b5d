"""One run from the API to the served file."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import dlt
from dlt.common.configuration.specs import BaseConfiguration

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.kept_closes import keep_closes
from pipelines.name_keys import store_name_keys
from pipelines.outputs import PAGE, refuse_unless_ours
from pipelines.raw_tables import (
    create_absent_tables,
    finish_pending,
    name_schema,
    warehouse_pipeline,
)
from pipelines.registry import SOURCES
from pipelines.run_record import last_run
from pipelines.said_once import said_once
from pipelines.settings import (
    ChargebackSettings,
    PrivacySettings,
    ReportSettings,
    SeatsSettings,
    settings,
)
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import PublishResult
from pipelines.warehouse.dbt import TransformResult
from sources.contract import Source, SourceReport
from sources.errors import ForeseenError
from sources.rate_budget import RateBudget
from sources.session import Clock, LoadProgress, Session


@dataclass
class RunResult:
    """What each stage of a run did; a stage that did not take place is None.

    Attributes:
        sources: What the load of each source did, by its name.
        clock: The lesser of the run's clock and the Analytics API's.
        notes: What else to say of the run.
        problems: Messages of what failed. The stages after it may have run all the same.
    """

    sources: dict[str, SourceReport] = field(default_factory=dict)
    transform: TransformResult | None = None
    publish: PublishResult | None = None
    report: Path | None = None
    clock: Clock | None = None
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Listener:
    """Who is told while a run goes on."""

    on_stage: Callable[[str], None] = lambda _: None
    on_progress: Callable[[LoadProgress], None] = lambda _: None


AllSettings = Mapping[str, BaseConfiguration]
"""The settings of sources, by their names; those without are not read."""


def sync(
    data_dir: DataDir,
    clock: Clock,
    given: AllSettings,
    *,
    only: Collection[str] = (),
    backfill: Sequence[date] = (),
    transforms: bool = True,
    listener: Listener | None = None,
) -> RunResult:
    """Load what is missing or may have changed, build the marts, publish them.

    What can still be done after a failure is done: other endpoints load, marts are built from
    what is there. `only` names endpoints and sources; what it does not name is not read. The
    caller holds the warehouse.
    """
    listener = listener or Listener()
    listener.on_stage("load")
    result = RunResult(clock=clock)
    pipeline = warehouse_pipeline(data_dir)
    finish_pending(pipeline)
    pipeline.sync_destination()
    now = session(
        data_dir, clock, pipeline, only=only, backfill=backfill, on_progress=listener.on_progress
    )
    for source in chosen(given, only):
        if source is not SOURCES[0]:
            name_schema(pipeline)
        now = replace(now, is_alone=is_alone(source, given))
        report = result.sources[source.name] = source.load(now, given[source.name])
        result.problems += report.problems
        if source is SOURCES[0] and report.clock:
            now = replace(now, clock=report.clock)
            result.clock = report.clock
    result.problems = said_once(result.problems)
    # The first says it for all of them.
    notes = [report.clock_note for report in result.sources.values() if report.clock_note]
    result.notes += notes[:1]
    is_in_vain = any(each.fatal and not each.unit_count for each in result.sources.values())
    if not is_in_vain:
        # Also those of a source that was refused, or has no key: whoever reads finds them empty.
        create_absent_tables(pipeline)
    if transforms and not is_in_vain:
        build(data_dir, result, listener)
    return result


def session(
    data_dir: DataDir,
    clock: Clock,
    pipeline: dlt.Pipeline,
    *,
    only: Collection[str] = (),
    backfill: Sequence[date] = (),
    on_progress: Callable[[LoadProgress], None] = lambda _: None,
) -> Session:
    """What each source of a run is handed."""
    return Session(
        clock=clock,
        pipeline=pipeline,
        budget=budgets(data_dir),
        backfill=backfill,
        only=only,
        on_progress=on_progress,
    )


def budgets(data_dir: DataDir) -> Callable[[str, int], RateBudget]:
    """The rate budgets of this folder, by name and limit."""
    return lambda name, limit: RateBudget(data_dir.rate_budget_of(name), limit)


def all_settings() -> AllSettings:
    """What is set for each source.

    Raises:
        ForeseenError: A value is not what it has to be.
    """
    return {source.name: settings(source.settings) for source in SOURCES}


def chosen(given: AllSettings, only: Collection[str]) -> list[Source]:
    """The sources that a run reads."""
    return [source for source in SOURCES if source.name in given and source.is_chosen(only)]


def is_alone(source: Source, given: AllSettings) -> bool:
    """No other source of people's use is set up."""
    return not any(
        other is not source and not other.is_always_read and not other.missing(given[other.name])
        for other in SOURCES
        if other.name in given
    )


def require_inputs(given: AllSettings, only: Collection[str]) -> None:
    """See that every file which the settings name can be read, before anything is loaded.

    Raises:
        ForeseenError: Which cannot, and why.
    """
    sources = chosen(given, only)
    if broken := [text for source in sources for text in source.refusals(given[source.name])]:
        raise ForeseenError("\n".join([*broken, "Nothing was loaded or published."]))


def build(
    data_dir: DataDir, result: RunResult, listener: Listener, select: Sequence[str] = ()
) -> None:
    """Build the marts from what is loaded, and publish them if their tests pass.

    dbt's selectors name those that changed, if that is known.
    """
    listener.on_stage("transform")
    pipeline = warehouse_pipeline(data_dir)
    create_absent_tables(pipeline)
    result.notes += keep_closes(pipeline, data_dir)
    store_name_keys(pipeline)
    warehouse = warehouse_of(data_dir)
    result.transform = warehouse.build(transform_variables(), select)
    if result.transform.failed_tests:
        names = "\n".join(
            f"  {test.name}: {test.count} rows ({test.description})"
            for test in result.transform.failed_tests
        )
        result.problems.append(
            f"Tests of the marts failed:\n{names}\n"
            "The marts would show wrong numbers, so readers keep the previous copy.\n"
            "Please report this with the names above."
        )
        return
    listener.on_stage("publish")
    try:
        result.publish = warehouse.publish()
    except Exception as error:
        result.problems.append(str(foreseen(error, data_dir.root)))


def transform_variables() -> dict[str, str]:
    """The settings that transforms/ reads, as dbt variables."""
    seats, chargeback = settings(SeatsSettings), settings(ChargebackSettings)
    seats_policy = chargeback.seats_policy or chargeback.policy
    return {
        "dormant_after_days": str(seats.dormant_after_days),
        "grace_days": str(seats.grace_days),
        "downgrade_active_days": str(seats.downgrade_active_days),
        "min_group_size": str(settings(PrivacySettings).min_group_size),
        "chargeback_policy": {"direct": "seats"}.get(seats_policy, seats_policy),
        "chargeback_metered_policy": chargeback.metered_policy,
        "chargeback_shared_policy": chargeback.shared_policy,
        "chargeback_cost_centers_from": chargeback.cost_centers_from,
        "chargeback_monthly_amount_usd": chargeback.monthly_amount_usd or "",
    }


def write_report(data_dir: DataDir, result: RunResult, out: Path, listener: Listener) -> None:
    """Write the report of what was just published; if that fails, the marts stay published."""
    from pipelines.report.page import write_report as write  # Its chart library is slow to load.

    listener.on_stage("report")
    try:
        result.report = write(warehouse_of(data_dir), out, last_run=last_run(data_dir)).path
    except Exception as error:
        result.problems.append(str(foreseen(error, data_dir.root)))


def report_path(data_dir: DataDir) -> Path | None:
    """Where a run writes the report; None if the settings do not ask for one.

    Raises:
        ForeseenError: Something else is there.
    """
    if not settings(ReportSettings).enabled:
        return None
    out = report_out(data_dir)
    refuse_unless_ours(data_dir, out, PAGE)
    return out


def report_out(data_dir: DataDir) -> Path:
    """Where the report is written, unless an option says otherwise."""
    return data_dir.root / Path(settings(ReportSettings).out).expanduser()
