"""One run from the API to the served file."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.data_dir import DataDir
from pipelines.foreseen import foreseen
from pipelines.kept_closes import keep_closes
from pipelines.name_keys import store_name_keys
from pipelines.outputs import PAGE, refuse_unless_ours
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from pipelines.run_record import last_run
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
from sources.claude_admin import AdminSettings
from sources.claude_admin.load import RosterReport, load_roster
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.load import LoadProgress, LoadReport, load
from sources.claude_compliance import ComplianceSettings
from sources.claude_compliance.load import ActivitiesReport, load_activities
from sources.errors import ForeseenError
from sources.langdock import Collected, LangdockSettings
from sources.langdock.folder import listing
from sources.langdock.load import load_langdock
from sources.reference_files import FILES, configured_path, read
from sources.session import Clock

OTHER_SOURCES = ("claude_admin", "claude_compliance", "langdock")
"""Sources beside the Analytics API, which a run reads whole or not at all."""


@dataclass
class RunResult:
    """What each stage of a run did; a stage that did not take place is None.

    Attributes:
        clock: The lesser of the run's clock and the Analytics API's.
        notes: What else to say of the run.
        problems: Messages of what failed. The stages after it may have run all the same.
    """

    load: LoadReport | None = None
    roster: RosterReport | None = None
    langdock: Collected | None = None
    activities: ActivitiesReport | None = None
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


def sync(
    data_dir: DataDir,
    clock: Clock,
    *,
    analytics: AnalyticsSettings,
    admin: AdminSettings | None = None,
    compliance: ComplianceSettings | None = None,
    langdock: LangdockSettings | None = None,
    only: Collection[str] = (),
    backfill: Sequence[date] | None = None,
    reference_paths: Mapping[str, str] | None = None,
    transforms: bool = True,
    listener: Listener | None = None,
) -> RunResult:
    """Load what is missing or may have changed, build the marts, publish them.

    What can still be done after a failure is done: other endpoints load, marts are built from
    what is there. `only` names endpoints and OTHER_SOURCES; what it does not name is not read,
    nor are sources without settings. The caller holds the warehouse.
    """
    listener = listener or Listener()
    listener.on_stage("load")
    result = RunResult()
    result.load = load(
        data_dir,
        clock,
        analytics,
        only,
        is_optional=has_other_source(admin, compliance, langdock),
        backfill=backfill,
        reference_paths=reference_paths,
        on_progress=listener.on_progress,
    )
    result.problems += result.load.problems
    result.clock = clock = result.load.clock or clock
    pipeline = warehouse_pipeline(data_dir)
    if admin and (not only or "claude_admin" in only):
        result.roster = load_roster(pipeline, data_dir, clock, admin)
        result.problems += result.roster.problems
    if compliance and (not only or "claude_compliance" in only):
        result.activities = load_activities(pipeline, data_dir, clock, compliance, backfill or ())
        result.problems += result.activities.problems
    if langdock and (not only or "langdock" in only):
        result.langdock = load_langdock(pipeline, data_dir, clock, langdock)
        result.problems += result.langdock.refusals
    stages = (result.load, result.roster, result.activities, result.langdock)
    # The first says it for all of them.
    result.notes += [stage.note for stage in stages if stage and stage.note][:1]
    if transforms and (result.load.day_count or not result.load.fatal):
        build(data_dir, result, listener)
    return result


def has_other_source(
    admin: AdminSettings | None,
    compliance: ComplianceSettings | None,
    langdock: LangdockSettings | None,
) -> bool:
    """Something beside the Analytics API is set up to be read."""
    keys = [source.api_key for source in (admin, compliance, langdock) if source]
    return any((key or "").strip() for key in keys) or bool(langdock and langdock.files)


def require_inputs(langdock: str | None) -> None:
    """See that every file which the settings name can be read, before anything is loaded.

    Raises:
        ForeseenError: Which cannot, and why.
    """
    broken = []
    for file in FILES:
        try:
            read(file, configured_path(file))
        except ForeseenError as error:
            broken.append(str(error))
    if langdock and "://" not in langdock:
        try:
            listing(langdock)
        except ForeseenError as error:
            broken.append(str(error))
    if broken:
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
