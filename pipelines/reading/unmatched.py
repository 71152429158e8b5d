"""Lines of reference files that meet nobody, counted and named, as readers have them."""

from collections.abc import Iterator
from itertools import groupby

from pipelines.reading import wording
from pipelines.warehouse.base import Reading, Row
from sources.contract import Check

MATCHES = "reference_file_matches"
MET_BY = {
    "org_chart": ("line names nobody", "lines name nobody"),
    "exempt_seats": ("line names nobody", "lines name nobody"),
    "access_reviews": ("line names nobody", "lines name nobody"),
    "cost_center_groups": ("line names no group", "lines name no group"),
    "seat_prices": ("price is of a tier that nobody has", "prices are of a tier that nobody has"),
    "budgets": (
        "budget is of a cost center that nobody is in",
        "budgets are of cost centers that nobody is in",
    ),
    "fixed_shares": ("share is borne by nobody", "shares are borne by nobody"),
}
"""What to say of lines that meet nobody: one, many."""
OTHERS = ("line meets nothing that was used", "lines meet nothing that was used")
"""Of the others, such as names that are decided on before anybody uses them: no cause for alarm."""


def unmatched_counts(served: Reading) -> dict[str, str]:
    """Reference file -> a sentence about its lines that meet nobody or have an earlier name, and
    people whom none reaches, if there are any."""
    if not served.has(MATCHES, "is_matched", "line_type", "likely_successor"):
        return {}
    rows = served.rows(
        f"""
        select
            reference_file,
            count(case when line_type = 'line' then 1 end) as all_lines,
            count(case when line_type = 'line' and not is_matched then 1 end) as unmatched_lines,
            count(case when line_type = 'person' then 1 end) as people,
            count(likely_successor) as earlier_names
        from {MATCHES}
        group by reference_file
        order by reference_file
        """
    )
    return {row["reference_file"]: text for row in rows if (text := _counted(row))}


def _counted(row: Row) -> str | None:
    file = row["reference_file"]
    one, many = MET_BY.get(file, OTHERS)
    parts = []
    if row["unmatched_lines"]:
        count = wording.plural(row["unmatched_lines"], one, many)
        parts.append(f"{count} (of {wording.number(row['all_lines'])})")
    if row["people"]:
        who = wording.plural(row["people"], "person has", "people have")
        parts.append(f"{who} no line today and {'is' if row['people'] == 1 else 'are'} Unmapped")
    if row["earlier_names"]:
        lines_ = wording.plural(row["earlier_names"], "line has", "lines have")
        parts.append(f"{lines_} an earlier name of somebody or of a group")
    return f"{file}: {'; '.join(parts)}: see claude-warehouse doctor." if parts else None


SHOWN_LINES = 10
"""Of each file, of those that meet nobody, of people without a line, and of earlier names."""
UNMATCHED = {
    "lines that meet nobody": "line_type = 'line' and not is_matched",
    "lines by an earlier name, which count all the same": "likely_successor is not null",
    "people without a line": "line_type = 'person'",
}
"""What to say of lines -> which they are."""


def unmatched_lines(served: Reading) -> list[Check]:
    """Lines of reference files that meet nobody, and people whom none reaches, as published."""
    if not served.has(MATCHES, "is_matched", "line_type", "likely_successor"):
        return []
    return [check for what, which in UNMATCHED.items() for check in _lines(served, what, which)]


def _lines(served: Reading, what: str, which: str) -> Iterator[Check]:
    rows = served.rows(
        f"""
        select reference_file, line_name, line_detail, line_type, likely_successor, reason
        from {MATCHES}
        where {which}
        order by reference_file, line_name, line_detail
        """
    )
    for file, found in groupby(rows, key=lambda row: row["reference_file"]):
        lines = [_line(row) for row in found]
        more = len(lines) - SHOWN_LINES
        shown = [*lines[:SHOWN_LINES], *([f"and {more} more"] if more > 0 else [])]
        yield Check(file, None, "\n".join([f"{what} ({len(lines)}):", *shown]))


def _line(row: Row) -> str:
    detail = row["line_detail"] if row["line_type"] == "line" else None
    name = f"{row['line_name']} ({detail})" if detail else str(row["line_name"])
    if row["likely_successor"]:
        return f"{name}: called {row['likely_successor']} today"
    return f"{name}: {row['reason']}" if row["line_type"] == "line" else name
