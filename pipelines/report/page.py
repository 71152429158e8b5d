"""Writes the report: the page with its charts, or one chart as a picture."""

import calendar
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jinja2

from pipelines.files.outputs import PAGE_TITLE, replaced
from pipelines.reading.findings import findings
from pipelines.reading.headlines import Headline, headlines
from pipelines.report import ChartName, charts
from pipelines.report.parts import Absent, Figure
from pipelines.report.sections import EVERY_SECTION, chosen, context_of, figure, sections
from pipelines.report.told import Told, keep, told
from pipelines.report.told import earlier as earlier_of
from pipelines.warehouse.base import Reading, Warehouse
from sources.errors import ForeseenError

FOLDER = Path(__file__).parent
MONTHS = "|".join(calendar.month_name[1:])


@dataclass(frozen=True)
class Written:
    """The file that was written, and its size in bytes."""

    path: Path
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a page is about.

    Attributes:
        sections: Which of its sections.
        department: The only department that it is about; None: everybody.
        since: It says what changed since the newest report of that UTC day or before; None: since
            the last one with fewer days.
    """

    with_people: bool = False
    sections: Collection[str] = EVERY_SECTION
    department: str | None = None
    since: date | None = None


EVERYTHING = Wanted()


def write_report(
    warehouse: Warehouse,
    out: Path,
    *,
    last_run: dict[str, Any] | None,
    memory: Path,
    wanted: Wanted = EVERYTHING,
) -> Written:
    """Write the page, and replace what is at `out` with it.

    What earlier reports said is read from `memory`, and what a whole one says is kept there.

    Raises:
        ForeseenError: Nothing is published yet, the department is not there or too small, or the
            file cannot be written.
    """
    with warehouse.serve() as served:
        now = told(served)
        before = earlier_of(memory, now.newest_day, wanted.since) if now else None
        page = render(served, last_run, wanted=wanted, earlier=before)
    written = _write(out, page.encode())
    if now and wanted.department is None:
        keep(memory, now)
    return written


def write_chart(
    warehouse: Warehouse,
    out: Path,
    name: ChartName,
    *,
    last_run: dict[str, Any] | None,
    with_people: bool = False,
) -> Written:
    """Write one chart as a PNG picture, and replace what is at `out` with it.

    Raises:
        ForeseenError: Nothing is published yet, the chart has nothing to show, or the file cannot
            be written.
    """
    with warehouse.serve() as served:
        found = figure(served, name, last_run, with_people=with_people)
        if isinstance(found, Absent):
            raise ForeseenError(f"The chart {name} cannot be drawn.\n{found.text}")
        newest = _as_of(headlines(served))
    return _write(out, charts.png(found.chart, found.title, f"Claude usage{newest}", found.caption))


def render(
    served: Reading,
    last_run: dict[str, Any] | None,
    *,
    wanted: Wanted = EVERYTHING,
    earlier: Told | None = None,
) -> str:
    """The page as one text that needs nothing else."""
    context = context_of(
        served,
        last_run,
        with_people=wanted.with_people,
        of=wanted.department,
        earlier=earlier,
    )
    numbers = chosen(dict(context.headlines), wanted.sections)
    found = sections(context, wanted.sections)
    figures = [part for section in found for part in section.parts if isinstance(part, Figure)]
    drawings = {str(each.name): charts.page_spec(each.chart) for each in figures}
    names = {section.name for section in found}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = _unbroken
    environment.filters["kind"] = lambda part: type(part).__name__
    title = PAGE_TITLE if context.department is None else f"{PAGE_TITLE}: {context.department}"
    return environment.get_template("page.html.j2").render(
        title=title,
        as_of=_as_of(dict(context.headlines)),
        lead=_lead(numbers, context.department),
        headlines=list(numbers.values()),
        # What needs attention is the organisation's.
        findings=None
        if context.department
        else [each for each in findings(served, last_run) if each.section in names],
        sections=found,
        names_people=wanted.with_people,
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        style=(FOLDER / "page.css").read_text().replace("/* colours */", _colours()),
        library=charts.javascript() if figures else "",
        script=(FOLDER / "page.js").read_text(),
        specs=_script_json({name: spec for name, (spec, _) in drawings.items()}),
        keys={name: key for name, (_, key) in drawings.items()},
    )


def _unbroken(text: str) -> str:
    """The text with days and amounts with a sign that are not broken over two lines."""
    whole = re.sub(rf"(\d) ({MONTHS})(?: (\d{{4}}))?", _joined, text)
    return re.sub(r"([−+])\$", "\\1\u2060$", whole)


def _joined(found: re.Match[str]) -> str:
    return "\u00a0".join(part for part in found.groups() if part)


def _as_of(numbers: dict[str, Headline]) -> str:
    newest = numbers.get("monthly_active") or numbers.get("completeness")
    return f", data to {newest.as_of}" if newest else ""


def _lead(numbers: dict[str, Headline], department: str | None) -> list[str]:
    """The page in a few sentences; the first one is its heading."""
    sentences = []
    if active := numbers.get("monthly_active"):
        of = f" of {department}" if department else ""
        sentences.append(f"{active.text} people{of} used Claude in the 30 days to {active.as_of}")
        if active.change:
            sentences.append(f"That is {active.change}.")
    if used := numbers.get("utilization"):
        sentences.append(f"{used.text} of the seats are in use.")
    if bill := numbers.get("bill"):
        moved = f", {bill.change}" if bill.change else ""
        note = f" ({bill.note})" if bill.note else ""
        sentences.append(f"{bill.as_of} cost {bill.text}{moved}{note}.")
    if (idle := numbers.get("reclaimable")) and idle.value:
        saving = f", {idle.note}" if idle.note else ""
        could = "seat could" if idle.value == 1 else "seats could"
        sentences.append(f"{idle.text} {could} be reclaimed{saving}.")
    return sentences or ["What is known so far"]


def _colours() -> str:
    """The colours as CSS variables; paper is light whatever the screen is."""

    def variables(colours: dict[str, str]) -> str:
        return " ".join(f"--{name}: {colour};" for name, colour in colours.items())

    return (
        f":root {{ {variables(charts.LIGHT)} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {variables(charts.DARK)} }} }}"
    )


def _script_json(value: object) -> str:
    """JSON that can stand in a script element, whatever names and texts are in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _write(out: Path, content: bytes) -> Written:
    with replaced(out, "The report") as file:
        file.write_bytes(content)
    return Written(out, len(content))
