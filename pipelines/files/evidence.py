"""Export the access evidence for auditors, and check that a file of it is whole and unaltered."""

import codecs
import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, islice, product
from pathlib import Path

from pipelines.files.formats import EvidenceFormat
from pipelines.files.outputs import Kind, replaced
from pipelines.warehouse.base import Warehouse
from sources.errors import ForeseenError
from sources.regular import require_regular

HASHED = (
    "evidence_number",
    "event_id",
    "event_at",
    "event_type",
    "category",
    "actor_type",
    "actor_id",
    "user_id",
    "actor_email",
    "target_id",
    "ip_address",
    "user_agent",
    "organization_id",
    "attributes",
)
"""The cells that a row's hash covers, in this order; the mart access_evidence hashes the same."""
COLUMNS = (*HASHED, "previous_hash", "row_hash")
CLOSING = "closing"
NO_ROW_BEFORE = "0" * 64
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
"""A cell of a CSV file that starts so gets an apostrophe before it, or a spreadsheet runs it."""
LONGEST_CELL = 2**31 - 1
"""In characters; an event may bring a huge JSON."""
LINE_ENDS = ("\n", "\r\n", "\r")
MOST_LINE_ENDS_TRIED = 1_000
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DELIMITERS = (",", ";", "\t")
"""Of a CSV file; an export has the first, a program that saves it again may take another."""
MOST_FINDINGS = 20
ROWS_AT_ONCE = 10_000

Cells = Sequence[str | None]


def kind(form: EvidenceFormat) -> Kind:
    """What is written in this format."""
    return Kind(name="An export of evidence", form=form, columns=COLUMNS)


@dataclass(frozen=True)
class Evidence:
    """A file of evidence: how many rows, and the hash of the last one, which stands for all."""

    row_count: int
    head_hash: str


class EvidenceAltered(ForeseenError):
    """The file is not what was exported; the message names the rows."""


def row_hash(previous_hash: str, cells: Cells) -> str:
    """The hash of a row: SHA-256 over the hash before it and each hashed cell with its length."""
    text = "".join("-" if cell is None else f"{len(cell)}:{cell}" for cell in cells)
    return _sha256(previous_hash + text)


def _is_hash_of(expected: str | None, previous_hash: str, cells: Cells) -> bool:
    """Whether these are the cells that were hashed, but for the ends of lines inside them: a tool
    that converts a file's ends of lines changes those too."""
    if row_hash(previous_hash, cells) == expected:
        return True
    forms: list[set[str | None]] = [
        {re.sub("\r\n|\r|\n", end, cell) for end in LINE_ENDS} if cell else {cell} for cell in cells
    ]
    tried = islice(product(*forms), MOST_LINE_ENDS_TRIED)
    return any(row_hash(previous_hash, each) == expected for each in tried)


def export_evidence(
    warehouse: Warehouse,
    out: Path,
    format: EvidenceFormat,
    *,
    first: date | None = None,
    last: date | None = None,
) -> Evidence:
    """Write the published evidence of the UTC days from first to last, both included.

    The file is complete or not there.

    Raises:
        ForeseenError: Nothing is published yet, or the file cannot be written.
    """
    count, first_number, head = 0, "", NO_ROW_BEFORE
    with (
        replaced(out, "The evidence") as part,
        part.open("w", encoding="utf-8", newline="") as file,
    ):
        write = WRITERS[format]
        file.writelines(write.opening)
        for cells in _evidence_rows(warehouse, first, last):
            file.write(write.line(cells))
            first_number = first_number or str(cells[0])
            count, head = count + 1, str(cells[-1])
        file.write(write.line(_closing(str(count), first_number, head)))
    return Evidence(count, head)


def verify_evidence(file: Path, head_hash: str | None = None) -> Evidence:
    """What the file holds, if it is as it was exported.

    `head_hash` is the one that the export gave: somebody who rewrites the whole file, hashes
    included, can only be caught by what was written down elsewhere.

    Raises:
        EvidenceAltered: It is not; the message names the rows.
        ForeseenError: It cannot be read.
    """
    try:
        require_regular(file)
        with file.open("rb") as opened:
            start = opened.read(4)
        encoding = next(
            (name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8"
        )
        with file.open(encoding=encoding, errors="surrogateescape", newline="") as lines:
            found, is_evidence = _Verification(), False
            for record in _records(lines):
                found.check(record)
                is_evidence |= _is_of_an_export(record)
    except OSError as error:
        raise ForeseenError(
            f"{file} cannot be read: {error.strerror}.\nIt was not verified.\nCheck the path."
        ) from None
    if not is_evidence:
        raise EvidenceAltered(
            f"{file} is not what was exported: no line of it is a line of evidence.\n"
            "It is empty, or another kind of file.\n"
            "Name the file that this command wrote: claude-warehouse export evidence"
        )
    evidence = found.end()
    if head_hash and not found.findings and head_hash.strip().lower() != evidence.head_hash:
        found.findings.append(
            f"the last row's hash is {evidence.head_hash}, and not {head_hash}: the file is whole "
            "in itself, but it is not the one that was exported with that hash"
        )
    if found.findings:
        findings = "\n".join(f"  {finding}" for finding in found.findings[:MOST_FINDINGS])
        rest = len(found.findings) - MOST_FINDINGS
        more = f"\n  and {rest} more" if rest > 0 else ""
        raise EvidenceAltered(
            f"{file} is not what was exported:\n{findings}{more}\n"
            "Do not rely on it; export it again: claude-warehouse export evidence"
        )
    return evidence


@dataclass(frozen=True)
class Record:
    """One record of a file: its cells, or None if they are not those of a row."""

    cells: Cells | None
    is_opening: bool = False


def _is_of_an_export(record: Record) -> bool:
    if record.is_opening:
        return record.cells is not None and tuple(record.cells) == COLUMNS
    return record.cells is not None


class _Verification:
    """Checks records one by one; each finding says which row, counted from 1."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self._row = 0
        self._head: str | None = None
        self._first: int | None = None
        self._expected: int | None = None
        self._closing: Cells | None = None

    def check(self, record: Record) -> None:
        cells = record.cells
        if record.is_opening:
            if cells is None:
                self.findings.append("the first line, which names the columns, was altered")
        elif self._closing is not None:
            self.findings.append(f"something follows on the closing line, after row {self._row}")
        elif cells is not None and cells[0] == CLOSING:
            self._close(cells)
        else:
            self._check_row(cells)

    def end(self) -> Evidence:
        if self._closing is None:
            self.findings.append(
                f"the closing line is missing: the end was cut off after row {self._row}"
            )
        return Evidence(self._row, self._head or NO_ROW_BEFORE)

    def _check_row(self, cells: Cells | None) -> None:
        self._row += 1
        if cells is None:
            self.findings.append(f"row {self._row} was altered: it cannot be read")
            self._expected = self._after_unknown()
            self._head = None
            return
        *hashed, previous_hash, own_hash = cells
        name = f"row {self._row} (evidence {cells[0]}, event {cells[1]})"
        number = int(cells[0]) if cells[0] and cells[0].isdecimal() else None
        if not _is_hash_of(own_hash, previous_hash or "", hashed):
            self.findings.append(f"{name} was altered: its hash is not that of its cells")
        elif self._expected is not None and number is not None and number > self._expected:
            missing = self._numbers(self._expected, number - 1)
            self.findings.append(f"before {name}, {missing} missing")
        elif self._expected is not None and number is not None and number < self._expected:
            self.findings.append(
                f"{name} is not in its place: it belongs before evidence {self._expected - 1}"
            )
            self._head = None
            return
        elif self._head is not None and previous_hash != self._head:
            self.findings.append(f"{name} does not follow on the row before it")
        self._first = self._first or number
        self._expected = number + 1 if number is not None else self._after_unknown()
        self._head = own_hash

    def _after_unknown(self) -> int | None:
        return None if self._expected is None else self._expected + 1

    @staticmethod
    def _numbers(first: int, last: int) -> str:
        return f"evidence {first} is" if first == last else f"evidence {first} to {last} are"

    def _close(self, cells: Cells) -> None:
        self._closing = cells
        count, first, head = cells[1] or "", cells[2] or "", cells[-2] or ""
        if list(cells) != _closing(count, first, head):
            self.findings.append("the closing line was altered")
            return
        if self._first is not None and first.isdecimal() and self._first > int(first):
            missing = self._numbers(int(first), self._first - 1)
            self.findings.append(f"at the beginning, {missing} missing")
        if self._head is not None and head != self._head:
            self.findings.append(
                f"the closing line does not follow on row {self._row}: rows at the end are missing"
            )
        if count != str(self._row) and not self.findings:
            self.findings.append(f"the closing line says {count} rows, and there are {self._row}")


def _closing(count: str, first: str, head: str) -> list[str | None]:
    """The last record of a file: how many rows, the first one's number, the last one's hash, and a
    hash over all of that."""
    own_hash = row_hash(head, [CLOSING, count, first, *COLUMNS])
    return [CLOSING, count, first or None, *[None] * (len(COLUMNS) - 5), head, own_hash]


def _evidence_rows(warehouse: Warehouse, first: date | None, last: date | None) -> Iterator[Cells]:
    columns = ", ".join(
        f"cast({'event_at_text' if name == 'event_at' else name} as varchar)" for name in COLUMNS
    )
    query = f"""
        select {columns}
        from access_evidence
        where event_at >= $first and event_at < $end
        order by evidence_number
    """
    days = {
        "first": first or date.min,
        "end": last + timedelta(days=1) if last else date.max,
    }
    with warehouse.serve(though_empty=True) as marts:
        if not marts.has("access_evidence"):
            raise ForeseenError(
                f"There is no evidence in {warehouse.served_place}: the mart access_evidence is "
                "not published.\n"
                "An older version built these marts.\n"
                "Run: claude-warehouse transform"
            )
        answer = marts.query(query, **days)
        while rows := answer.fetchmany(ROWS_AT_ONCE):
            yield from rows


@dataclass(frozen=True)
class _Writer:
    """How a format writes: the lines before the rows, and the line of a row."""

    opening: Sequence[str]
    line: Callable[[Cells], str]


def _guarded(cell: str | None) -> str | None:
    """The cell as a CSV file has it."""
    return f"'{cell}" if cell and cell.startswith(FORMULA_STARTS) else cell


def _csv_line(cells: Cells) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(map(_guarded, cells))
    return text.getvalue()


def _jsonl_line(cells: Cells) -> str:
    return json.dumps(dict(zip(COLUMNS, cells, strict=True)), ensure_ascii=False) + "\n"


WRITERS = {
    EvidenceFormat.CSV: _Writer([_csv_line(COLUMNS)], _csv_line),
    EvidenceFormat.JSONL: _Writer([], _jsonl_line),
}


def _records(lines: Iterable[str]) -> Iterator[Record]:
    """The records of a file, whose format its first line tells. Blank lines are none."""
    remaining = iter(lines)
    first = next((line for line in remaining if line.strip()), "")
    everything = chain([first], remaining)
    return (
        _jsonl_records(everything) if first.lstrip().startswith("{") else _csv_records(everything)
    )


def _csv_records(lines: Iterator[str]) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_CELL)
    opening = next(lines)
    delimiter = next((mark for mark in DELIMITERS if _is_opening(opening, mark)), None)
    yield Record(COLUMNS if delimiter else None, is_opening=True)
    reader = csv.reader(lines, strict=True, delimiter=delimiter or DELIMITERS[0])
    while True:
        try:
            written: Sequence[str] = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(None)
            continue
        if not written:
            continue
        cells = [_cell_of(cell) for cell in written]
        is_row = len(cells) == len(COLUMNS) and [_guarded(cell) or "" for cell in cells] == written
        yield Record(cells if is_row else None)


def _is_opening(line: str, delimiter: str) -> bool:
    try:
        return list(csv.reader([line], strict=True, delimiter=delimiter)) == [list(COLUMNS)]
    except csv.Error:
        return False


def _jsonl_records(lines: Iterator[str]) -> Iterator[Record]:
    for line in lines:
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=list)
            record = dict(pairs)
            cells = [record[name] for name in COLUMNS]
            is_row = len(pairs) == len(COLUMNS) and all(
                cell is None or isinstance(cell, str) for cell in cells
            )
            yield Record(cells if is_row else None)
        except (ValueError, KeyError, TypeError, RecursionError):
            yield Record(None)


def _cell_of(written: str) -> str | None:
    """The cell that was written so: without the apostrophe that guards it, nothing as None."""
    is_guarded = written.startswith("'") and written[1:].startswith(FORMULA_STARTS)
    return (written[1:] if is_guarded else written) or None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
