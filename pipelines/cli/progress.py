"""What a run says: while it goes on, and when it has ended."""

import time
from collections import Counter
from contextlib import AbstractContextManager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipelines import hints
from pipelines.cli import lines
from pipelines.cli.told import err, out
from pipelines.data_dir import DataDir
from pipelines.reading.wording import ranges
from pipelines.run import Listener, RunResult
from sources.contract import SourceReport
from sources.session import LoadProgress

STAGES = {
    "load": "Loading what is missing or may have changed",
    "transform": "Building the marts",
    "publish": "Publishing them to readers",
    "report": "Writing the report",
}


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
            disable=not err.is_terminal or lines.are_used(),
        )
        self._task = self._bar.add_task("Days", total=None, requests=0, rate=0.0, visible=False)
        self._next_line_at = self._started + 30

    def __enter__(self) -> Listener:
        self._bar.start()
        return Listener(on_stage=self._stage, on_progress=self._progress, on_word=self._word)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _stage(self, stage: str) -> None:
        err.print(f"{STAGES[stage]} …")
        self._bar.update(self._task, visible=stage == "load")

    def _word(self, text: str) -> None:
        out.print(hints.pasted(text), markup=False)

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
        is_bar = err.is_terminal and not lines.are_used()
        if not is_bar and time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + 30
            err.print(f"  {_progress(now, elapsed, rate)}")


def _progress(now: LoadProgress, elapsed: float, rate: float) -> str:
    """A line for where no bar can be; days are known once they are planned."""
    told = f"{now.request_count} requests, {rate:.0f} a minute"
    if not 0 < now.days_done <= now.days_planned:
        return told
    remaining = elapsed / now.days_done * (now.days_planned - now.days_done)
    return f"{now.days_done} of {now.days_planned} days, {told}, about {remaining:.0f} s left"


def tell(data: DataDir, result: RunResult, seconds: float) -> None:
    """What each stage did, then whatever somebody should look at."""
    if result.report:
        out.print(f"Report: {result.report.absolute()}", markup=False)
    for note in result.notes:
        out.print(note, markup=False)
    for report in result.sources.values():
        _tell_source(report)
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
    told = {doubt.text for doubt in result.doubts or ()}
    for doubt in result.doubts or ():
        head = "" if (outcome := doubt.doubt.outcome) == "said" else f"Not believed ({outcome}): "
        err.print(hints.pasted(f"{head}{doubt.text}"), style="yellow", markup=False)
    for problem in result.problems:
        if problem in told:
            continue
        err.print(hints.pasted(problem), style="red", markup=False)
    if seconds:
        out.print(f"{'Failed' if result.problems else 'Done'} after {seconds:.0f} s.")


def _tell_source(report: SourceReport) -> None:
    if report.skipped:
        out.print(report.skipped, markup=False)
    if report.summary:
        out.print(report.summary, markup=False)
    for detail in report.details:
        out.print(f"  {detail}", markup=False)
    for table, reason in report.with_outcome("unavailable").items():
        out.print(f"  Unavailable: {table}. {' '.join(reason.splitlines()[:2])}", markup=False)
    for table, endpoint in report.endpoints.items():
        if endpoint.closed_days:
            out.print(
                f"  The API does not have {ranges(sorted(endpoint.closed_days))} of {table}.",
                markup=False,
            )
        if endpoint.undeclared:
            names = ", ".join(sorted(endpoint.undeclared))
            out.print(
                f"  New fields in {table}: {names}. They are kept in undeclared_fields.",
                markup=False,
            )
    for called, count in _rejected(report).items():
        out.print(
            f"  {count} {called} could not be read; "
            "they are in claude_raw.rejected_rows with the reason.",
            markup=False,
        )


def _rejected(report: SourceReport) -> Counter[str]:
    """What could not be read, by what it is called."""
    found: Counter[str] = Counter()
    for table, endpoint in report.endpoints.items():
        if endpoint.rejected_count:
            found[endpoint.rejected_called or f"rows of {table}"] += endpoint.rejected_count
    return found
