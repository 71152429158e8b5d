"""Reads a usage export: any edition, any language and delimiter, whatever the columns' order.

Python's CSV reader takes the lines apart, one record at a time, so that a broken line costs
nothing but itself and cells may be as large as they like.
"""

import csv
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from sources.errors import ForeseenError
from sources.langdock.cells import VALUES, Unreadable, decimal_mark, is_json_object
from sources.langdock.entities import BY_TABLE, KEY, Cell, Entity, column_of, entity_of

DELIMITERS = ",;\t|"
SHOWN_PROBLEMS = 10
LONGEST_KEPT_LINE = 10_000
"""Characters of a rejected line that are kept."""

csv.field_size_limit(2**31 - 1)


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


@dataclass(frozen=True)
class RejectedLine:
    """A line that could not be read, and why; numbers count from 1."""

    line: int
    reason: str
    text: str
    line_count: int = 1


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
    rejected: Sequence[RejectedLine] = ()
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


class _Record(NamedTuple):
    """A line of cells; `line` is its first."""

    line: int
    cells: list[str]
    line_count: int


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
            pa.field("is_period_marker", pa.bool_()),
        ]
    )


def read_export(content: bytes, name: str) -> Export:
    """The rows of an export; lines that cannot be read are left out and named.

    Raises:
        ForeseenError: It is no usage export, or contradicts itself.
    """
    lines, rejected = _lines(content, name)
    foreign = {line.line for line in rejected}
    header = _header(lines, name)
    if header.line in foreign:
        raise _refusal(name, f"line {header.line}: {rejected[0].reason}")
    records = []
    for found in _records(lines, header):
        if not foreign.isdisjoint(range(found.line, found.line + found.line_count)):
            continue  # Named already.
        if isinstance(found, RejectedLine):
            rejected.append(found)
        elif _is_header(found.cells, header):
            if [cell.strip() for cell in found.cells] != header.cells:
                raise _refusal(
                    name,
                    f"line {found.line}: another table begins here; "
                    "several exports were put into one file",
                )
            rejected.append(RejectedLine(found.line, "it repeats the first line", ""))
        else:
            records.append(found)
    return _export(name, header, records, rejected)


def _lines(content: bytes, name: str) -> tuple[list[str], list[RejectedLine]]:
    """The lines of the file, and those that are in another encoding than most."""
    if not content.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise _refusal(name, "line 1: the file is empty")
    encoding = _utf16(content)
    if encoding:
        try:
            return _split(content.decode(encoding).lstrip("\ufeff")), []
        except UnicodeDecodeError:
            raise _refusal(
                name, "its text begins as UTF-16 and goes on in another encoding"
            ) from None
    try:
        return _split(content.decode("utf-8-sig")), []
    except UnicodeDecodeError:
        pass
    # A line of cp1252 is hardly ever valid UTF-8; a file with lines of both has two encodings.
    encoded = re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"))
    has_utf8 = content.startswith(b"\xef\xbb\xbf") or any(
        not line.isascii() and _decodes(line, "utf-8") for line in encoded
    )
    encoding = "utf-8" if has_utf8 else "cp1252"
    reason = (
        "it is not UTF-8, as other lines are; the file has two encodings"
        if has_utf8
        else "it is neither UTF-8 nor Windows-1252"
    )
    rejected = [
        RejectedLine(number, reason, line.decode(encoding, errors="replace")[:LONGEST_KEPT_LINE])
        for number, line in enumerate(encoded, start=1)
        if not _decodes(line, encoding)
    ]
    return [line.decode(encoding, errors="replace") for line in encoded], rejected


def _utf16(content: bytes) -> str | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    start = content[:200]
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > len(start) // 4 else None


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _split(text: str) -> list[str]:
    return re.split(r"\r\n|\r|\n", text)


def _header(lines: Sequence[str], name: str) -> _Header:
    """The first line that is not blank, and what its names mean; `sep=;` before it is Excel's."""
    number, line = next(
        (number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not re.fullmatch(r"\s*sep=.\s*", line, re.IGNORECASE)
    )

    def read(delimiter: str) -> list[str]:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]

    def known(cells: list[str]) -> int:
        every = {column for entity in BY_TABLE.values() for column in entity.all_columns}
        return len(every & {column_of(cell) for cell in cells})

    delimiter = max(DELIMITERS, key=lambda delimiter: known(read(delimiter)))
    cells = read(delimiter)
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
    declared = entity.all_columns
    for column in ("period_start", "period_end"):
        if column not in columns:
            raise _refusal(
                name, f"line {number}: there is no column {column}, so its period is unknown"
            )
    for column in declared:
        if columns.count(column) > 1:
            twice = [cell for cell, found in zip(cells, columns, strict=True) if found == column]
            raise _refusal(
                name, f"line {number}: {' and '.join(twice)} are both the column {column}"
            )
    ours = [column if column in declared else "" for column in columns]
    return _Header(number, delimiter, cells, entity, ours)


def _records(lines: Sequence[str], header: _Header) -> Iterator[_Record | RejectedLine]:
    """Every record below the header; what is broken costs its own line, not those after it."""
    width = len(header.cells)
    at = header.line
    while at < len(lines):
        if not lines[at].strip(header.delimiter + " \t"):
            at += 1
            continue
        cells, line_count, problem = _record(lines, at, header)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        if problem is None and len(cells) != width:
            problem = f"it has {len(cells)} of {width} cells" + (
                f"; a cell that contains {header.delimiter!r} needs quotes around it"
                if len(cells) > width
                else ""
            )
            if _stands_alone(lines, at + 1, header):
                line_count = 1  # A quote that does not close swallowed a good line.
        if problem is None and any("\0" in cell for cell in cells):
            problem = "it contains a NUL character"
        if problem is None:
            yield _Record(at + 1, cells, line_count)
        else:
            text = "\n".join(lines[at : at + line_count]).replace("\0", "\ufffd")
            yield RejectedLine(at + 1, problem, text[:LONGEST_KEPT_LINE], line_count)
        at += line_count


def _record(lines: Sequence[str], at: int, header: _Header) -> tuple[list[str], int, str | None]:
    """The cells of the record that begins in this line, how many lines it has, or its problem."""
    reader = csv.reader(
        (f"{lines[number]}\n" for number in range(at, len(lines))),
        delimiter=header.delimiter,
        strict=True,
    )
    try:
        return next(reader), reader.line_num, None
    except csv.Error:
        return [], 1, 'its quotes do not close at its end; a " inside of quotes is written ""'


def _stands_alone(lines: Sequence[str], at: int, header: _Header) -> bool:
    """Whether a record of the right width begins in this line."""
    if at >= len(lines):
        return False
    cells, _, problem = _record(lines, at, header)
    return problem is None and len(cells) == len(header.cells)


def _is_header(cells: Sequence[str], header: _Header) -> bool:
    at = header.columns.index("period_start")
    return cells[at][:1].isalpha() and column_of(cells[at]) == "period_start"


def _export(
    name: str, header: _Header, records: Sequence[_Record], rejected: list[RejectedLine]
) -> Export:
    entity = header.entity
    kinds = entity.all_columns
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
            row = _row(record, header, kinds, mark)
        except Unreadable as problem:
            text = json.dumps(
                dict(zip(header.cells, record.cells, strict=True)), ensure_ascii=False
            )
            rejected.append(RejectedLine(record.line, str(problem), text[:LONGEST_KEPT_LINE]))
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
        warnings=_warnings(name, undeclared, rows, rejected, repeats),
    )


def _row(
    record: _Record, header: _Header, kinds: Mapping[str, Cell], mark: str | None
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
            row[column] = VALUES[kinds[column]](text, mark)
        except Unreadable as problem:
            raise Unreadable(f"column {column}: it is not {problem}") from None
        if kinds[column] is Cell.JSON and not is_json_object(text):
            invalid_json.append(column)
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
    rejected: Sequence[RejectedLine],
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
            f"claude_raw.langdock_rejected_rows.{shown}"
            + (f"\n  and {more} more" if more > 0 else "")
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
