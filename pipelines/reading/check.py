"""What a monitor asks: is what readers have fine, stale or wrong? It looks at data, not at runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any

from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED, meaning
from pipelines.foreseen import foreseen
from pipelines.reading import wording
from pipelines.reading.findings import difference
from pipelines.registry import SOURCES
from pipelines.run_record import last_run
from pipelines.settings import CheckSettings, problems, settings
from pipelines.warehouse import held_by, warehouse_of
from pipelines.warehouse.base import Reading
from sources.session import Clock

TABLES = {table.name: table for source in SOURCES for table in source.tables if table.is_tracked}
LONGEST_REASON = 200


class State(IntEnum):
    """How it stands; its number is the exit code."""

    FINE = 0
    STALE = 1
    WRONG = 2


@dataclass(frozen=True)
class Reason:
    """Why it is not fine, by the name of the rule that says so."""

    rule: str
    state: State
    text: str


@dataclass
class Verdict:
    """The answer, and the facts that it was found from.

    Attributes:
        newest_dates: Endpoint -> newest UTC day that readers have of it.
        last_run: How the last run ended.
    """

    as_of: datetime
    reasons: list[Reason] = field(default_factory=list)
    newest_dates: dict[str, date] = field(default_factory=dict)
    missing_days: int = 0
    last_run: Mapping[str, Any] | None = None

    @property
    def state(self) -> State:
        return max((reason.state for reason in self.reasons), default=State.FINE)

    @property
    def line(self) -> str:
        """All of it in one line."""
        if not self.reasons:
            return f"fine: {self._facts()}"
        worst_first = sorted(self.reasons, key=lambda reason: -reason.state)
        texts = [reason.text.splitlines()[0][:LONGEST_REASON].rstrip(".") for reason in worst_first]
        return f"{self.state.name.lower()}: {'; '.join(texts)}"

    def _facts(self) -> str:
        facts = []
        if self.newest_dates:
            newest = min(self.newest_dates.values())
            age = wording.plural((self.as_of.date() - newest).days, "day")
            facts.append(
                f"data to {newest} ({age} old) of {len(self.newest_dates)} endpoints, "
                f"{wording.plural(self.missing_days, 'day')} missing"
            )
        if self.last_run:
            facts.append(f"last run {self.last_run['command']} {self.last_run['run_at'][:16]}")
        return ", ".join(facts)

    def as_json(self) -> dict[str, Any]:
        run = self.last_run or {}
        return {
            "state": self.state.name.lower(),
            "exit_code": int(self.state),
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "reasons": [
                {**asdict(reason), "state": reason.state.name.lower()} for reason in self.reasons
            ],
            "newest_dates": {name: str(day) for name, day in self.newest_dates.items()},
            "missing_days": self.missing_days,
            "last_run": {
                name: run.get(name) for name in ("run_id", "command", "run_at", "exit_code")
            },
        }


def check(data_dir: DataDir, clock: Clock) -> Verdict:
    """The verdict on what was published last. Opens nothing that a run has for itself, and never
    raises: what cannot be read is wrong."""
    verdict = Verdict(clock.now)
    verdict.reasons += [Reason("settings", State.WRONG, text) for text in problems()]
    try:
        rules = settings(CheckSettings)
        verdict.last_run = last_run(data_dir)
        verdict.reasons += _of_runs(data_dir, verdict, rules)
        warehouse = warehouse_of(data_dir)
        warehouse.inspected_served()
        with warehouse.serve() as served:
            verdict.reasons += _of_data(served, verdict, rules)
    except Exception as error:
        verdict.reasons.append(Reason("served", State.WRONG, str(foreseen(error, data_dir.root))))
    return verdict


def as_wrong(error: Exception, clock: Clock) -> Verdict:
    """The verdict where not even the folder is known."""
    return Verdict(clock.now, [Reason("settings", State.WRONG, str(foreseen(error)))])


def _of_runs(data_dir: DataDir, verdict: Verdict, rules: CheckSettings) -> Iterator[Reason]:
    run = verdict.last_run
    if not run:
        yield Reason("last_run", State.WRONG, "no run is known of; run: claude-warehouse sync")
        return
    running = held_by(data_dir)
    name = f"the last run ({run['command']} of {run['run_at'][:10]})"
    if run["exit_code"] == FAILED:
        why = f": {run['problems'][0].splitlines()[0]}" if run["problems"] else ""
        yield Reason("last_run", State.WRONG, f"{name} failed{why}")
    elif run["exit_code"] is None and not running:
        yield Reason("last_run", State.WRONG, f"{name} was killed, and none has run since")
    elif run["exit_code"] not in (None, 0, 4):
        yield Reason("last_run", State.STALE, f"{name} {meaning(run['exit_code'])}")
    for doubt in run["doubts"]:
        yield Reason("doubts", State.WRONG, f"not believed yet: {doubt}")
    begun = datetime.fromisoformat(run["run_at"])
    begun = begun if begun.tzinfo else begun.replace(tzinfo=UTC)
    hours = (verdict.as_of - begun) / timedelta(hours=1)
    if hours > rules.max_run_hours:
        yield Reason(
            "max_run_hours",
            State.STALE,
            f"the last run began {hours:.0f} hours ago; {rules.max_run_hours} are allowed",
        )


def _of_data(served: Reading, verdict: Verdict, rules: CheckSettings) -> Iterator[Reason]:
    today = verdict.as_of.date()
    rows = _coverage(served)
    verdict.newest_dates = {
        row["endpoint"]: row["newest_date"] for row in rows if row["newest_date"]
    }
    old = {
        name: day
        for name, day in verdict.newest_dates.items()
        if (today - day).days > rules.max_age_days
        and not (name in TABLES and TABLES[name].is_recent)  # It may be off by now.
    }
    if old:
        oldest = min(old.values())
        yield Reason(
            "max_age_days",
            State.STALE,
            f"the newest day of {wording.listed(sorted(old))} is {oldest}, "
            f"{(today - oldest).days} days ago; {rules.max_age_days} are allowed",
        )
    since = today - timedelta(days=rules.coverage_days)
    gaps = [(row["endpoint"], day) for row in rows for day in row["gaps"] or [] if day >= since]
    verdict.missing_days = len(gaps)
    if len(gaps) > rules.max_missing_days:
        names = wording.listed(sorted({name for name, _ in gaps}))
        days = wording.ranges(sorted({day for _, day in gaps}))
        yield Reason(
            "max_missing_days",
            State.WRONG,
            f"{wording.plural(len(gaps), 'endpoint day')} missing of the last "
            f"{rules.coverage_days} ({names}: {days}); {rules.max_missing_days} are allowed",
        )
    rejected = sum(row["rejected_row_count"] or 0 for row in rows)
    if rejected > rules.max_rejected_rows:
        names = wording.listed(sorted(row["endpoint"] for row in rows if row["rejected_row_count"]))
        yield Reason(
            "max_rejected_rows",
            State.WRONG,
            f"{wording.plural(rejected, 'row')} of {names} could not be read; "
            f"{rules.max_rejected_rows} are allowed",
        )
    for finding in difference(served):
        yield Reason("reconciliation", State.WRONG, finding.text)


def _coverage(served: Reading) -> Sequence[Mapping[str, Any]]:
    """One row per endpoint that is still asked: its newest day, gaps and rejected rows. Those of
    further organisations have its name behind their own."""
    if not served.has("data_coverage_daily", "endpoint", "status", "endpoint_outcome"):
        return []
    coverage = "data_coverage_daily"
    if served.has(coverage, "organization_id") and served.has("organizations", "organization_id"):
        coverage = """(
            select
                days.activity_date,
                days.status,
                days.endpoint_outcome,
                days.rejected_row_count,
                case
                    when organizations.kind in ('console', 'parent')
                        then days.endpoint || ' of '
                            || coalesce(organizations.organization_name, days.organization_id)
                    else days.endpoint
                end as endpoint
            from data_coverage_daily as days
            left join organizations on days.organization_id = organizations.organization_id
        ) as coverage"""
    rows = served.rows(
        f"""
        select
            endpoint,
            max(case when status in ('loaded', 'empty') then activity_date end) as newest_date,
            array_agg(activity_date) filter (where status in ('missing', 'lost')) as gaps,
            cast(sum(rejected_row_count) as bigint) as rejected_row_count
        from {coverage}
        where endpoint_outcome <> 'unavailable'
        group by endpoint
        order by endpoint
        """
    )
    told = [(row, *row["endpoint"].partition(" of ")[::2]) for row in rows]
    has_newer = {
        organization
        for row, table, organization in told
        if table in TABLES
        and row["newest_date"]
        and TABLES[table].kind == "money"
        and not TABLES[table].is_older
    }
    return [
        row
        for row, table, organization in told
        if not (table in TABLES and TABLES[table].is_older and organization in has_newer)
    ]
