"""The commands that change the warehouse."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Never, Self

import typer

from pipelines import close_month as close_run
from pipelines import demo as demo_run
from pipelines import hints, stopping, webhook
from pipelines.cli.options import (
    LOADABLE,
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
from pipelines.cli.told import Terminal, err, out, tell
from pipelines.data_dir import DataDir, WarehouseHeld
from pipelines.exit_codes import DONE, FAILED, HELD, REJECTED
from pipelines.foreseen import foreseen
from pipelines.raw_tables import finish_pending, warehouse_pipeline
from pipelines.run import (
    Listener,
    RunResult,
    all_settings,
    build,
    report_path,
    require_inputs,
    write_report,
)
from pipelines.run import sync as sync_run
from pipelines.run_record import STOPPED, RunRecord
from pipelines.settings import NotifySettings, require_settings, settings
from pipelines.status import remember
from pipelines.status_screen import published, show_numbers
from pipelines.summary import run_text
from pipelines.summary import summary as summary_text
from pipelines.warehouse import warehouse_of
from pipelines.wording import ranges
from sources.claude_analytics.plan import FIRST_DAY, days_between
from sources.errors import ForeseenError
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
    for name in only or ():
        if not LOADABLE[name].has_days:
            raise typer.BadParameter(
                f"--only {name}: it has no days to fetch again; the roster has no history, and "
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
    data = data_dir_of(data_dir)
    warehouse_of(data).require()
    with _Run(data, "transform", Clock.at(today)) as run:
        finish_pending(warehouse_pipeline(data))
        result = RunResult()
        build(data, result, run.listener)
        run.finish(result, report_path(data))
    raise typer.Exit(run.exit_code)


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
    data, clock = data_dir_of(data_dir), Clock.at(today)
    warehouse_of(data).require()
    with _Run(data, "close-month", clock) as run:
        if undo:
            result = close_run.undo_close(data, clock, month, listener=run.listener)
        else:
            result = close_run.close_month(
                data, clock, month, force=force, listener=run.listener, ranges=ranges
            )
        run.finish(result, report_path(data), before=_closed(month, result))
    raise typer.Exit(run.exit_code)


@commands.command()
def publish(
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Publish although readers lose days, months or marts."),
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Hand readers a fresh copy of the marts as they were last built."""
    data = data_dir_of(data_dir)
    warehouse = warehouse_of(data)
    warehouse.require()
    with _Run(data, "publish", Clock.at(None)) as run:
        finish_pending(warehouse_pipeline(data))
        run.listener.on_stage("publish")
        run.finish(RunResult(publish=warehouse.publish(accept_loss=accept_loss)), None)
    raise typer.Exit(run.exit_code)


@commands.command()
def demo(data_dir: DataDirOption = None) -> None:
    """Load an invented organisation, build its marts and show the result; needs no key."""
    data = DataDir(data_dir_of(data_dir).root / "demo")
    hints.use_demo(data.root)
    # It holds the folder itself, to empty it first.
    with _Run(data, "demo", Clock.at(demo_run.TODAY), holds=False) as run:
        result = demo_run.demo(data, run.listener)
        run.finish(result, data.root / "report.html")
        if result.publish:
            warehouse = warehouse_of(data)
            show_numbers(published(warehouse).headlines, out)
            out.print(f"\nQuery it yourself: {warehouse.invitation}", markup=False)
    raise typer.Exit(run.exit_code)


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
    days: Sequence[date] = (),
) -> None:
    data, clock = data_dir_of(data_dir, checked=False), Clock.at(today)
    with _Run(data, command, clock, tells_chat=True) as run:
        given = all_settings()
        require_inputs(given, only or ())
        report_to = report_path(data)
        result = sync_run(
            data,
            clock,
            given,
            only=only or (),
            backfill=days,
            transforms=transforms,
            listener=run.listener,
        )
        run.finish(result, report_to)
    raise typer.Exit(run.exit_code)


def _closed(month: date, result: close_run.CloseResult) -> str:
    if result.bill is None:
        return f"{month:%Y-%m} is open again."
    pools = [
        f"  {pool}: {'unknown' if amount is None else f'{amount:f} USD'}"
        for pool, amount in result.bill.items()
    ]
    return "\n".join([f"{month:%Y-%m} is closed with {result.line_count} lines.", *pools])


class _Run:
    """A run that holds the warehouse. However it ends, it is recorded and the chat is told."""

    def __init__(
        self,
        data: DataDir,
        command: str,
        clock: Clock,
        *,
        tells_chat: bool = False,
        holds: bool = True,
    ) -> None:
        self._data, self._command, self._holds = data, command, holds
        self._tells_chat, self._chat = tells_chat, ""
        self._record = RunRecord(data, command, clock)
        self._stack = ExitStack()
        self._is_recorded = False
        self.exit_code = FAILED
        self.listener = Listener()

    def __enter__(self) -> Self:
        stopping.last_words(self._stopped)
        try:
            if self._tells_chat:
                with suppress(ForeseenError):  # The run is refused for it, with all that is wrong.
                    self._chat = settings(NotifySettings).webhook_url or ""
                require_settings()
            if self._holds:
                self._stack.enter_context(self._data.held(self._command))
                warehouse_of(self._data).check()
                remember(self._data)
                self._begin()
            listener = self._stack.enter_context(Terminal())
        except Exception as error:
            self._stack.close()
            self._failed(error)
        self.listener = replace(listener, on_stage=partial(self._stage, listener.on_stage))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        self._stack.close()
        if isinstance(error, Exception) and stopping.exit_code() is None:
            self._failed(error)
        if error is None:
            stopping.forget(self._stopped)

    def finish(self, result: RunResult, report: Path | None, *, before: str = "") -> None:
        """Record how the run went, write the report of it, and tell both screen and chat."""
        self._end(result)
        if report and result.publish:
            write_report(self._data, result, report, self.listener)
            self._end(result)
        self._stack.close()
        if before:
            out.print(before, markup=False)
        tell(self._data, result, self._record.seconds)
        if self._chat and (problem := self._notify(self.exit_code, result.problems)):
            result.problems.append(problem)
            self._record.end(self.exit_code, result.problems, result)
            err.print(hints.pasted(problem), style="yellow", markup=False)

    def _stage(self, told: Callable[[str], None], stage: str) -> None:
        if not self._is_recorded:
            self._begin()
        told(stage)

    def _begin(self) -> None:
        self._record.begin()
        self._is_recorded = True

    def _end(self, result: RunResult) -> None:
        self.exit_code = exit_code(result)
        self._record.end(self.exit_code, result.problems, result)

    def _failed(self, error: Exception) -> Never:
        told = foreseen(error, self._data.root)
        code = HELD if isinstance(told, WarehouseHeld) else FAILED
        problems = [str(told)]
        if self._chat and (problem := self._notify(code, problems)):
            err.print(hints.pasted(problem), style="yellow", markup=False)
            problems.append(problem)
        if self._is_recorded:
            with suppress(OSError):  # The message says why already.
                self._record.end(code, problems)
        stopping.forget(self._stopped)
        raise told from error

    def _stopped(self, code: int) -> None:
        if self._is_recorded:
            self._record.end(code, [STOPPED])
        if self._chat:
            webhook.post_once(self._chat, run_text(self._command, code, [], None))

    def _notify(self, code: int, problems: Sequence[str]) -> str | None:
        """Tell the chat how the run went; returns why that failed, which fails no run."""
        try:
            with warehouse_of(self._data).serve() as served:
                text = summary_text(served, last_run=None)
        except Exception:
            text = None  # Nothing was ever published, or it cannot be read.
        return webhook.post(self._chat, hints.pasted(run_text(self._command, code, problems, text)))


def exit_code(result: RunResult) -> int:
    if result.problems:
        return FAILED
    return REJECTED if any(each.rejected_count for each in result.sources.values()) else DONE
