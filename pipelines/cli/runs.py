"""The commands that change the warehouse."""

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from pipelines import close_month as close_run
from pipelines import demo as demo_run
from pipelines import webhook
from pipelines.cli.options import (
    DataDirOption,
    NoTransformOption,
    OnlyOption,
    TodayOption,
    data_dir_of,
    day,
)
from pipelines.cli.options import (
    month as month_of,
)
from pipelines.cli.told import Terminal, err, out, print_table, tell
from pipelines.data_dir import DataDir, WarehouseHeld
from pipelines.exit_codes import DONE, FAILED, HELD, REJECTED
from pipelines.publish import publish as publish_run
from pipelines.raw_tables import finish_pending, warehouse_pipeline
from pipelines.run import (
    Listener,
    RunResult,
    build,
    report_path,
    require_inputs,
    write_report,
)
from pipelines.run import sync as sync_run
from pipelines.run_record import record
from pipelines.served import opened
from pipelines.settings import NotifySettings, require_settings, settings
from pipelines.summary import run_text
from pipelines.summary import summary as summary_text
from pipelines.wording import ranges
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.plan import FIRST_DAY, days_between
from sources.claude_compliance import ComplianceSettings
from sources.errors import ForeseenError
from sources.langdock import LangdockSettings
from sources.session import Clock

commands = typer.Typer()


@commands.command()
def sync(
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    only: OnlyOption = None,
    no_transform: NoTransformOption = False,
) -> None:
    """Load what is missing or may have changed, build the marts, publish them: the nightly run."""
    _load("sync", data_dir, today, only, transforms=not no_transform)


@commands.command()
def backfill(
    first: Annotated[
        date, typer.Option("--from", parser=day, metavar="YYYY-MM-DD", help="First day.")
    ],
    last: Annotated[
        date, typer.Option("--to", parser=day, metavar="YYYY-MM-DD", help="Last day, included.")
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


@commands.command()
def transform(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Build the marts from what is loaded, test them, and publish them if they pass."""
    started = time.monotonic()
    data = data_dir_of(data_dir)
    data.require_warehouse()
    with data.held("transform"), Terminal() as listener:
        finish_pending(warehouse_pipeline(data))
        result = RunResult()
        build(data, result, listener)
        exit_code = _finish(
            data, "transform", Clock.at(today), started, result, report_path(data), listener
        )
    tell(data, result, time.monotonic() - started)
    raise typer.Exit(exit_code)


@commands.command("close-month")
def close_month(
    month: Annotated[
        date, typer.Argument(parser=month_of, metavar="YYYY-MM", help="The month to close.")
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
    data, clock = data_dir_of(data_dir), Clock.at(today)
    data.require_warehouse()
    with data.held("close-month"), Terminal() as listener:
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
    tell(data, result, time.monotonic() - started)
    raise typer.Exit(exit_code)


@commands.command()
def publish(data_dir: DataDirOption = None) -> None:
    """Hand readers a fresh copy of the marts as they were last built."""
    data = data_dir_of(data_dir)
    data.require_warehouse()
    with data.held("publish"):
        finish_pending(warehouse_pipeline(data))
        result = RunResult(publish=publish_run(data.warehouse, data.served))
    tell(data, result, 0.0)


@commands.command()
def demo(data_dir: DataDirOption = None) -> None:
    """Load an invented organisation, build its marts and show the result; needs no key."""
    started = time.monotonic()
    data = DataDir(data_dir_of(data_dir).root / "demo")
    with Terminal() as listener:
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
    tell(data, result, time.monotonic() - started)
    if result.publish:
        for headline, columns, rows in demo_run.answers(data):
            print_table(headline.title, columns, rows)
        out.print(f"\nQuery it yourself: open {data.served} with any DuckDB client.", markup=False)
    raise typer.Exit(exit_code)


@commands.command()
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
    data, clock = data_dir_of(data_dir, checked=False), Clock.at(today)
    try:
        require_settings()
        analytics, langdock = settings(AnalyticsSettings), settings(LangdockSettings)
        require_inputs(langdock.files if not only or "langdock" in only else None)
        report_to = report_path(data)
        with data.held(command), Terminal() as listener:
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
        notify(data, command, HELD if isinstance(error, WarehouseHeld) else FAILED, [what])
        raise
    tell(data, result, time.monotonic() - started)
    notify(data, command, exit_code, result.problems)
    raise typer.Exit(exit_code)


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


def notify(data: DataDir, command: str, exit_code: int, problems: Sequence[str]) -> None:
    """Tell the chat, if one is configured, how a run went; never fails the run."""
    try:
        url = settings(NotifySettings).webhook_url
    except ForeseenError:
        return  # The run was refused for it.
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
