"""The screen of `status`: what needs attention, freshness, headline numbers, loaded days."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines import hints
from pipelines.exit_codes import FAILED, meaning
from pipelines.reading import said_once, wording
from pipelines.reading.findings import findings
from pipelines.reading.headlines import Headline, headlines
from pipelines.reading.unmatched import MET_BY, unmatched_counts
from pipelines.registry import SOURCES
from pipelines.warehouse.base import NothingServed, Warehouse
from sources.errors import ForeseenError

LEVELS = {
    "doubt": ("?", "red"),
    "failed": ("✗", "red"),
    "gap": ("!", "yellow"),
    "note": ("·", "dim"),
}
EDITIONS = {name: words for source in SOURCES for name, words in source.editions.items()}
BAR_CELLS = 22
LONGEST_PAUSE_DAYS = 2
"""One night may be skipped, or a status be read on the evening after."""


@dataclass(frozen=True)
class Marts:
    """What the screen takes from the published marts; empty while nothing is published."""

    headlines: Mapping[str, Headline]
    findings: Sequence[str]
    notes: Sequence[str] = ()


def published(warehouse: Warehouse) -> Marts:
    """Headlines with their change, and findings beyond what the ledger says."""
    try:
        with warehouse.serve() as marts:
            # The ledger knows missing days, the last run and their words better than the marts.
            found = [each.text for each in findings(marts, None) if each.section != "data"]
            lines = unmatched_counts(marts)
            found += [text for file, text in lines.items() if file in MET_BY]
            notes = [text for file, text in lines.items() if file not in MET_BY]
            return Marts(headlines(marts), found, notes)
    except NothingServed:
        return Marts({}, [])
    except ForeseenError as error:
        return Marts({}, [str(error)])


def show(state: Mapping[str, Any], warehouse: Warehouse, console: Console) -> None:
    """Print the state: a screen on a terminal, plain lines elsewhere."""
    marts = published(warehouse)
    attention = [*_attention(state), *(("gap", text) for text in marts.findings)]
    notes = [*_notes(state), *(("note", text) for text in marts.notes)]
    title = "Needs attention" if attention else "Nothing needs attention"
    if console.is_terminal:
        # As few lines as can be: the usual case fits a screen of 80 columns and 24 lines.
        console.print(title, style="bold", markup=False)
        _listed(console, attention)
        show_numbers(marts.headlines, console)
        console.print("Loaded  (█ loaded, ░ gap)", style="bold", markup=False)
        _pairs(console, _freshness(state, is_short=True))
        _coverage(console, state["endpoints"])
        if notes:
            console.print("Notes", style="bold", markup=False)
            _listed(console, notes)
        return
    _heading(console, title)
    _listed(console, attention)
    _heading(console, "Freshness")
    _pairs(console, _freshness(state))
    show_numbers(marts.headlines, console)
    _heading(console, "Loaded days")
    _coverage(console, state["endpoints"])
    if notes:
        _heading(console, "Notes")
        _listed(console, notes)


def _attention(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Level and text of everything that somebody should do something about, worst first."""
    for doubt in state["doubts"]:
        yield "doubt", f"Since {doubt['since']:%Y-%m-%d}, {doubt['outcome']}: {doubt['text']}"
    run = state["last_run"]
    problems = list(dict.fromkeys(run["problems"])) if run else []
    reasons = {said_once.reason(problem) for problem in problems}
    told = {doubt["text"] for doubt in state["doubts"]}
    for problem in problems:
        if problem not in told:
            yield "failed", problem
    if run and run["exit_code"] == FAILED and not problems:
        yield "failed", f"The last run ({run['command']}) failed."
    if run and run["exit_code"] is None and not state["running"]:
        yield (
            "failed",
            f"The last run ({run['command']}, begun {_moment(run['began_at'])}) never ended: it "
            "was killed, or the machine stopped. The next run goes on from there.",
        )
    if state["is_record_damaged"]:
        yield "gap", "The record of the last run cannot be read; the next run makes it anew."
    # A demonstration takes place once, on a day of its own.
    if (
        run
        and run["command"] != "demo"
        and (days_ago := _days_ago(run, state["as_of"])) > LONGEST_PAUSE_DAYS
    ):
        yield (
            "gap",
            f"The last run was {days_ago} days ago: does the nightly run still take place?",
        )
    endpoints = state["endpoints"]
    failed = [each for each in endpoints if each["outcome"] == "failed" and each["message"]]
    for message, names in _together(failed, lambda each: each["message"]):
        if said_once.reason(message) not in reasons:
            yield "failed", f"{names}: {message}"
    refused = [each for each in endpoints if each["outcome"] == "unavailable"]
    before = [each for each in refused if each["last_loaded_date"]]
    for message, names in _together(before, lambda each: each["message"]):
        yield "gap", f"{names} {'were' if ',' in names else 'was'} loaded before: {message}"
    for kind in ("lost", "missing"):
        gaps = [each for each in endpoints if each not in refused and each[f"{kind}_days"]]
        for days, names in _together(gaps, lambda each: wording.ranges(each[f"{kind}_days"])):  # noqa: B023
            yield "gap", f"{kind.capitalize()} in {names}: {days}"
    for endpoint in endpoints:
        if endpoint["rejected_row_count"]:
            yield (
                "gap",
                f"{endpoint['rejected_row_count']} rows of {endpoint['endpoint']} could not be "
                "read; claude_raw.rejected_rows says why.",
            )
    feed = state["activity_feed"]
    if feed["outcome"] == "unavailable" and feed.get("read_until"):
        yield "gap", f"activities were loaded before: {feed['message']}"
    for source in state["sources"].values():
        failed = [each for each in _endpoints(source) if each["outcome"] == "failed"]
        for message, names in _together(failed, lambda each: each["message"]):
            if said_once.reason(message) not in reasons:
                yield "failed", f"{names}: {message}"
        if source["rejected_row_count"]:
            yield (
                "gap",
                f"{source['rejected_row_count']} rows of {source['title']} could not be read; "
                "claude_raw.rejected_rows says why.",
            )
    if feed.get("rejected_row_count"):
        yield (
            "gap",
            f"{feed['rejected_row_count']} events of the activity feed could not be read; "
            "claude_raw.rejected_rows says why.",
        )


def _endpoints(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"endpoint": name, **run} for name, run in source["endpoints"].items()]


def _together(
    endpoints: Sequence[Mapping[str, Any]], reason: Callable[[Mapping[str, Any]], str]
) -> Iterator[tuple[str, str]]:
    """Each reason once, with the endpoints that have it."""
    found: dict[str, list[str]] = {}
    for endpoint in endpoints:
        found.setdefault(reason(endpoint), []).append(endpoint["endpoint"])
    for text, names in found.items():
        yield text, ", ".join(names)


def _moment(written: str) -> str:
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M} UTC"


def _days_ago(run: Mapping[str, Any], as_of: date) -> int:
    return (as_of - date.fromisoformat(run["run_at"][:10])).days


def _notes(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    new = [
        each
        for each in state["endpoints"]
        if each["outcome"] not in ("failed", "ok")
        and each["message"]
        and not each["last_loaded_date"]
    ]
    for message, names in _together(new, lambda each: each["message"]):
        yield "note", f"{names}: {message}"
    for endpoint in state["endpoints"]:
        if endpoint["undeclared_fields"]:
            yield (
                "note",
                f"New fields in {endpoint['endpoint']}: {endpoint['undeclared_fields']}",
            )
    roster = state["roster"]
    refusals = [{"endpoint": table, "message": why} for table, why in roster["refusals"].items()]
    for message, names in _together(refusals, lambda each: each["message"]):
        yield "note", f"{names}: {message}"
    if roster["message"]:
        yield "note", f"roster: {roster['message']}"
    feed = state["activity_feed"]
    if feed.get("message") and not (feed["outcome"] == "unavailable" and feed.get("read_until")):
        yield "note", f"activities: {feed['message']}"
    for source in state["sources"].values():
        refused = [each for each in _endpoints(source) if each["outcome"] == "unavailable"]
        for message, names in _together(refused, lambda each: each["message"]):
            yield "note", f"{names}: {message}"
        if source["message"]:
            yield "note", f"{source['title']}: {source['message']}"
    for test in (state["last_run"] or {}).get("warnings", []):
        yield "note", f"Note: {test['name']}: {test['count']} rows. {test['description']}"


def _freshness(state: Mapping[str, Any], *, is_short: bool = False) -> Iterator[tuple[str, str]]:
    run = state["last_run"]
    # Beside the file that readers open, where there is one.
    if not is_short or not state["served"]:
        yield "Warehouse", state["warehouse"]
    yield "Readers open", state["served"] or "nothing yet"
    loaded = [each for each in state["endpoints"] if each["last_loaded_date"]]
    # Cost and usage load into the present, so the people's days say how fresh the numbers are.
    people = [each for each in loaded if each["endpoint"] == "users"] or loaded
    if people:
        newest: date = max(each["last_loaded_date"] for each in people)
        age = wording.plural((state["as_of"] - newest).days, "day")
        text = f"{newest}, {age} before {state['as_of']}"
        available = [each["newest_available_date"] for each in people]
        if all(day and newest >= day for day in available):
            is_current = run and not _days_ago(run, state["as_of"])
            text += f"; the API {'has' if is_current else 'had, when it was asked,'} no newer one"
        yield "Newest day", text
    else:
        yield "Newest day", "none is loaded yet"
    if state["running"]:
        yield "Running now", f"{state['running']}; what is shown here was true when it began"
    if run and run["exit_code"] is not None:
        ended = _moment(run["ended_at"])
        as_of = "" if ended.startswith(run["run_at"][:10]) else f" as of {run['run_at'][:10]}"
        yield (
            "Last run",
            f"{run['command']}{as_of}, ended {ended} after {run['seconds']:.0f} s: "
            f"{meaning(run['exit_code'])}",
        )
    if state["cost_api"]:
        yield "Cost and usage", f"from {EDITIONS[state['cost_api']]}"
    for organization, edition in state["cost_apis"].items():
        yield f"Cost of {organization}", f"from {EDITIONS[edition]}"
    roster = state["roster"]
    if roster["snapshot_at"]:
        members = wording.plural(roster["row_counts"].get("members", 0), "member")
        yield "Roster", f"{members}, as of {roster['snapshot_at']:%Y-%m-%d %H:%M} UTC"
    feed = state["activity_feed"]
    if feed.get("read_until"):
        yield (
            "Activity feed",
            f"{feed['event_count']:,} events, {feed['read_from']:%Y-%m-%d} to "
            f"{feed['read_until']:%Y-%m-%d %H:%M} UTC; {feed['outcome']}",
        )
    for source in state["sources"].values():
        if source["unit_count"]:
            periods = wording.plural(source["unit_count"], "period")
            yield (
                source["title"],
                f"{source['row_count']:,} rows of {periods}, "
                f"{source['first_date']} to {source['last_date']}",
            )


def show_numbers(found: Mapping[str, Headline], console: Console) -> None:
    """Print the headline numbers, if there are any."""
    if not found:
        return
    if console.is_terminal:
        console.print("Numbers", style="bold")
    else:
        _heading(console, "Numbers")
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(overflow="fold", style="dim")
    for headline in found.values():
        change = "; ".join(part for part in (headline.change, headline.note) if part)
        if not console.is_terminal:
            _line(console, f"{headline.text} {headline.label}{f': {change}' if change else ''}")
            continue
        grid.add_row(headline.text, headline.label, f"{headline.arrow} {change}".strip())
    if console.is_terminal:
        console.print(grid, soft_wrap=False)


def _coverage(console: Console, endpoints: Sequence[Mapping[str, Any]]) -> None:
    """A line per endpoint: since when, up to when, and where the gaps are; on a terminal one for
    all that stand alike."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=24)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold", style="dim")
    if not console.is_terminal:
        for endpoint in endpoints:
            _line(console, f"{endpoint['endpoint']}: {_days_text(endpoint)}")
        return
    firsts = [each["first_loaded_date"] for each in endpoints if each["first_loaded_date"]]
    lasts = [each["newest_available_date"] for each in endpoints if each["newest_available_date"]]
    for alike in _alike(endpoints):
        first = alike[0]
        name = first["endpoint"] + (f" + {len(alike) - 1} more" if len(alike) > 1 else "")
        if firsts and lasts:
            bar = _bar(first, min(firsts), max(lasts))
            text = _days_text(first, wording.short_day, has_empty=len(alike) == 1)
            grid.add_row(name, bar, text)
        else:
            grid.add_row(name, "", _days_text(first))
    console.print(grid, soft_wrap=False)


FIRST_NAMED = ("users", "costs")
"""Of endpoints that stand alike, those that name them all."""
STANDING = ("first_loaded_date", "last_loaded_date", "newest_available_date", "outcome")


def _alike(endpoints: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The endpoints, those together that are loaded from the same day to the same, with the same
    gaps."""
    found: dict[tuple[object, ...], list[Mapping[str, Any]]] = {}
    for each in endpoints:
        gaps = [tuple(each[f"{kind}_days"] or ()) for kind in ("missing", "lost")]
        found.setdefault((*(each[name] for name in STANDING), *gaps), []).append(each)
    return [
        sorted(alike, key=lambda each: (each["endpoint"] not in FIRST_NAMED, each["endpoint"]))
        for alike in found.values()
    ]


def _days_text(
    endpoint: Mapping[str, Any], written: Callable[[date], str] = str, *, has_empty: bool = True
) -> str:
    first, last = endpoint["first_loaded_date"], endpoint["last_loaded_date"]
    if not first:
        return "not offered" if endpoint["outcome"] == "unavailable" else "nothing loaded yet"
    counts = {
        "empty": endpoint["empty_days"] if has_empty else 0,
        "missing": len(endpoint["missing_days"] or []),
        "lost": len(endpoint["lost_days"] or []),
    }
    extra = "".join(f", {count} {name}" for name, count in counts.items() if count)
    days = wording.plural(endpoint["loaded_days"] + endpoint["empty_days"], "day")
    state = "" if endpoint["outcome"] == "ok" else f", {endpoint['outcome']}"
    return f"{written(first)} to {written(last)}, {days}{extra}{state}"


def _bar(endpoint: Mapping[str, Any], first: date, last: date) -> Text:
    """The days from first to last as cells; a cell with a gap anywhere shows it."""
    gaps = {*(endpoint["missing_days"] or []), *(endpoint["lost_days"] or [])}
    known_first, known_last = endpoint["first_loaded_date"], endpoint["last_loaded_date"]
    length = (last - first).days + 1
    cells = min(BAR_CELLS, length)
    bar = Text()
    for cell in range(cells):
        start = first + timedelta(days=cell * length // cells)
        end = first + timedelta(days=(cell + 1) * length // cells - 1)
        if not known_first or end < known_first or start > known_last:
            bar.append("·", "dim")
        elif any(start <= day <= end for day in gaps):
            bar.append("░", "yellow")
        else:
            bar.append("█", "green")
    return bar


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold", markup=False)


def _listed(console: Console, items: Sequence[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for level, text in items:
        mark, style = LEVELS[level]
        if console.is_terminal:
            grid.add_row(
                Text(mark, style), Text(hints.pasted(text), style if level != "gap" else "")
            )
        else:
            _line(console, text.replace("\n", "\n    "))
    if console.is_terminal and items:
        console.print(grid, soft_wrap=False)


def _pairs(console: Console, items: Iterator[tuple[str, str]]) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, text in items:
        if console.is_terminal:
            grid.add_row(name, Text(text))
        else:
            _line(console, f"{name}: {text}")
    if console.is_terminal:
        console.print(grid, soft_wrap=False)


def _line(console: Console, text: str) -> None:
    console.print(f"  {hints.pasted(text)}", markup=False)
