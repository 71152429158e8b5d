"""Reads a usage export: any edition, any language and delimiter, whatever the columns' order."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from sources.errors import ForeseenError
from sources.hints import VERSION_COLUMNS
from sources.langdock.cells import VALUES, Forms, Unreadable, decimal_mark, is_json_object
from sources.langdock.entities import (
    BY_TABLE,
    KEY,
    Cell,
    Entity,
    by_words,
    column_of,
    entity_of,
)
from sources.langdock.names import period_of_name
from sources.typed_files.dates import common_order, readings, without_time
from sources.typed_files.forms import is_workbook
from sources.typed_files.keys import name_key
from sources.typed_files.records import (
    LONGEST_KEPT_LINE,
    TOTALS,
    BrokenLine,
    NoTable,
    Record,
    Table,
    read_table,
)

SHOWN_PROBLEMS = 10
LONGEST_HEAD = 100_000
"""Bytes of a text in which its names are."""
EVERY_COLUMN = {column for entity in BY_TABLE.values() for column in entity.all_columns}


class Slot(NamedTuple):
    """What a period replaces: a table's rows of one workspace, period and grouping."""

    table: str
    org_id: str
    period_start: date
    period_end: date
    group_by: str

    def overlaps(self, other: "Slot") -> bool:
        """Both count the same days of the same thing, and are not the same."""
        return (
            self != other
            and (self.table, self.org_id, self.group_by)
            == (other.table, other.org_id, other.group_by)
            and self.period_start <= other.period_end
            and other.period_start <= self.period_end
        )

    @property
    def days(self) -> int:
        return (self.period_end - self.period_start).days + 1

    @property
    def text(self) -> str:
        """The slot as a raw row carries it, so that a period can replace it."""
        return "/".join([self.org_id, str(self.period_start), str(self.period_end), self.group_by])


@dataclass(frozen=True, kw_only=True)
class Export:
    """What a file or an answer holds.

    Attributes:
        table: Raw table that it fills.
        columns: Columns of ours that it has.
        undeclared: Headers that are none of our columns, as they are written.
        rows: Rows by what they replace.
        repeat_count: Lines that only repeat another.
        warnings: What its owner should know.
    """

    table: str
    columns: Sequence[str]
    undeclared: Sequence[str] = ()
    rows: Mapping[Slot, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rejected: Sequence[BrokenLine] = ()
    repeat_count: int = 0
    warnings: Sequence[str] = ()


class _Header(NamedTuple):
    """The line of names; `line` counts from 1."""

    line: int
    delimiter: str
    cells: list[str]
    entity: Entity
    columns: list[str]
    """Our column of each cell; empty for one that we do not declare."""
    period: tuple[date, date] | None
    """What the file's name says of the rows, where none of the columns does."""


def content_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def raw_schema(entity: Entity) -> pa.Schema:
    """The columns of the raw table."""
    declared = [pa.field(name, kind.arrow) for name, kind in entity.all_columns.items()]
    return pa.schema(
        [
            pa.field("slot", pa.string(), nullable=False),
            *declared,
            pa.field("group_by", pa.string()),
            pa.field("source_name", pa.string()),
            pa.field("file_hash", pa.string()),
            pa.field("line_number", pa.int64()),
            pa.field("invalid_json_fields", pa.string()),
            pa.field("undeclared_fields", pa.string()),
            *(pa.field(name, kind) for name, (kind, *_) in VERSION_COLUMNS.items()),
        ]
    )


def read_export(content: bytes, name: str) -> Export:
    """The rows of an export; lines that cannot be read are left out and named.

    Raises:
        ForeseenError: It is no usage export, or contradicts itself.
    """
    try:
        table = read_table(content, _known_columns, ansi=True)
    except NoTable as problem:
        raise _refusal(name, str(problem)) from problem
    header = _header(table, name)
    rejected = list(table.broken)
    records = []
    for record in table.records:
        if _is_header(record.cells, header):
            if [cell.strip() for cell in record.cells] != header.cells:
                raise _refusal(
                    name,
                    f"line {record.line}: another table begins here; "
                    "several exports were put into one file",
                )
            rejected.append(BrokenLine(record.line, "it repeats the first line", ""))
        else:
            records.append(record)
    return _export(name, header, records, rejected)


def is_export(content: bytes) -> bool:
    """Whether a file that may be anything is an export, by its names."""
    return entity_of(_columns(content)) is not None


def told_by_name(content: bytes, name: str) -> bool:
    """Whether the period is in the file's name alone, so that a copy is not the same export."""
    if period_of_name(name) is None:
        return False
    columns = _columns(content)
    return bool(columns) and columns.isdisjoint({"period_start", "period_end"})


def _columns(content: bytes) -> set[str]:
    """The columns that a content names in its first lines; none if it is no table."""
    head = content if is_workbook(content) else content[:LONGEST_HEAD]
    try:
        return {
            column_of(cell) for cell in read_table(head, _known_columns, ansi=True).header.cells
        }
    except NoTable:
        return set()


def _known_columns(cells: Sequence[str]) -> int:
    return len(EVERY_COLUMN & {column_of(cell) for cell in cells})


def _header(table: Table, name: str) -> _Header:
    """What the names mean."""
    number, cells, _ = table.header
    columns = [column_of(cell) for cell in cells]
    entity = entity_of(set(columns))
    if entity is None:
        # What stands there instead may be somebody's row: not shown.
        raise _refusal(
            name,
            f"line {number}: its names fit no export of users, agents, workflows, projects, "
            "models or API keys",
        )
    for spelling, column in entity.aliases.items():
        if column not in columns:
            columns = [column if found == spelling else found for found in columns]
    columns = by_words(entity, columns)
    declared = entity.all_columns
    period = None
    if "period_start" not in columns and "period_end" not in columns:
        period = period_of_name(name)
    for column in ("period_start", "period_end"):
        if column not in columns and period is None:
            raise _refusal(
                name,
                f"line {number}: there is no column {column}, so its period is unknown; "
                "export it with that column, or name the file for its month "
                "(such as users-2026-10.csv)",
            )
    for column in declared:
        if columns.count(column) > 1:
            twice = [cell for cell, found in zip(cells, columns, strict=True) if found == column]
            raise _refusal(
                name, f"line {number}: {' and '.join(twice)} are both the column {column}"
            )
    ours = [column if column in declared else "" for column in columns]
    return _Header(number, table.delimiter, cells, entity, ours, period)


def _is_header(cells: Sequence[str], header: _Header) -> bool:
    if header.period:
        return [cell.strip() for cell in cells] == header.cells
    at = header.columns.index("period_start")
    return cells[at][:1].isalpha() and column_of(cells[at]) == "period_start"


def _is_total(record: Record, header: _Header) -> bool:
    """The sum that somebody added below the rows."""
    cells = dict(zip(header.columns, map(str.strip, record.cells), strict=True))
    dates = [cells.get(column, "") for column in ("period_start", "period_end")]
    if any(readings(without_time(text, any_time=True)) for text in dates):
        return False
    names = [cell for cell in map(str.strip, record.cells) if cell[:1].isalpha()]
    keys = [cells.get(column) for column in header.entity.key]
    if names:
        return len(names) == 1 and name_key(names[0]).strip(": ") in TOTALS
    return not any(keys) and not header.period


def _export(
    name: str, header: _Header, records: Sequence[Record], rejected: list[BrokenLine]
) -> Export:
    entity = header.entity
    kinds = entity.all_columns
    notes = []
    if header.period:
        first, last = header.period
        notes.append(f"{name}: its period is taken from its name: {first} to {last}.")
    if records and _is_total(records[-1], header):
        notes.append(f"{name}: line {records[-1].line} is a line of totals; it was left out.")
        records = records[:-1]
    order = common_order(
        without_time(record.cells[number].strip(), any_time=True)
        for number, column in enumerate(header.columns)
        if column and kinds[column] is Cell.DATE
        for record in records
    )
    mark = decimal_mark(
        (
            (kinds[column], record.cells[number].strip())
            for number, column in enumerate(header.columns)
            if column and kinds[column] in (Cell.COUNT, Cell.NUMBER)
            for record in records
            if record.cells[number].strip()
        ),
        header.delimiter,
    )
    grouping = next((column for column in entity.groupings if column in header.columns), "")
    rows: dict[Slot, list[dict[str, Any]]] = defaultdict(list)
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    repeats = 0
    for record in records:
        try:
            row = _row(record, header, kinds, Forms(mark, order))
        except Unreadable as problem:
            text = json.dumps(
                dict(zip(header.cells, record.cells, strict=True)), ensure_ascii=False
            )
            rejected.append(BrokenLine(record.line, str(problem), text[:LONGEST_KEPT_LINE]))
            continue
        slot = Slot(
            entity.table,
            row["org_id"] or "",
            row["period_start"],
            row["period_end"],
            grouping,
        )
        row |= {"slot": slot.text, "group_by": grouping or None}
        key = [row[column] for column in entity.key]
        if key[0] is not None:
            same = seen.setdefault((slot, *key, row.get(grouping)), row)
            if same is not row:
                if {**same, "line_number": 0} != {**row, "line_number": 0}:
                    raise _refusal(
                        name,
                        f"lines {same['line_number']} and {row['line_number']}: both are the row "
                        f"of one {entity.key[0]} and period, and they differ",
                    )
                repeats += 1
                continue
        rows[slot].append(row)
    undeclared = [
        cell
        for cell, column in zip(header.cells, header.columns, strict=True)
        if cell and not column
    ]
    return Export(
        table=entity.table,
        columns=[column for column in header.columns if column],
        undeclared=undeclared,
        rows=dict(rows),
        rejected=sorted(rejected, key=lambda line: line.line),
        repeat_count=repeats,
        warnings=[*notes, *_warnings(name, undeclared, rows, rejected, repeats)],
    )


def _row(
    record: Record, header: _Header, kinds: Mapping[str, Cell], forms: Forms
) -> dict[str, Any]:
    """The record as a raw row; blank cells and columns that the export lacks are null.

    Raises:
        Unreadable: Which column, and what it should hold.
    """
    row: dict[str, Any] = dict.fromkeys(kinds)
    others: dict[str, str] = {}
    invalid_json = []
    for number, (column, cell) in enumerate(zip(header.columns, record.cells, strict=True)):
        text = cell.strip()
        if not text:
            continue
        if not column:
            others[header.cells[number] or f"column {number + 1}"] = cell
            continue
        try:
            row[column] = VALUES[kinds[column]](text, forms)
        except Unreadable as problem:
            raise Unreadable(f"column {column}: it is {problem}") from None
        if kinds[column] is Cell.JSON and not is_json_object(text):
            invalid_json.append(column)
    if header.period:
        row["period_start"], row["period_end"] = header.period
    for column in KEY:
        if column != "org_id" and row[column] is None:
            raise Unreadable(f"column {column}: empty; every row needs it")
    if row["period_end"] < row["period_start"]:
        raise Unreadable("column period_end: it is before period_start")
    return row | {
        "line_number": record.line,
        "invalid_json_fields": ", ".join(invalid_json) or None,
        "undeclared_fields": json.dumps(others, ensure_ascii=False) if others else None,
    }


def _warnings(
    name: str,
    undeclared: Sequence[str],
    rows: Mapping[Slot, Sequence[Mapping[str, Any]]],
    rejected: Sequence[BrokenLine],
    repeats: int,
) -> list[str]:
    warnings = []
    if rejected:
        shown = "".join(
            f"\n  line {line.line}: {line.reason}"
            for line in sorted(rejected, key=lambda line: line.line)[:SHOWN_PROBLEMS]
        )
        more = len(rejected) - SHOWN_PROBLEMS
        warnings.append(
            f"{name}: {len(rejected)} lines were skipped; they are in "
            f"claude_raw.rejected_rows.{shown}" + (f"\n  and {more} more" if more > 0 else "")
        )
    if undeclared:
        warnings.append(
            f"{name}: other columns: {', '.join(undeclared)}. They are kept in undeclared_fields."
        )
    if repeats:
        warnings.append(f"{name}: {repeats} lines only repeat another; they count once.")
    if invalid := sum(
        row["invalid_json_fields"] is not None for part in rows.values() for row in part
    ):
        warnings.append(
            f"{name}: {invalid} rows have cells that should be JSON and are not; they are kept as "
            "text and named in invalid_json_fields."
        )
    if not rows and not rejected:
        warnings.append(f"{name}: there are no rows below the first line.")
    return warnings


def _refusal(name: str, problem: str) -> ForeseenError:
    return ForeseenError(
        f"The Langdock export {name} cannot be used:\n  {problem}\n"
        "Nothing of it was loaded. Export it again, or take it out of the folder; "
        "then run the command again."
    )
