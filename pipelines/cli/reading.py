"""The commands that say how things stand."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import doctor as doctor_run
from pipelines import hints, webhook
from pipelines import status as status_run
from pipelines.cli.options import DataDirOption, ForceOption, TodayOption, data_dir_of, path
from pipelines.cli.told import out
from pipelines.exit_codes import DONE, FAILED
from pipelines.outputs import PAGE, PICTURE, refuse_unless_ours
from pipelines.report import ChartName
from pipelines.run import report_out
from pipelines.run_record import last_run
from pipelines.settings import NotifySettings, settings
from pipelines.status_screen import show as show_status
from pipelines.summary import summary as summary_text
from pipelines.warehouse import warehouse_of
from sources.errors import ForeseenError
from sources.session import Clock

commands = typer.Typer()


class ReportFormat(StrEnum):
    """What the report is written as."""

    HTML = "html"
    PNG = "png"


@commands.command()
def status(
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is loaded up to when, what is missing, and how the last run went."""
    data = data_dir_of(data_dir)
    state = status_run.status(data, Clock.at(today))
    if as_json:
        print(json.dumps(state, indent=2, default=str))
    else:
        show_status(state, warehouse_of(data), out)


@commands.command()
def report(
    to: Annotated[
        Path | None,
        typer.Option(
            "--out",
            parser=path,
            metavar="PATH",
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
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write the published numbers as one page that opens anywhere, or one chart as a picture."""
    from pipelines.report import page  # Its chart library is slow to load.

    if file_format is ReportFormat.PNG and not chart:
        names = ", ".join(ChartName)
        raise typer.BadParameter(f"--format png draws one chart; add --chart with one of: {names}.")
    if file_format is ReportFormat.HTML and chart:
        raise typer.BadParameter(f"--chart {chart} is for --format png; a page has every chart.")
    data = data_dir_of(data_dir)
    target = to or (data.root / f"{chart}.png" if chart else report_out(data))
    refuse_unless_ours(data, target, PICTURE if chart else PAGE, force=force)
    warehouse, run = warehouse_of(data), last_run(data)
    if chart:
        written = page.write_chart(warehouse, target, chart, last_run=run, with_people=with_people)
    else:
        written = page.write_report(warehouse, target, last_run=run, with_people=with_people)
    names_people = " It names people." if with_people else ""
    out.print(
        f"Wrote {written.path.absolute()} ({written.bytes / 2**20:.1f} MiB).{names_people}",
        markup=False,
    )


@commands.command()
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
    data = data_dir_of(data_dir)
    with warehouse_of(data).serve() as served:
        text = hints.pasted(summary_text(served, last_run(data)))
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


@commands.command()
def doctor(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Check key, scopes, limits, files and warehouse, and say what to do about each."""
    fine = True
    for check in doctor_run.checks(data_dir_of(data_dir, checked=False), Clock.at(today)):
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}[check.is_fine]
        head, *rest = hints.pasted(check.text).splitlines()
        out.print(f"{mark} {check.name}: ", end="")
        out.print(head, markup=False)
        for line in rest:
            out.print(f"    {line}", markup=False)
        fine = fine and check.is_fine is not False
    raise typer.Exit(DONE if fine else FAILED)
