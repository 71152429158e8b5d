"""The lines of a table that somebody saved: a CSV file in any of its ways, or a workbook's sheet.

Python's CSV reader takes the lines apart, one record at a time, so that a broken line costs
nothing but itself and cells may be as large as they like.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sources.typed_files.forms import is_workbook, unread_form
from sources.typed_files.workbook import Sheet, Unreadable, sheets

DELIMITERS = ",;\t|"
LONGEST_KEPT_LINE = 10_000
"""Characters of a broken line that are kept."""
LINES_ABOVE = 20
"""Among which the line of names is looked for: titles may stand above it."""
WORKBOOK = ""
"""The delimiter of a workbook, whose cells need none."""
SEPARATOR = re.compile(r'\s*"?sep=(.)"?\s*[,;\t]*', re.IGNORECASE)

TOTALS = {
    "total", "totals", "grand total", "sum", "sums", "subtotal",
    "summe", "gesamt", "gesamtsumme", "gesamtergebnis", "insgesamt", "ergebnis", "zwischensumme",
}  # fmt: skip
"""How a spreadsheet's line of totals begins, in English and German."""

csv.field_size_limit(2**31 - 1)

Fits = Callable[[Sequence[str]], int]
"""How well a line's cells are the names that are looked for; 0: not at all."""


class Record(NamedTuple):
    """A line of cells; `line` is its first, counted from 1."""

    line: int
    cells: list[str]
    line_count: int = 1


@dataclass(frozen=True)
class BrokenLine:
    """A line that could not be read, and why.

    `column` counts from 0 and is None where the problem is not in a column.
    """

    line: int
    reason: str
    text: str
    line_count: int = 1
    column: int | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """The lines below the line of names, in their order.

    `delimiter` stands between cells; it is WORKBOOK where the file is none of text.
    """

    delimiter: str
    header: Record
    records: Sequence[Record] = ()
    broken: Sequence[BrokenLine] = field(default_factory=list)

    @property
    def is_workbook(self) -> bool:
        return self.delimiter == WORKBOOK


class NoTable(Exception):
    """Why a content is no table: the problem, to be read after the file's name."""


def read_table(content: bytes, fits: Fits, *, ansi: bool) -> Table:
    """The table of which one of the first lines fits best.

    `ansi`: a text that is not Unicode is read as Windows-1252, as Excel writes in many countries.

    Raises:
        NoTable: It is empty, in a form that is not read, or in an encoding that is not certain.
    """
    if not content.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise NoTable("line 1: the file is empty")
    if form := unread_form(content):
        raise NoTable(f"it is {form}")
    if is_workbook(content):
        return _of_workbook(content, fits)
    lines, broken = _lines(content, ansi=ansi)
    return _of_text(lines, broken, fits)


def _of_workbook(content: bytes, fits: Fits) -> Table:
    try:
        found = sheets(content)
    except Unreadable as problem:
        raise NoTable(str(problem)) from problem
    if not found:
        raise NoTable("line 1: the workbook has no cells in a sheet that is visible")
    headers = [_header_row(sheet, fits) for sheet in found]
    fitting = [
        number for number, at in enumerate(headers) if fits(_trimmed(found[number].rows[at]))
    ]
    if len(fitting) > 1:
        names = " and ".join(repr(found[number].name) for number in fitting)
        raise NoTable(f"the sheets {names} hold such a table each; keep one of them")
    chosen = fitting[0] if fitting else 0
    sheet, at = found[chosen], headers[chosen]
    if problems := sheet.problems(at + 1):
        raise NoTable("\n  ".join(f"line {row}: {text}" for row, text in sorted(problems)[:10]))
    header = _trimmed(sheet.rows[at])
    records, broken = [], []
    for number, row in enumerate(sheet.rows[at + 1 :], start=at + 2):
        if not any(cell.strip() for cell in row):
            continue
        cells = [*row[: len(header)], *[""] * (len(header) - len(row))]
        if any(cell.strip() for cell in row[len(header) :]):
            text = f"there is a cell right of the last name, {header[-1]}"
            broken.append(BrokenLine(number, text, " | ".join(row)[:LONGEST_KEPT_LINE]))
        else:
            records.append(Record(number, cells))
    return Table(delimiter=WORKBOOK, header=Record(at + 1, header), records=records, broken=broken)


def _header_row(sheet: Sheet, fits: Fits) -> int:
    filled = [number for number, row in enumerate(sheet.rows) if any(map(str.strip, row))]
    return max(filled[:LINES_ABOVE], key=lambda number: fits(_trimmed(sheet.rows[number])))


def _trimmed(cells: Sequence[str]) -> list[str]:
    """The cells up to the last one that is not blank."""
    last = max((number for number, cell in enumerate(cells) if cell.strip()), default=-1)
    return [cell.strip() for cell in cells[: last + 1]]


def _lines(content: bytes, *, ansi: bool) -> tuple[list[str], list[BrokenLine]]:
    """The lines of a text, and those that are in another encoding than most."""
    encoding = _utf16(content)
    if encoding:
        try:
            return _split(content.decode(encoding).lstrip("\ufeff")), []
        except UnicodeDecodeError:
            raise NoTable("its text begins as UTF-16 and goes on in another encoding") from None
    try:
        return _split(content.decode("utf-8-sig")), []
    except UnicodeDecodeError:
        pass
    # A line of cp1252 is hardly ever valid UTF-8; a file with lines of both has two encodings.
    encoded = re.split(rb"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf"))
    has_utf8 = content.startswith(b"\xef\xbb\xbf") or any(
        not line.isascii() and _decodes(line, "utf-8") for line in encoded
    )
    encoding = "cp1252" if ansi and not has_utf8 else "utf-8"
    if not ansi:
        reason = 'the text is not UTF-8 (in Excel, save it as "CSV UTF-8")'
    elif has_utf8:
        reason = "it is not UTF-8, as other lines are; the file has two encodings"
    else:
        reason = "it is neither UTF-8 nor Windows-1252"
    broken = [
        BrokenLine(number, reason, line.decode(encoding, errors="replace")[:LONGEST_KEPT_LINE])
        for number, line in enumerate(encoded, start=1)
        if not _decodes(line, encoding)
    ]
    return [line.decode(encoding, errors="replace") for line in encoded], broken


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


def _of_text(lines: list[str], foreign: list[BrokenLine], fits: Fits) -> Table:
    if SEPARATOR.fullmatch(lines[0]):
        lines[0] = ""
    at, delimiter = _header_line(lines, fits)
    if delimiter != ";" and lines[at].rstrip().endswith(";"):
        # A spreadsheet that parts cells with semicolons had the file open.
        lines = [re.sub(r";+\s*$", "", line) for line in lines]
    header = [cell.strip() for cell in _cells(lines[at], delimiter)]
    elsewhere = {line.line for line in foreign}
    if at + 1 in elsewhere:
        raise NoTable(f"line {at + 1}: {foreign[0].reason}")
    records, broken = [], list(foreign)
    for found in _records(lines, at + 1, delimiter, header):
        if not elsewhere.isdisjoint(range(found.line, found.line + found.line_count)):
            continue  # Named already.
        if isinstance(found, BrokenLine):
            broken.append(found)
        else:
            records.append(found)
    return Table(delimiter=delimiter, header=Record(at + 1, header), records=records, broken=broken)


def _header_line(lines: Sequence[str], fits: Fits) -> tuple[int, str]:
    """The first line that fits best, and what stands between its cells."""
    filled = [number for number, line in enumerate(lines[:1_000]) if line.strip(DELIMITERS + " ")]
    choices = [(number, delimiter) for number in filled[:LINES_ABOVE] for delimiter in DELIMITERS]
    if not choices:
        raise NoTable("line 1: the file is empty")
    return max(
        choices, key=lambda choice: fits(_trimmed(_cells(lines[choice[0]][:100_000], choice[1])))
    )


def _cells(line: str, delimiter: str) -> list[str]:
    """A line's cells, also where the whole line was saved as one cell."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
        if len(cells) == 1 and delimiter in cells[0]:
            return next(csv.reader([cells[0]], delimiter=delimiter), [])
    except csv.Error:
        return []
    return cells


def _records(
    lines: Sequence[str], at: int, delimiter: str, header: Sequence[str]
) -> Iterator[Record | BrokenLine]:
    """Every record below the header; what is broken costs its own line, not those after it."""
    width, named = len(header), len(_trimmed(header))
    while at < len(lines):
        if not lines[at].strip(delimiter + ' \t\u00a0"'):
            at += 1
            continue
        cells, line_count, problem = _record(lines, at, delimiter)
        if problem is None and len(cells) == 1 < width:
            cells = _unwrapped(cells[0], delimiter)
        column = _broken_cell(lines[at], delimiter) if problem else None
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            cells = cells[:width]
        if named <= len(cells) < width:  # Spreadsheets leave out blanks at a line's end.
            cells += [""] * (width - len(cells))
        if problem is None and len(cells) != width:
            column = min(len(cells), width)
            problem = f"it has {len(cells)} of {width} cells" + (
                f"; a cell that contains {delimiter!r} needs quotes around it"
                if len(cells) > width
                else ""
            )
            if _stands_alone(lines, at + 1, delimiter, width):
                line_count = 1  # A quote that does not close swallowed a good line.
        if problem is None and any("\0" in cell for cell in cells):
            problem = "it contains a NUL character"
        if problem is None:
            if any(cell.strip() for cell in cells):
                yield Record(at + 1, cells, line_count)
        else:
            text = "\n".join(lines[at : at + line_count]).replace("\0", "\ufffd")
            yield BrokenLine(at + 1, problem, text[:LONGEST_KEPT_LINE], line_count, column)
        at += line_count


def _record(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str], int, str | None]:
    """The cells of the record that begins in this line, how many lines it has, or its problem."""
    reader = csv.reader(
        (f"{lines[number]}\n" for number in range(at, len(lines))),
        delimiter=delimiter,
        strict=True,
    )
    try:
        return next(reader), reader.line_num, None
    except csv.Error:
        return [], 1, 'its quotes do not close at its end; a " inside of quotes is written ""'


def _broken_cell(line: str, delimiter: str) -> int:
    """Which of a line's cells has quotes that do not close at its end."""
    number = at = 0
    while at <= len(line):
        end = line.find(delimiter, at)
        if line[at : at + 1] == '"':
            closed = re.compile(r'"(?:[^"]|"")*"').match(line, at)
            if closed is None or line[closed.end() : closed.end() + 1] not in ("", delimiter):
                return number
            end = closed.end()
        if end < 0:
            break
        number, at = number + 1, end + 1
    return number


def _unwrapped(cell: str, delimiter: str) -> list[str]:
    """The cells of a line that a spreadsheet saved as one, because it parts cells otherwise."""
    try:
        records = list(csv.reader(cell.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return [cell]
    return records[0] if len(records) == 1 else [cell]


def _stands_alone(lines: Sequence[str], at: int, delimiter: str, width: int) -> bool:
    """Whether a record of the right width begins in this line."""
    if at >= len(lines):
        return False
    cells, _, problem = _record(lines, at, delimiter)
    return problem is None and len(cells) == width
