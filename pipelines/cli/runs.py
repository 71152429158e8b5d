"""The commands that change the warehouse."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Never, Self

import typer

from pipelines import compact as compact_run
from pipelines import demo as demo_run
from pipelines import doubts, hints, stopping, surroundings, telemetry, webhook
from pipelines.as_of import transform_as_of
from pipelines.cli import lines
from pipelines.cli.options import (
    LOADABLE,
    DataDirOption,
    ForceOption,
    NoTransformOption,
    OnlyOption,
    TodayOption,
    data_dir_of,
    day,
    moment,
    path,
)
from pipelines.cli.options import (
    month as month_of,
)
from pipelines.cli.told import Terminal, err, out, tell
from pipelines.closing import close_month as close_run
from pipelines.data_dir import DataDir, WarehouseHeld
from pipelines.exit_codes import DONE, FAILED, HELD, REJECTED, meaning
from pipelines.files.outputs import MARTS, refuse_unless_ours
from pipelines.finished_loads import clear_finished
from pipelines.foreseen import foreseen
from pipelines.project import here
from pipelines.raw_tables import make_ready, warehouse_pipeline
from pipelines.reading import check as check_run
from pipelines.reading import wording
from pipelines.reading.status import remember
from pipelines.reading.status_screen import published, show_numbers
from pipelines.reading.summary import run_text
from pipelines.reading.summary import summary as summary_text
from pipelines.reading.wording import ranges
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
from pipelines.runs import store_runs
from pipelines.settings import (
    LoggingSettings,
    NotifySettings,
    TelemetrySettings,
    require_settings,
    settings,
    settings_files,
    settings_variables,
)
from pipelines.warehouse import held, warehouse_of
from sources.days import FIRST_DAY, days_between
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
def transform(
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            parser=moment,
            metavar="MOMENT",
            help="Build the marts as they would have been then (a UTC day to its end, or a "
            "moment), into a file of their own.",
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--out", parser=path, metavar="PATH", help="The file for --as-of."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option("--full", help="Build also what has nothing new to read."),
    ] = False,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
    today: TodayOption = None,
) -> None:
    """Build the marts from what is loaded, test them, and publish them if they pass."""
    if as_of and not file:
        raise typer.BadParameter("--as-of needs a file to write: add --out FILE.")
    if file and not as_of:
        raise typer.BadParameter("--out is the file for --as-of MOMENT; `publish` has its own.")
    data = data_dir_of(data_dir)
    warehouse_of(data).require()
    if as_of and file:
        _transform_as_of(data, Clock.at(today), as_of, file, force=force)
        return
    with Run(data, "transform", Clock.at(today)) as run:
        make_ready(warehouse_pipeline(data))
        if full:
            warehouse_of(data).forget_built()
        result = RunResult()
        build(data, result, run.listener)
        run.finish(result, report_path(data))
    raise typer.Exit(run.exit_code)


def _transform_as_of(
    data: DataDir, clock: Clock, then: datetime, file: Path, *, force: bool
) -> None:
    refuse_unless_ours(data, file, MARTS, force=force)
    with Run(data, "transform", clock) as run:
        make_ready(warehouse_pipeline(data))
        run.listener.on_stage("transform")
        written = transform_as_of(data, clock, then, file)
        run.finish(
            RunResult(),
            None,
            before=f"Wrote the marts as of {then:%Y-%m-%d %H:%M} UTC to {file}: "
            f"{written.tables} tables, {written.rows:,} rows, {written.size}.",
        )
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
    invoice: Annotated[
        str | None,
        typer.Option(
            "--invoice",
            metavar="ID",
            help="The month's invoice, for FOCUS; of a closed month, too.",
            show_default=False,
        ),
    ] = None,
    invoice_detail: Annotated[
        str | None,
        typer.Option(
            "--invoice-detail",
            metavar="ID",
            help="Its line that the charges are on.",
            show_default="the invoice's own ID",
        ),
    ] = None,
    data_dir: DataDirOption = None,
    today: TodayOption = None,
) -> None:
    """Freeze a month's chargeback; what changes in it later is charged in the open month."""
    if undo and (force or invoice):
        raise typer.BadParameter(
            "--force and --invoice are for closing; leave them out to undo a close."
        )
    if invoice is not None and not invoice.strip():
        raise typer.BadParameter("--invoice is empty; give the invoice's ID, as it is printed.")
    if invoice_detail and not invoice:
        raise typer.BadParameter("--invoice-detail is a line of an invoice; add --invoice ID.")
    named = close_run.Invoice.named(invoice, invoice_detail)
    data, clock = data_dir_of(data_dir), Clock.at(today)
    warehouse_of(data).require()
    with Run(data, "close-month", clock) as run:
        if undo:
            result = close_run.undo_close(data, clock, month, listener=run.listener)
        else:
            result = close_run.close_month(
                data,
                clock,
                month,
                force=force,
                invoice=named,
                listener=run.listener,
                ranges=ranges,
            )
        run.finish(result, report_path(data), before=_closed(month, result))
    raise typer.Exit(run.exit_code)


@commands.command()
def accept(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="What is true, as status names it.")],
    data_dir: DataDirOption = None,
    today: TodayOption = None,
) -> None:
    """Confirm something that a run did not believe; the next sync takes it."""
    data, clock = data_dir_of(data_dir), Clock.at(today)
    warehouse_of(data).require()
    with Run(data, "accept", clock) as run:
        make_ready(warehouse_pipeline(data))
        accepted, still_open = doubts.accept(data, clock.now, what)
        run.finish(RunResult(doubts=still_open), None, before=f"Accepted: {accepted.text}")
    raise typer.Exit(run.exit_code)


@commands.command()
def compact(
    before: Annotated[
        date,
        typer.Option(
            "--before",
            parser=day,
            metavar="YYYY-MM-DD",
            help="UTC day; what counted on it or later stays.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be dropped.")
    ] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Drop versions of days that no longer count, and give back their space."""
    data = data_dir_of(data_dir)
    warehouse_of(data).require()
    with Run(data, "compact", Clock.at(None)) as run:
        dropped = compact_run.compact(data, before, is_dry=dry_run)
        run.finish(RunResult(), None, before=dropped.told(before, is_dry=dry_run))
    raise typer.Exit(run.exit_code)


@commands.command()
def publish(
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Publish although readers lose days, months or marts."),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="DESTINATION",
            help="Only copy what readers have into this destination of dlt's.",
        ),
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Hand readers a fresh copy of the marts as they were last built."""
    if to and accept_loss:
        raise typer.BadParameter("--accept-loss is for readers here; leave it out with --to.")
    data = data_dir_of(data_dir)
    warehouse = warehouse_of(data)
    warehouse.require()
    if to:
        from pipelines.warehouse.elsewhere import copy_elsewhere  # Few copy them anywhere.

        with Run(data, "publish", Clock.at(None)) as run:
            run.listener.on_stage("publish")
            copied = copy_elsewhere(data, warehouse, to)
            run.finish(
                RunResult(),
                None,
                before=f"Copied {copied.tables} tables, {copied.rows:,} rows, to {copied.place}.",
            )
        raise typer.Exit(run.exit_code)
    with Run(data, "publish", Clock.at(None)) as run:
        make_ready(warehouse_pipeline(data))
        run.listener.on_stage("publish")
        run.finish(RunResult(publish=warehouse.publish(accept_loss=accept_loss)), None)
    raise typer.Exit(run.exit_code)


@commands.command()
def demo(data_dir: DataDirOption = None) -> None:
    """Load an invented organisation, build its marts and show the result; needs no key."""
    data = DataDir(data_dir_of(data_dir).root / "demo", is_apart=True)
    hints.use_demo(data.root)
    # It holds the folder itself, to empty it first.
    with Run(data, "demo", Clock.at(demo_run.TODAY), holds=False) as run:
        stopping.say(stopping.DEMO_BEGINS_ANEW)
        result = demo_run.demo(data, run.listener)
        run.finish(result, data.root / "report.html")
        if result.publish:
            warehouse = warehouse_of(data)
            show_numbers(published(warehouse).headlines, out)
            out.print(f"\nQuery it yourself: {warehouse.invitation}\n", markup=False)
            for line in demo_run.next_steps(data):
                out.print(hints.pasted(line), markup=False)
    raise typer.Exit(run.exit_code)


@commands.command()
def sandbox(
    seats: Annotated[int, typer.Option(min=0, help="Seats of the invented organisation.")] = 500,
    seed: Annotated[int, typer.Option(help="Another number invents another organisation.")] = 1,
    today: TodayOption = None,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8787,
    requests_per_minute: Annotated[
        int, typer.Option(min=0, help="The rate limit; 0 is none.")
    ] = 60,
) -> None:
    """Serve the API of an invented organisation, with the real limits, until Ctrl-C."""
    from sources.sandbox import serve

    stopping.say(stopping.SANDBOX_ENDED)
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
    with Run(data, command, clock, tells_chat=True) as run:
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
    named = f"Its invoice is {result.invoice.invoice_id}." if result.invoice else ""
    if result.bill is None:
        if named:
            return f"{month:%Y-%m} stays as it is. {named}"
        return f"{month:%Y-%m} is open again."
    pools = [
        f"  {pool}: {'unknown' if amount is None else f'{amount:f} USD'}"
        for pool, amount in result.bill.items()
    ]
    first = f"{month:%Y-%m} is closed with {result.line_count} lines."
    return "\n".join([" ".join(filter(None, [first, named])), *pools])


class Run:
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
        self._tells_chat, self._notify_settings = tells_chat, NotifySettings()
        self._record, self._clock = RunRecord(data, command, clock), clock
        self._stages: list[tuple[str, int]] = []
        self._stack = ExitStack()
        self._is_recorded = False
        self.exit_code = FAILED
        self.listener = Listener()

    def __enter__(self) -> Self:
        stopping.say(stopping.RUN_GOES_ON)
        stopping.last_words(self._stopped)
        try:
            with suppress(ForeseenError):  # The run is refused for it, with all that is wrong.
                if settings(LoggingSettings).format == "json":
                    lines.use(self._record.id, self._command)
            if self._tells_chat:
                with suppress(ForeseenError):
                    self._notify_settings = settings(NotifySettings)
                require_settings()
            if self._holds:
                self._stack.enter_context(held(self._data, self._command))
                warehouse_of(self._data).check()
                remember(self._data)
                self._begin()
            err.print(used(self._data), markup=False)
            listener = self._stack.enter_context(Terminal())
        except Exception as error:
            self._let_go()
            self._failed(error)
        self.listener = replace(
            listener,
            on_stage=partial(self._stage, listener.on_stage),
            on_loaded=self._record.loaded,
            run_id=self._record.id,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        if error is None:
            self._stack.close()
            stopping.forget(self._stopped)
            return
        self._let_go()
        if isinstance(error, Exception) and stopping.exit_code() is None:
            self._failed(error)

    def _let_go(self) -> None:
        """After a failure, the message of which says more than one of this."""
        with suppress(ForeseenError):
            self._stack.close()

    def finish(self, result: RunResult, report: Path | None, *, before: str = "") -> None:
        """Record how the run went, write the report of it, and tell both screen and chat."""
        self._end(result)
        if report and result.publish:
            write_report(self._data, result, report, self.listener)
            self._end(result)
        if self._holds:
            with suppress(Exception):  # What it did is done; the next run puts the rest away.
                pipeline = warehouse_pipeline(self._data)
                store_runs(pipeline, self._data, self._record.id)
                clear_finished(pipeline)
        self._stack.close()
        if before:
            out.print(before, markup=False)
        tell(self._data, result, self._record.seconds)
        doubts = [doubt.text for doubt in result.doubts or ()]
        if lines.are_used():
            lines.write("info", meaning(self.exit_code), run=self._record.facts)
        problems = [
            self._notify(self.exit_code, result.problems, doubts),
            self._beat(result),
            self._measure(),
        ]
        for problem in filter(None, problems):
            result.problems.append(problem)
            self._record.end(self.exit_code, result.problems, result)
            err.print(hints.pasted(problem), style="yellow", markup=False)

    def _stage(self, told: Callable[[str], None], stage: str) -> None:
        if not self._is_recorded:
            self._begin()
        self._stages.append((stage, time.time_ns()))
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
        if problem := self._notify(code, problems):
            err.print(hints.pasted(problem), style="yellow", markup=False)
            problems.append(problem)
        if self._is_recorded:
            with suppress(OSError):  # The message says why already.
                self._record.end(code, problems)
            with suppress(Exception):
                self._measure()
        stopping.forget(self._stopped)
        raise told from error

    def _stopped(self, code: int) -> None:
        if self._is_recorded:
            self._record.end(code, [STOPPED])
        notify = self._notify_settings
        if notify.webhook_url:
            text = run_text(self._command, code, [], None)
            webhook.post_once(notify.webhook_url, text, notify.webhook_form)

    def _measure(self) -> str | None:
        """Send the run to a collector, if there is one; returns why that failed."""
        endpoint = settings(TelemetrySettings).endpoint or surroundings.collector()
        if not endpoint or not self._stages:
            return None
        ends = [*(began for _, began in self._stages[1:]), time.time_ns()]
        stages = [
            telemetry.Stage(name, began, ended)
            for (name, began), ended in zip(self._stages, ends, strict=True)
        ]
        state = int(check_run.check(self._data, self._clock).state)
        return telemetry.send(endpoint, self._data, self._record.facts, stages, state=state)

    def _beat(self, result: RunResult) -> str | None:
        """Tell a dead man's switch that readers have a new night; returns why that failed."""
        url = self._notify_settings.heartbeat_url
        is_good = self.exit_code in (DONE, REJECTED) and result.publish is not None
        return webhook.beat(url) if url and is_good else None

    def _notify(self, code: int, problems: Sequence[str], doubts: Sequence[str] = ()) -> str | None:
        """Tell the chat how the run went; returns why that failed, which fails no run."""
        notify = self._notify_settings
        if not notify.webhook_url:
            return None
        try:
            with warehouse_of(self._data).serve() as served:
                text = summary_text(served, last_run=None)
        except Exception:
            text = None  # Nothing was ever published, or it cannot be read.
        told = run_text(self._command, code, problems, text, doubts)
        return webhook.post(notify.webhook_url, hints.pasted(told), notify.webhook_form)


def used(data: DataDir) -> str:
    """Whose settings and which folder a run uses, in a line."""
    files = ", ".join(settings_files()) or "none in .dlt"
    variables = wording.plural(len(settings_variables()), "variable")
    return f"Project {here()} (settings: {files}; {variables}), data folder {data.root}"


def exit_code(result: RunResult) -> int:
    if result.problems:
        return FAILED
    is_kept_apart = any(
        doubt.state == "open" and doubt.doubt.outcome != "said" for doubt in result.doubts or ()
    )
    is_rejected = any(each.rejected_count for each in result.sources.values())
    return REJECTED if is_kept_apart or is_rejected else DONE
