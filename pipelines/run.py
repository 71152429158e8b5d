"""One run from the API to the served file."""

import gc
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.specs import BaseConfiguration

from pipelines.closing import unpublished
from pipelines.closing.announced import announced, before
from pipelines.closing.closings import closed_too_early
from pipelines.closing.kept_closes import keep_closes
from pipelines.data_dir import DataDir
from pipelines.doubts import doubts_of, gone_organisation, gone_source, keep_doubts
from pipelines.files.outputs import PAGE, refuse_unless_ours
from pipelines.foreseen import foreseen
from pipelines.key_owners import keep_owners, owners_of
from pipelines.people.identity import door_of, require_changeable
from pipelines.people.known_addresses import store_known_addresses
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import (
    create_absent_tables,
    make_ready,
    name_schema,
    warehouse_pipeline,
)
from pipelines.reading.said_once import said_once
from pipelines.registry import SOURCES
from pipelines.run_record import last_run
from pipelines.runs import forget_noted, noted_runs, revision_count
from pipelines.settings import PrivacySettings, ReportSettings, organizations, settings
from pipelines.used_settings import Used, keep_used, used_settings
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import PublishResult
from pipelines.warehouse.dbt import TransformResult
from sources.contract import Source, SourceReport
from sources.doubts import Doubts, Known
from sources.errors import ForeseenError
from sources.ledger import endpoint_runs, held_open, highest_number, store, stored
from sources.plausibility import DoubtSettings
from sources.rate_budget import RateBudget
from sources.session import Clock, LoadProgress, Session


@dataclass
class RunResult:
    """What each stage of a run did; a stage that did not take place is None.

    Attributes:
        sources: What the load of each source did, by its name.
        clock: The lesser of the run's clock and the Analytics API's.
        used: The settings that the marts are built with; None: they were not looked at.
        doubts: What is not believed at its end; None: this run did not look.
        budgets: The rate budgets that it asked its requests of.
        revision_count: Days of endpoints that came with other rows than before.
        endpoint_runs: Lines of that table which the warehouse has not yet.
        notes: What else to say of the run.
        problems: Messages of what failed. The stages after it may have run all the same.
    """

    sources: dict[str, SourceReport] = field(default_factory=dict)
    transform: TransformResult | None = None
    publish: PublishResult | None = None
    report: Path | None = None
    clock: Clock | None = None
    used: Used | None = None
    doubts: list[Known] | None = None
    budgets: list[RateBudget] = field(default_factory=list)
    revision_count: int = 0
    endpoint_runs: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Listener:
    """Who is told while a run goes on, and as what the table of runs knows it."""

    on_stage: Callable[[str], None] = lambda _: None
    on_progress: Callable[[LoadProgress], None] = lambda _: None
    on_loaded: Callable[[RunResult], None] = lambda _: None
    run_id: str = ""
    on_word: Callable[[str], None] = lambda _: None


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
    with held_open(pipeline):
        is_in_vain = _load(
            data_dir, pipeline, given, clock, result, listener, only=only, backfill=backfill
        )
        if is_in_vain:
            store(pipeline, _ends(result))
        elif not transforms:
            create_absent_tables(pipeline, _ends(result))
    # dlt's sources refer to themselves, and so keep what they loaded: of 60,000 seats 200 MB.
    gc.collect()
    if not is_in_vain:
        result.notes += _kept_people(data_dir, (result.clock or clock).today)
        if transforms:
            build(data_dir, result, listener)
    return result


def _load(
    data_dir: DataDir,
    pipeline: dlt.Pipeline,
    given: AllSettings,
    clock: Clock,
    result: RunResult,
    listener: Listener,
    *,
    only: Collection[str],
    backfill: Sequence[date],
) -> bool:
    """Load from each source; whether that was in vain, so that nothing is built."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    make_ready(pipeline)
    pipeline.sync_destination()
    doubts = doubts_of(pipeline, clock.now)
    now = session(
        data_dir,
        clock,
        pipeline,
        doubts,
        only=only,
        backfill=backfill,
        on_progress=listener.on_progress,
        opened=result.budgets,
    )
    for source in chosen(given, only):
        if source is not SOURCES[0]:
            name_schema(pipeline)
        now = replace(now, is_alone=is_alone(source, given))
        report = result.sources[source.name] = source.load(now, given[source.name])
        _note(result, now, report)
        if gone := gone_source(pipeline, source, given[source.name]):
            doubts.allows(gone)
        if source is SOURCES[0] and report.clock:
            now = replace(now, clock=report.clock)
            result.clock = report.clock
        for further in organizations():
            if (own := source.beside(given[source.name], further)) is None:
                continue
            name_schema(pipeline)
            report = source.load(replace(now, further=further), own)
            report.problems = [f"[{further.section}] {text}" for text in report.problems]
            result.sources[f"{source.name} of {further.name}"] = report
            _note(result, now, report)
    for each in now.owners.gone([further.section for further in organizations()]):
        doubts.allows(gone_organisation(each))
    name_schema(pipeline)
    now.owners.end()
    result.used = used_settings(pipeline, doubts)
    result.problems += result.used.refusals
    keep_doubts(pipeline, doubts)
    keep_owners(pipeline, now.owners)
    result.doubts = doubts.open
    result.notes += doubts.taken
    result.problems = said_once(result.problems)
    # The first says it for all of them.
    notes = [report.clock_note for report in result.sources.values() if report.clock_note]
    result.notes += notes[:1]
    # Without a further organisation, what there is of the first one is built all the same.
    first = [report for name, report in result.sources.items() if name in given]
    is_in_vain = any(each.fatal and not each.unit_count for each in first)
    if not is_in_vain:
        result.notes += closed_too_early(pipeline)
        result.revision_count = revision_count(pipeline, began)
    return is_in_vain


def _note(result: RunResult, now: Session, report: SourceReport) -> None:
    result.endpoint_runs += [
        {"run_number": now.run_number, **line} for line in report.endpoint_runs
    ]
    result.problems += report.problems


def _ends(result: RunResult) -> list[Any]:
    """How endpoints ended, to be stored once."""
    rows, result.endpoint_runs = result.endpoint_runs, []
    return [endpoint_runs(rows)]


def _kept_people(data_dir: DataDir, today: date) -> list[str]:
    """What was done about people of whom nothing is heard any more."""
    if settings(PrivacySettings).keep_people_days is None:
        return []
    from pipelines.people.people_changed import keep_people  # Most folders do without.

    told = keep_people(data_dir, today, datetime.now(UTC))
    return [told] if told else []


def session(
    data_dir: DataDir,
    clock: Clock,
    pipeline: dlt.Pipeline,
    doubts: Doubts,
    *,
    only: Collection[str] = (),
    backfill: Sequence[date] = (),
    on_progress: Callable[[LoadProgress], None] = lambda _: None,
    opened: list[RateBudget] | None = None,
) -> Session:
    """What each source of a run is handed.

    Raises:
        ForeseenError: The settings of privacy contradict what is stored.
    """
    door = door_of(pipeline, clock.now)
    if settings(PrivacySettings).keep_people_days is not None:
        require_changeable(warehouse_of(data_dir))
    numbers = count(highest_number(pipeline) + 1)
    return Session(
        clock=clock,
        pipeline=pipeline,
        doubts=doubts,
        limits=settings(DoubtSettings),
        budget=budgets(data_dir, opened),
        owners=owners_of(partial(stored, pipeline), doubts, clock.now),
        backfill=backfill,
        only=only,
        on_progress=on_progress,
        on_replaced=partial(unpublished.keep, data_dir),
        door=door,
        run_number=next(numbers),
        numbers=numbers,
    )


def budgets(
    data_dir: DataDir, opened: list[RateBudget] | None = None
) -> Callable[[str, int], RateBudget]:
    """The rate budgets of this folder, by name and limit; each is added to those opened."""

    def budget(name: str, limit: int) -> RateBudget:
        found = RateBudget(data_dir.rate_budget_of(name), limit)
        if opened is not None:
            opened.append(found)
        return found

    return budget


def all_settings() -> AllSettings:
    """What is set for each source that is not switched off.

    Raises:
        ForeseenError: A value is not what it has to be.
    """
    given = {source.name: settings(source.settings) for source in SOURCES}
    return {name: found for name, found in given.items() if is_enabled(found)}


def is_enabled(found: BaseConfiguration) -> bool:
    """Whether runs read the source; files are switched off by not being set."""
    return bool(getattr(found, "enabled", True))


def chosen(given: AllSettings, only: Collection[str]) -> list[Source]:
    """The sources that a run reads."""
    return [source for source in SOURCES if source.name in given and source.is_chosen(only)]


def is_alone(source: Source, given: AllSettings) -> bool:
    """No other source of people's use is set up, nor a further organisation."""
    return not organizations() and not any(
        other is not source and not other.is_always_read and not other.missing(given[other.name])
        for other in SOURCES
        if other.name in given
    )


def require_inputs(given: AllSettings, only: Collection[str]) -> None:
    """See that every file which the settings name can be read, before anything is loaded.

    Raises:
        ForeseenError: Which cannot, and why.
    """
    for name in only:
        [source] = [source for source in SOURCES if name in source.choices]
        if source.name not in given:
            raise ForeseenError(
                f"--only {name} is not read: {source.title} is switched off.\n"
                f"[sources.{source.name}] enabled is false.\n"
                "Set it to true, or leave --only away."
            )
    sources = chosen(given, only)
    if broken := [text for source in sources for text in source.refusals(given[source.name])]:
        raise ForeseenError("\n".join([*broken, "Nothing was loaded or published."]))


def build(
    data_dir: DataDir, result: RunResult, listener: Listener, select: Sequence[str] = ()
) -> None:
    """Build the marts from what is loaded, all unless dbt's selectors name some, and publish them
    if their tests pass."""
    listener.on_stage("transform")
    listener.on_loaded(result)
    pipeline = warehouse_pipeline(data_dir)
    with held_open(pipeline):
        # Also tables of a source that was refused, or has no key: whoever reads finds them empty.
        create_absent_tables(pipeline, [*_ends(result), *noted_runs(data_dir, listener.run_id)])
        forget_noted(data_dir)
    result.notes += keep_closes(pipeline, data_dir)
    with held_open(pipeline):
        store_known_addresses(pipeline)
        store_name_keys(pipeline)
        used = looked_up(pipeline, result)
    warehouse = warehouse_of(data_dir)
    clock = result.clock or Clock.at(None)
    was = before(data_dir, used, clock.today)
    result.transform = warehouse.build(used.variables, select)
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
    changes = {
        table: text for each in result.sources.values() for table, text in each.changes.items()
    }
    for text in announced(data_dir, was, changes, used, clock.today):
        listener.on_word(text)
    listener.on_stage("publish")
    try:
        result.publish = warehouse.publish()
    except Exception as error:
        result.problems.append(str(foreseen(error, data_dir.root)))
        return
    unpublished.forget(data_dir)
    keep_used(pipeline, used, clock.now)


def looked_up(pipeline: dlt.Pipeline, result: RunResult) -> Used:
    """The settings that this run builds with; what of them is not believed is a problem of it."""
    if result.used is None:
        doubts = doubts_of(pipeline, (result.clock or Clock.at(None)).now)
        result.used = used_settings(pipeline, doubts)
        result.problems += result.used.refusals
        keep_doubts(pipeline, doubts)
    return result.used


def write_report(data_dir: DataDir, result: RunResult, out: Path, listener: Listener) -> None:
    """Write the report of what was just published; if that fails, the marts stay published."""
    from pipelines.report.page import write_report as write  # Its chart library is slow to load.

    listener.on_stage("report")
    try:
        result.report = write(
            warehouse_of(data_dir), out, last_run=last_run(data_dir), memory=data_dir.reports
        ).path
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
