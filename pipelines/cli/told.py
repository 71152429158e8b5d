"""What a run says: while it goes on, and when it has ended."""

import time
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines import hints
from pipelines.data_dir import DataDir
from pipelines.run import Listener, RunResult
from pipelines.wording import GENERATIONS, ranges
from sources.claude_admin.load import RosterReport
from sources.claude_analytics.load import LoadProgress, LoadReport
from sources.claude_compliance.load import NO_KEY, ActivitiesReport
from sources.langdock import Collected

STAGES = {
    "load": "Loading what is missing or may have changed",
    "transform": "Building the marts",
    "publish": "Publishing them to readers",
    "report": "Writing the report",
}

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
if not out.is_terminal:
    out.width = 160  # Tables in a file or a mail are not cut.


class Terminal(AbstractContextManager[Listener]):
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("days, {task.fields[requests]} requests, {task.fields[rate]:.0f} a minute"),
            TimeRemainingColumn(),
            console=err,
            transient=True,
            disable=not err.is_terminal,
        )
        self._task = self._bar.add_task("Days", total=None, requests=0, rate=0.0, visible=False)
        self._next_line_at = self._started + 30

    def __enter__(self) -> Listener:
        self._bar.start()
        return Listener(on_stage=self._stage, on_progress=self._progress)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _stage(self, stage: str) -> None:
        err.print(f"{STAGES[stage]} …")
        self._bar.update(self._task, visible=stage == "load")

    def _progress(self, now: LoadProgress) -> None:
        elapsed = time.monotonic() - self._started
        rate = 60 * now.request_count / max(elapsed, 60)
        self._bar.update(
            self._task,
            total=now.days_planned,
            completed=now.days_done,
            requests=now.request_count,
            rate=rate,
        )
        if not err.is_terminal and time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + 30
            remaining = elapsed / max(now.days_done, 1) * (now.days_planned - now.days_done)
            err.print(
                f"  {now.days_done} of {now.days_planned} days, {now.request_count} requests, "
                f"{rate:.0f} a minute, about {remaining:.0f} s left"
            )


def tell(data: DataDir, result: RunResult, seconds: float) -> None:
    """What each stage did, then whatever somebody should look at."""
    if result.report:
        out.print(f"Report: {result.report.absolute()}", markup=False)
    for note in result.notes:
        out.print(note, markup=False)
    if result.load:
        _tell_load(result.load)
    if result.roster:
        _tell_roster(result.roster)
    if result.langdock:
        _tell_langdock(result.langdock)
    if result.activities:
        _tell_activities(result.activities)
    if result.transform:
        out.print(f"Built {result.transform.models} models in {result.transform.seconds:.0f} s.")
        for test in result.transform.warnings:
            out.print(f"  Note: {test.name}: {test.count} rows. {test.description}", markup=False)
    if result.publish:
        published = result.publish
        out.print(
            f"Published {published.tables} marts to {published.place} ({published.size}).",
            markup=False,
        )
        for note in published.notes:
            out.print(f"  Note: {note}", markup=False)
    for problem in result.problems:
        err.print(hints.pasted(problem), style="red", markup=False)
    if seconds:
        out.print(f"{'Failed' if result.problems else 'Done'} after {seconds:.0f} s.")


def _tell_load(load: LoadReport) -> None:
    if load.skipped:
        out.print(load.skipped, markup=False)
    if load.skipped or not load.endpoints:
        return
    out.print(
        f"Loaded {load.day_count} endpoint days ({load.row_count:,} rows) "
        f"with {load.request_count} requests."
    )
    if load.generation:
        changed = ", from now on" if load.generation.is_changed else ""
        name = load.generation.name
        source = GENERATIONS[name] if name else "nowhere: both of their APIs are refused"
        out.print(f"  Cost and usage come from {source}{changed}.", markup=False)
        for line in str(load.generation.refusal or "").splitlines()[:2]:
            out.print(f"    {line}", markup=False)
    for table, reason in load.with_outcome("unavailable").items():
        out.print(f"  Unavailable: {table}. {reason.splitlines()[0]}", markup=False)
    for table, progress in load.endpoints.items():
        if progress.closed_days:
            out.print(
                f"  The API does not have {ranges(sorted(progress.closed_days))} of {table}.",
                markup=False,
            )
        if progress.undeclared:
            names = ", ".join(sorted(progress.undeclared))
            out.print(
                f"  New fields in {table}: {names}. They are kept in undeclared_fields.",
                markup=False,
            )
        if progress.rejected_count:
            out.print(
                f"  {progress.rejected_count} rows of {table} could not be read; "
                "they are in claude_raw.rejected_rows with the reason.",
                markup=False,
            )


def _tell_roster(roster: RosterReport) -> None:
    if roster.row_counts:
        rosters = ", ".join(
            f"{count:,} {table.replace('_', ' ')}" for table, count in roster.row_counts.items()
        )
        out.print(f"Took a snapshot of the roster: {rosters}.")
    if roster.skipped:
        out.print(roster.skipped, markup=False)
    for table, why in roster.unavailable.items():
        out.print(f"  Unavailable: {table}. {why}", markup=False)


def _tell_langdock(langdock: Collected) -> None:
    if langdock.export_count:
        out.print(f"Loaded {langdock.export_count} Langdock exports ({langdock.row_count:,} rows).")
    if langdock.skipped_count:
        out.print(
            f"  {langdock.skipped_count} lines of Langdock exports could not be read; "
            "they are in claude_raw.langdock_rejected_rows with the reason."
        )


def _tell_activities(activities: ActivitiesReport) -> None:
    if activities.outcome == "no_key":
        out.print(f"  {NO_KEY.splitlines()[0]}", markup=False)
    elif activities.outcome == "unavailable":
        reason = (activities.message or "").splitlines()
        out.print("  Unavailable: activities. " + " ".join(reason[:2]), markup=False)
    elif activities.outcome != "not_asked":
        out.print(
            f"Read {activities.activity_count:,} events of the activity feed "
            f"with {activities.request_count} requests."
        )
    if activities.rejected_count:
        out.print(
            f"  {activities.rejected_count} events could not be read; "
            "they are in claude_raw.rejected_rows with the reason."
        )
