"""The command line: parse, call the modules beside this one, print, and choose the exit code."""

import json
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Never

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pipelines import close_month as close_run
from pipelines import demo as demo_run
from pipelines import doctor as doctor_run
from pipelines import evidence as evidence_run
from pipelines import export as export_run
from pipelines import status as status_run
from pipelines import webhook
from pipelines.data_dir import DataDir, WarehouseHeld, disk_full_error
from pipelines.evidence import EvidenceFormat
from pipelines.exit_codes import DONE, EXIT_CODES, FAILED, HELD, REJECTED
from pipelines.load import Clock, LoadProgress, LoadReport
from pipelines.load_compliance import NO_KEY, ActivitiesReport
from pipelines.load_roster import RosterReport
from pipelines.publish import publish as publish_run
from pipelines.raw_tables import finish_pending, warehouse_pipeline
from pipelines.report import ChartName
from pipelines.run import (
    OTHER_SOURCES,
    Listener,
    RunResult,
    build,
    last_run,
    record,
    report_path,
    transform_variables,
    write_report,
)
from pipelines.run import sync as sync_run
from pipelines.served import opened
from pipelines.settings import NotifySettings, PipelineSettings, ReportSettings, settings
from pipelines.status_screen import show as show_status
from pipelines.summary import run_text
from pipelines.summary import summary as summary_text
from pipelines.transform import check_variables
from pipelines.wording import ranges
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.days import FIRST_DAY, days_between
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import Collected, LangdockSettings

STAGES = {
    "load": "Loading what is missing or may have changed",
    "transform": "Building the marts",
    "publish": "Publishing them to readers",
    "report": "Writing the report",
}

app = typer.Typer(
    name="claude-warehouse",
    help="Claude Enterprise usage data in your own warehouse: complete, correct, joinable.",
    epilog="Exit codes: " + "; ".join(f"{code} {text}" for code, text in EXIT_CODES.items()) + ".",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
exports = typer.Typer(help="Write what is in the marts to a file.", no_args_is_help=True)
app.add_typer(exports, name="export")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
if not out.is_terminal:
    out.width = 160  # Tables in a file or a mail are not cut.

LOADABLE = [*(endpoint.table for endpoint in EVERY_ENDPOINT), *OTHER_SOURCES]


class ReportFormat(StrEnum):
    """What the report is written as."""

    HTML = "html"
    PNG = "png"


Loadable = StrEnum("Loadable", {name: name for name in LOADABLE})  # type: ignore[misc]


def _day(text: str | date) -> date:
    try:
        return text if isinstance(text, date) else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2026-06-15.") from None


def _today(text: str | date) -> date:
    day = _day(text)
    if day < FIRST_DAY:
        raise typer.BadParameter(f"{day} is before {FIRST_DAY}, the first day that the API has.")
    return day


def _month(text: str | date) -> date:
    try:
        return text if isinstance(text, date) else datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a month; write it as 2026-05.") from None


DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Folder that holds everything a run writes. Setting: pipeline.data_dir.",
        show_default="data",
    ),
]
TodayOption = Annotated[
    date | None,
    typer.Option(
        "--today",
        parser=_today,
        metavar="YYYY-MM-DD",
        help="The day the run takes place on.",
        show_default="today, in UTC",
    ),
]
OnlyOption = Annotated[
    list[Loadable] | None,
    typer.Option("--only", help="Load only this endpoint or source; may be repeated."),
]
NoTransformOption = Annotated[
    bool,
    typer.Option("--no-transform", help="Load only; build and publish no marts."),
]


@app.command()
def sync(
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    only: OnlyOption = None,
    no_transform: NoTransformOption = False,
) -> None:
    """Load what is missing or may have changed, build the marts, publish them: the nightly run."""
    _load("sync", data_dir, today, only, transforms=not no_transform)


@app.command()
def backfill(
    first: Annotated[
        date, typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First day.")
    ],
    last: Annotated[
        date, typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last day, included.")
    ],
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    only: OnlyOption = None,
    no_transform: NoTransformOption = False,
) -> None:
    """Fetch these days again, whatever is loaded of them, then build and publish."""
    if first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}; swap them.")
    if first < FIRST_DAY:
        raise typer.BadParameter(f"--from {first} is before {FIRST_DAY}, the API's first day.")
    if last >= Clock.at(today).today:
        raise typer.BadParameter(f"--to {last} has not ended yet; the API has only whole days.")
    for source in {"claude_admin", "langdock"}.intersection(only or ()):
        raise typer.BadParameter(
            f"--only {source}: it has no days to fetch again; the roster has no history, and "
            "Langdock's exports are months."
        )
    _load(
        "backfill",
        data_dir,
        today,
        only,
        transforms=not no_transform,
        days=days_between(first, last),
    )


@app.command()
def transform(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Build the marts from what is loaded, test them, and publish them if they pass."""
    started = time.monotonic()
    data = _data_dir(data_dir)
    data.require_warehouse()
    with data.held("transform"), _Terminal() as listener:
        finish_pending(warehouse_pipeline(data))
        result = RunResult()
        build(data, result, listener)
        exit_code = _finish(
            data, "transform", Clock.at(today), started, result, report_path(data), listener
        )
    _tell(data, result, time.monotonic() - started)
    raise typer.Exit(exit_code)


@app.command("close-month")
def close_month(
    month: Annotated[
        date, typer.Argument(parser=_month, metavar="YYYY-MM", help="The month to close.")
    ],
    undo: Annotated[
        bool, typer.Option("--undo", help="Open it again; only the last closed month.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Close it although days of cost are not final.")
    ] = False,
    data_dir: DataDirOption = None,
    today: TodayOption = None,
) -> None:
    """Freeze a month's chargeback; what changes in it later is charged in the open month."""
    if undo and force:
        raise typer.BadParameter("--force is for closing; leave it out to undo a close.")
    started = time.monotonic()
    data, clock = _data_dir(data_dir), Clock.at(today)
    data.require_warehouse()
    with data.held("close-month"), _Terminal() as listener:
        if undo:
            result = close_run.undo_close(data, clock, month, listener=listener)
        else:
            result = close_run.close_month(
                data, clock, month, force=force, listener=listener, ranges=ranges
            )
        exit_code = _finish(
            data, "close-month", clock, started, result, report_path(data), listener
        )
    if result.bill is None:
        out.print(f"{month:%Y-%m} is open again.")
    else:
        out.print(f"{month:%Y-%m} is closed with {result.line_count} lines.")
        for pool, amount in result.bill.items():
            out.print(f"  {pool}: {amount:f} USD")
    _tell(data, result, time.monotonic() - started)
    raise typer.Exit(exit_code)


@app.command()
def publish(data_dir: DataDirOption = None) -> None:
    """Hand readers a fresh copy of the marts as they were last built."""
    data = _data_dir(data_dir)
    data.require_warehouse()
    with data.held("publish"):
        finish_pending(warehouse_pipeline(data))
        result = RunResult(publish=publish_run(data.warehouse, data.served))
    _tell(data, result, 0.0)


@app.command()
def status(
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is loaded up to when, what is missing, and how the last run went."""
    state = status_run.status(_data_dir(data_dir), Clock.at(today))
    if as_json:
        print(json.dumps(state, indent=2, default=str))
    else:
        show_status(state, out)


@app.command()
def report(
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="File to write. Setting: report.out.",
            show_default="report.html in the data folder, or the chart's name",
        ),
    ] = None,
    with_people: Annotated[
        bool,
        typer.Option("--with-people", help="Name people, for example who holds an idle seat."),
    ] = False,
    file_format: Annotated[
        ReportFormat, typer.Option("--format", help="A whole page, or one chart as a picture.")
    ] = ReportFormat.HTML,
    chart: Annotated[
        ChartName | None, typer.Option("--chart", help="Which chart; with --format png.")
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write the published numbers as one page that opens anywhere, or one chart as a picture."""
    from pipelines.report import page  # Its chart library is slow to load.

    if file_format is ReportFormat.PNG and not chart:
        names = ", ".join(ChartName)
        raise typer.BadParameter(f"--format png draws one chart; add --chart with one of: {names}.")
    if file_format is ReportFormat.HTML and chart:
        raise typer.BadParameter(f"--chart {chart} is for --format png; a page has every chart.")
    data = _data_dir(data_dir)
    run = last_run(data)
    if chart:
        written = page.write_chart(
            data.served,
            to or data.root / f"{chart}.png",
            chart,
            last_run=run,
            with_people=with_people,
        )
    else:
        target = to or data.root / settings(ReportSettings).out
        written = page.write_report(data.served, target, last_run=run, with_people=with_people)
    names_people = " It names people." if with_people else ""
    out.print(
        f"Wrote {written.path.absolute()} ({written.bytes / 2**20:.1f} MiB).{names_people}",
        markup=False,
    )


@app.command()
def summary(
    to_webhook: Annotated[
        bool,
        typer.Option(
            "--webhook", help="Also send it to the chat of the setting notify.webhook_url."
        ),
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Say in a few lines how Claude is used, what it costs and what needs attention."""
    data = _data_dir(data_dir)
    with opened(data.served) as served:
        text = summary_text(served, last_run(data))
    print(text)
    if not to_webhook:
        return
    url = settings(NotifySettings).webhook_url
    if not url:
        raise ForeseenError(
            "There is no webhook to send the summary to.\n"
            "[notify] webhook_url is not set.\n"
            "Put the chat's incoming webhook into .dlt/secrets.toml, or set NOTIFY__WEBHOOK_URL."
        )
    problem = webhook.post(url, text)
    if problem:
        raise ForeseenError(problem)


@app.command()
def doctor(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Check key, scopes, limits, files and warehouse, and say what to do about each."""
    fine = True
    for check in doctor_run.checks(_data_dir(data_dir), Clock.at(today)):
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}[check.is_fine]
        head, *rest = check.text.splitlines()
        out.print(f"{mark} {check.name}: ", end="")
        out.print(head, markup=False)
        for line in rest:
            out.print(f"    {line}", markup=False)
        fine = fine and check.is_fine is not False
    raise typer.Exit(DONE if fine else FAILED)


MonthOption = Annotated[
    date,
    typer.Option("--month", parser=_month, metavar="YYYY-MM", help="The month to write."),
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out", help="File to write.", show_default="named for the month, in this folder"
    ),
]
ChargebackFormat = StrEnum(  # type: ignore[misc]
    "ChargebackFormat", {form: form for form in export_run.CHARGEBACK.formats}
)


FocusFormat = StrEnum(  # type: ignore[misc]
    "FocusFormat", {form: form for form in export_run.FOCUS.formats}
)


@exports.command("focus")
def export_focus(
    month: MonthOption,
    form: Annotated[
        FocusFormat, typer.Option("--format", help="What FinOps tools read.")
    ] = FocusFormat(export_run.FOCUS.formats[0]),
    file: OutOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's charges in the columns of FOCUS 1.4."""
    _export(export_run.FOCUS, month, form, file, data_dir)


@exports.command("chargeback")
def export_chargeback(
    month: MonthOption,
    form: Annotated[
        ChargebackFormat, typer.Option("--format", help="For programs, or for Excel.")
    ] = ChargebackFormat(export_run.CHARGEBACK.formats[0]),
    file: OutOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write a month's statement: what each department and cost center pays, by pool."""
    _export(export_run.CHARGEBACK, month, form, file, data_dir)


@app.command()
def demo(data_dir: DataDirOption = None) -> None:
    """Load an invented organisation, build its marts and show the result; needs no key."""
    started = time.monotonic()
    data = DataDir(_data_dir(data_dir).root / "demo")
    with _Terminal() as listener:
        result = demo_run.demo(data, listener)
        exit_code = _finish(
            data,
            "demo",
            Clock.at(demo_run.TODAY),
            started,
            result,
            data.root / "report.html",
            listener,
        )
    _tell(data, result, time.monotonic() - started)
    if result.publish:
        for headline, columns, rows in demo_run.answers(data):
            _print_table(headline.title, columns, rows)
        out.print(f"\nQuery it yourself: open {data.served} with any DuckDB client.", markup=False)
    raise typer.Exit(exit_code)


@exports.command("evidence")
def export_evidence(
    file: Annotated[Path, typer.Option("--out", help="File to write.")],
    form: Annotated[
        EvidenceFormat, typer.Option("--format", help="How the rows are written.")
    ] = EvidenceFormat.CSV,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=_day, metavar="YYYY-MM-DD", help="First UTC day."),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", parser=_day, metavar="YYYY-MM-DD", help="Last UTC day, included."),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Write the events about access for auditors, each row chained to the one before by a hash."""
    if first and last and first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}; swap them.")
    served = _data_dir(data_dir).served
    evidence = evidence_run.export_evidence(served, file, form, first=first, last=last)
    out.print(f"Wrote {evidence.row_count:,} rows to {file}.", markup=False)
    out.print(f"Hash of the last row: {evidence.head_hash}")
    out.print("Keep it elsewhere: it tells this file from a rewritten one.")


@app.command("verify-evidence")
def verify_evidence(
    file: Annotated[Path, typer.Argument(help="File that `export evidence` wrote.")],
    head_hash: Annotated[
        str | None, typer.Option("--hash", help="Hash of the last row, as the export gave it.")
    ] = None,
) -> None:
    """Check that no row of an evidence file is missing, altered or in another place."""
    evidence = evidence_run.verify_evidence(file, head_hash)
    out.print(f"{file} is as it was exported: {evidence.row_count:,} rows.", markup=False)
    out.print(f"Hash of the last row: {evidence.head_hash}")


@app.command()
def sandbox(
    seats: Annotated[int, typer.Option(min=0, help="Seats of the invented organisation.")] = 500,
    seed: Annotated[int, typer.Option(help="Another number invents another organisation.")] = 1,
    today: TodayOption = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8787,
    requests_per_minute: Annotated[
        int, typer.Option(min=0, help="The rate limit; 0 is none.")
    ] = 60,
) -> None:
    """Serve the API of an invented organisation, with the real limits, until Ctrl-C."""
    from sources.sandbox import serve

    serve(
        seats=seats,
        seed=seed,
        today=Clock.at(today).today,
        port=port,
        requests_per_minute=requests_per_minute or None,
    )


def main() -> Never:
    """Run the command line; every way out of it has its exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app(prog_name="claude-warehouse")
    except WarehouseHeld as error:
        _fail(str(error), HELD)
    except ForeseenError as error:
        _fail(str(error), FAILED)
    except KeyboardInterrupt:
        _fail("Stopped. What was committed stays; the next run goes on from there.", 130)
    except Exception as error:
        full = disk_full_error(error)
        if full is None:
            raise
        _fail(str(full), FAILED)
    raise SystemExit(DONE)


def _data_dir(option: Path | None) -> DataDir:
    return DataDir(option or Path(settings(PipelineSettings).data_dir))


def _load(
    command: str,
    data_dir: Path | None,
    today: date | None,
    only: Sequence[str] | None,
    *,
    transforms: bool,
    days: Sequence[date] | None = None,
) -> None:
    started = time.monotonic()
    data, clock = _data_dir(data_dir), Clock.at(today)
    analytics, langdock = settings(AnalyticsSettings), settings(LangdockSettings)
    check_variables(transform_variables())  # Better told now than after the load.
    report_to = report_path(data)
    try:
        with data.held(command), _Terminal() as listener:
            result = sync_run(
                data,
                clock,
                analytics=analytics,
                admin=settings(AdminSettings),
                langdock=langdock,
                compliance=settings(ComplianceSettings),
                only=only or (),
                backfill=days,
                transforms=transforms,
                listener=listener,
            )
            exit_code = _finish(data, command, clock, started, result, report_to, listener)
    except Exception as error:
        # What nobody foresaw may hold anything, so the chat is told its kind only.
        what = str(error) if isinstance(error, ForeseenError) else type(error).__name__
        _notify(data, command, HELD if isinstance(error, WarehouseHeld) else FAILED, [what])
        raise
    _tell(data, result, time.monotonic() - started)
    _notify(data, command, exit_code, result.problems)
    raise typer.Exit(exit_code)


def _export(
    what: export_run.Export, month: date, form: str, file: Path | None, data_dir: Path | None
) -> None:
    file = file or Path(f"{what.name}_{month:%Y-%m}.{form}")
    count = export_run.export(_data_dir(data_dir).served, what, month, str(form), file)
    out.print(f"Wrote {count:,} rows of {month:%Y-%m} to {file}.", markup=False)


def _finish(
    data: DataDir,
    command: str,
    clock: Clock,
    started: float,
    result: RunResult,
    report: Path | None,
    listener: Listener,
) -> int:
    """Record how the run ended and write the report of it; returns the exit code."""
    exit_code = _exit_code(result)
    record(data, command, clock, started, exit_code, result)
    if report and result.publish:
        write_report(data, result, report, listener)
        if exit_code != _exit_code(result):
            exit_code = _exit_code(result)
            record(data, command, clock, started, exit_code, result)
    return exit_code


def _notify(data: DataDir, command: str, exit_code: int, problems: Sequence[str]) -> None:
    """Tell the chat, if one is configured, how a run went; never fails the run."""
    url = settings(NotifySettings).webhook_url
    if not url:
        return
    try:
        with opened(data.served) as served:
            text = summary_text(served, last_run=None)
    except ForeseenError:
        text = None  # Nothing was ever published.
    problem = webhook.post(url, run_text(command, exit_code, problems, text))
    if problem:
        err.print(problem, style="yellow", markup=False)


def _exit_code(result: RunResult) -> int:
    if result.problems:
        return FAILED
    if result.langdock and result.langdock.skipped_count:
        return REJECTED
    reports = (result.load, result.activities)
    return REJECTED if any(report and report.rejected_count for report in reports) else DONE


class _Terminal(AbstractContextManager[Listener]):
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


def _tell(data: DataDir, result: RunResult, seconds: float) -> None:
    """What each stage did, then whatever somebody should look at."""
    if result.report:
        out.print(f"Report: {result.report.absolute()}", markup=False)
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
            f"Published {published.tables} marts to {data.served} "
            f"({published.bytes / 2**20:.1f} MiB).",
            markup=False,
        )
    for problem in result.problems:
        err.print(problem, style="red", markup=False)
    if seconds:
        out.print(f"{'Failed' if result.problems else 'Done'} after {seconds:.0f} s.")


def _tell_load(load: LoadReport) -> None:
    out.print(
        f"Loaded {load.day_count} endpoint days ({load.row_count:,} rows) "
        f"with {load.request_count} requests."
    )
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


def _print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        is_number = bool(rows) and not isinstance(rows[0][number], str | date | datetime)
        table.add_column(column, justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*map(_cell, row))
    out.print()
    out.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    # A decimal zero would print as 0E-8.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _fail(message: str, exit_code: int) -> Never:
    err.print(message, style="red", markup=False)
    raise SystemExit(exit_code)
