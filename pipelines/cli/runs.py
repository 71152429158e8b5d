"""The commands that change the warehouse."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import hints, stopping
from pipelines.cli.options import (
    DataDirOption,
    ForceOption,
    NoTransformOption,
    OnlyOption,
    TodayOption,
    data_dir_of,
    day,
    loadable,
    moment,
    path,
)
from pipelines.cli.options import (
    month as month_of,
)
from pipelines.cli.told import out
from pipelines.data_dir import DataDir
from pipelines.warehouse import warehouse_of
from sources.days import FIRST_DAY, days_between

if TYPE_CHECKING:
    from pipelines.closing.close_month import CloseResult

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
    from sources.session import Clock

    if first > last:
        raise typer.BadParameter(f"--from {first} is after --to {last}; swap them.")
    if first < FIRST_DAY:
        raise typer.BadParameter(f"--from {first} is before {FIRST_DAY}, the API's first day.")
    if last >= Clock.at(today).today:
        raise typer.BadParameter(f"--to {last} has not ended yet; the API has only whole days.")
    for name in only or ():
        if not loadable()[name].has_days:
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
    from pipelines.cli.run import Run
    from pipelines.raw_tables import make_ready, warehouse_pipeline
    from pipelines.run import RunResult, build, report_path
    from sources.session import Clock

    if as_of and not file:
        raise typer.BadParameter("--as-of needs a file to write: add --out FILE.")
    if file and not as_of:
        raise typer.BadParameter("--out is the file for --as-of MOMENT; `publish` has its own.")
    data = data_dir_of(data_dir)
    warehouse_of(data).require()
    if as_of and file:
        _transform_as_of(data, today, as_of, file, force=force)
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
    data: DataDir, today: date | None, then: datetime, file: Path, *, force: bool
) -> None:
    from pipelines.as_of import transform_as_of
    from pipelines.cli.run import Run
    from pipelines.files.outputs import MARTS, refuse_unless_ours
    from pipelines.raw_tables import make_ready, warehouse_pipeline
    from pipelines.run import RunResult
    from sources.session import Clock

    refuse_unless_ours(data, file, MARTS, force=force)
    clock = Clock.at(today)
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
    from pipelines.cli.run import Run
    from pipelines.closing import close_month as close_run
    from pipelines.reading.wording import ranges
    from pipelines.run import report_path
    from sources.session import Clock

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
    from pipelines import doubts
    from pipelines.cli.run import Run
    from pipelines.raw_tables import make_ready, warehouse_pipeline
    from pipelines.run import RunResult
    from sources.session import Clock

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
    from pipelines import compact as compact_run
    from pipelines.cli.run import Run
    from pipelines.run import RunResult
    from sources.session import Clock

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
    from pipelines.cli.run import Run
    from pipelines.raw_tables import make_ready, warehouse_pipeline
    from pipelines.run import RunResult
    from sources.session import Clock

    if to and accept_loss:
        raise typer.BadParameter("--accept-loss is for readers here; leave it out with --to.")
    data = data_dir_of(data_dir)
    warehouse = warehouse_of(data)
    warehouse.require()
    if to:
        from pipelines.warehouse.elsewhere import copy_elsewhere

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
        run.finish(RunResult(publish=warehouse.publish(accept_loss=accept_loss, afresh=True)), None)
    raise typer.Exit(run.exit_code)


@commands.command()
def demo(data_dir: DataDirOption = None) -> None:
    """Load an invented organisation, build its marts and show the result; needs no key."""
    from pipelines import demo as demo_run
    from pipelines.cli.run import Run
    from pipelines.reading.status_screen import published, show_numbers
    from sources.session import Clock

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
    from sources.session import Clock

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
    from pipelines.cli.run import Run
    from pipelines.run import all_settings, report_path, require_inputs
    from pipelines.run import sync as load
    from sources.session import Clock

    data, clock = data_dir_of(data_dir, checked=False), Clock.at(today)
    with Run(data, command, clock, tells_chat=True) as run:
        given = all_settings()
        require_inputs(given, only or ())
        report_to = report_path(data)
        result = load(
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


def _closed(month: date, result: "CloseResult") -> str:
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
