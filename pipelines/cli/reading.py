"""The commands that say how things stand."""

import json
import re
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines import hints, stopping
from pipelines.cli.options import (
    DataDirOption,
    ForceOption,
    TodayOption,
    data_dir_of,
    day,
    path,
)
from pipelines.cli.told import err, out
from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED
from pipelines.report import ChartName, SectionName
from pipelines.warehouse import warehouse_of
from sources.errors import ForeseenError

if TYPE_CHECKING:
    from pipelines.report.page import Wanted

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
    from pipelines.reading.status import status as state_of
    from pipelines.reading.status_screen import show
    from sources.session import Clock

    data = data_dir_of(data_dir)
    state = state_of(data, Clock.at(today))
    if as_json:
        print(json.dumps(state, indent=2, default=str))
    else:
        show(state, warehouse_of(data), out)


@commands.command()
def check(
    data_dir: DataDirOption = None,
    today: TodayOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, in one line.")] = False,
) -> None:
    """Say in one line whether what readers have is fine (0), stale (1) or wrong (2)."""
    from pipelines.reading import check as check_run
    from sources.session import Clock

    clock = Clock.at(today)
    try:
        verdict = check_run.check(data_dir_of(data_dir, checked=False), clock)
    except Exception as error:
        verdict = check_run.as_wrong(error, clock)
    line = json.dumps(verdict.as_json()) if as_json else verdict.line
    print(hints.pasted(line) if not as_json else line)
    raise typer.Exit(verdict.state)


@commands.command()
def manifest(data_dir: DataDirOption = None) -> None:
    """Print dbt's manifest of the marts, from which a scheduler makes its assets."""
    data = data_dir_of(data_dir)
    data.create()
    print(warehouse_of(data).manifest())


@commands.command()
def dictionary(
    to: Annotated[
        Path,
        typer.Option(
            "--out",
            parser=path,
            metavar="PATH",
            help="File to write: HTML, or, called .svg, the drawing of what joins to what.",
        ),
    ],
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write every table, column, key and join, with a sample query each, as one page."""
    from pipelines.dictionary import page
    from pipelines.dictionary.marts import marts_of
    from pipelines.files.outputs import DICTIONARY, DRAWING, refuse_unless_ours

    data = data_dir_of(data_dir)
    is_drawing = to.suffix.lower() == ".svg"
    refuse_unless_ours(data, to, DRAWING if is_drawing else DICTIONARY, force=force)
    data.create()
    marts = marts_of(warehouse_of(data).manifest())
    stopping.say(stopping.FILE_IS_WHOLE)
    page.write(marts, to)
    out.print(f"Wrote {len(marts)} tables to {to.absolute()}.", markup=False)


@commands.command()
def preview(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Say what the next run would change by files and settings; nothing is stored or published."""
    from pipelines.closing.preview import preview as preview_of
    from sources.session import Clock

    found = preview_of(data_dir_of(data_dir), Clock.at(today))
    for text in found.words:
        out.print(hints.pasted(text), markup=False)
    if not found.words and not found.problems:
        out.print("No file and no setting changed since the marts were published.")
    for problem in found.problems:
        err.print(f"Refused by a run: {hints.pasted(problem)}", style="red", markup=False)
    raise typer.Exit(FAILED if found.problems else DONE)


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
    sections: Annotated[
        str | None,
        typer.Option(
            "--sections",
            metavar="NAMES",
            help=f"Which sections, with commas between: {', '.join(SectionName)}.",
            show_default="all",
        ),
    ] = None,
    department: Annotated[
        str | None,
        typer.Option("--department", metavar="NAME", help="A department's own page."),
    ] = None,
    since: Annotated[
        date | None,
        typer.Option(
            "--since",
            parser=day,
            metavar="YYYY-MM-DD",
            help="Say what changed since the report of that UTC day, or the newest before it.",
            show_default="the last report with fewer days",
        ),
    ] = None,
    force: ForceOption = False,
    data_dir: DataDirOption = None,
) -> None:
    """Write the published numbers as one page that opens anywhere, or one chart as a picture."""
    from pipelines.files.outputs import PAGE, PICTURE, refuse_unless_ours
    from pipelines.report import page
    from pipelines.run_record import last_run

    if file_format is ReportFormat.PNG and not chart:
        names = ", ".join(ChartName)
        raise typer.BadParameter(f"--format png draws one chart; add --chart with one of: {names}.")
    if file_format is ReportFormat.HTML and chart:
        raise typer.BadParameter(f"--chart {chart} is for --format png; a page has every chart.")
    of_a_page = {"--sections": sections, "--department": department, "--since": since}
    if chart and (given := next((name for name, value in of_a_page.items() if value), None)):
        raise typer.BadParameter(f"{given} is for a page; --chart {chart} draws one chart.")
    wanted = page.Wanted(
        with_people=with_people,
        sections=_sections(sections),
        department=department,
        since=since,
    )
    data = data_dir_of(data_dir)
    target = to or (data.root / f"{chart}.png" if chart else _page_out(data, wanted))
    refuse_unless_ours(data, target, PICTURE if chart else PAGE, force=force)
    stopping.say(stopping.FILE_IS_WHOLE)
    warehouse, run = warehouse_of(data), last_run(data)
    if chart:
        written = page.write_chart(warehouse, target, chart, last_run=run, with_people=with_people)
    else:
        written = page.write_report(
            warehouse, target, last_run=run, memory=data.reports, wanted=wanted
        )
    names_people = " It names people." if with_people else ""
    out.print(
        f"Wrote {written.path.absolute()} ({written.bytes / 2**20:.1f} MiB).{names_people}",
        markup=False,
    )


def _sections(names: str | None) -> tuple[str, ...]:
    """The sections that `--sections` names; all without it."""
    if names is None:
        return tuple(SectionName)
    wanted = [name.strip().lower() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in set(SectionName)]
    if unknown or not wanted:
        raise typer.BadParameter(
            f"--sections {names}: sections are {', '.join(SectionName)}, with commas between."
        )
    return tuple(name for name in SectionName if name in wanted)


def _page_out(data: DataDir, wanted: "Wanted") -> Path:
    """Where a page is written that --out does not name: one of a part never replaces the whole."""
    from pipelines.run import report_out

    out = report_out(data)
    parts = [wanted.department] if wanted.department else []
    if len(wanted.sections) < len(SectionName):
        parts += wanted.sections
    slug = "-".join(re.sub(r"[^\w]+", "-", part).strip("-").lower() for part in parts)
    return out.with_stem(f"{out.stem}-{slug}") if slug else out


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
    from pipelines import webhook
    from pipelines.reading.summary import summary as summary_text
    from pipelines.run_record import last_run
    from pipelines.settings import NotifySettings, settings

    data = data_dir_of(data_dir)
    with warehouse_of(data).serve() as served:
        text = hints.pasted(summary_text(served, last_run(data)))
    print(text)
    if not to_webhook:
        return
    notify = settings(NotifySettings)
    if not notify.webhook_url:
        raise ForeseenError(
            "There is no webhook to send the summary to.\n"
            "[notify] webhook_url is not set.\n"
            "Put the chat's incoming webhook into .dlt/secrets.toml, or set NOTIFY__WEBHOOK_URL."
        )
    problem = webhook.post(notify.webhook_url, text, notify.webhook_form)
    if problem:
        raise ForeseenError(problem)


@commands.command()
def doctor(data_dir: DataDirOption = None, today: TodayOption = None) -> None:
    """Check key, scopes, limits, files and warehouse, and say what to do about each."""
    from pipelines.reading.doctor import checks
    from sources.session import Clock

    fine = True
    for check in checks(data_dir_of(data_dir, checked=False), Clock.at(today)):
        mark = {True: "[green]✓[/]", False: "[red]✗[/]", None: "[yellow]–[/]"}[check.is_fine]
        head, *rest = hints.pasted(check.text).splitlines()
        out.print(f"{mark} {check.name}: ", end="")
        out.print(head, markup=False)
        for line in rest:
            out.print(f"    {line}", markup=False)
        fine = fine and check.is_fine is not False
    raise typer.Exit(DONE if fine else FAILED)
