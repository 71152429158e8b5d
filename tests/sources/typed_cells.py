"""What becomes of each cell and file that people type: the cases, and the table of them in docs.

`python -m tests.sources.typed_cells` writes the table into docs/reference-files.md.
"""

import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import openpyxl

from sources.errors import ForeseenError
from sources.reference_files import FILES, read

FILE = {file.table: file for file in FILES}
DOCS = Path(__file__).parents[2] / "docs" / "reference-files.md"
BEGIN, END = "<!-- cells: begin -->\n", "<!-- cells: end -->\n"

REFUSED = None
"""Instead of what a cell is read as."""


class Section(NamedTuple):
    """Cells of one column: how they come into a file, and what each is read as."""

    title: str
    table: str
    column: str
    content: Callable[[Any], bytes]
    cells: list[tuple[Any, str | None]]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def in_csv(head: str, row: str, delimiter: str = ",") -> Callable[[str], bytes]:
    def content(cell: str) -> bytes:
        text = f"{head}\n{row}\n".replace("CELL", quoted(cell))
        return text.replace("|", delimiter).encode()

    return content


def in_workbook(head: str, row: str) -> Callable[[Any], bytes]:
    def content(cell: Any) -> bytes:
        value, number_format = cell if isinstance(cell, tuple) else (cell, None)
        book = openpyxl.Workbook()
        book.active.append(head.split("|"))
        book.active.append([value if text == "CELL" else text for text in row.split("|")])
        if number_format:
            book.active.cell(2, row.split("|").index("CELL") + 1).number_format = number_format
        return saved(book)

    return content


def saved(book: Any) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


PRICES = "seat_tier|usd_per_month|valid_from"
PEOPLE = "email|department|cost_center|manager_email|valid_from|end_date"
PERSON = "ann@example.com|Sales|1|||"

SECTIONS = [
    Section(
        "An amount in a file with commas between cells", "seat_prices", "usd_per_month",
        in_csv(PRICES, "default|CELL|"),
        [
            ("60", "60.00000000"), ("60.00", "60.00000000"), ("60.5", "60.50000000"),
            (" 60.00 ", "60.00000000"), ("\u00a060.00", "60.00000000"), ("+60", "60.00000000"),
            ("0", "0.00000000"), ("0.653", "0.65300000"), (".5", "0.50000000"),
            ("1.2345", "1.23450000"), ("1.23400", "1.23400000"), ("1234.567", "1234.56700000"),
            ("0.00000001", "0.00000001"), ("1,234.56", "1234.56000000"),
            ("1,234,567", "1234567.00000000"), ("1 234.50", "1234.50000000"),
            ("1'234.50", "1234.50000000"), ("６０", "60.00000000"),
            ("1.234", REFUSED), ("1.200", REFUSED), ("1,234", REFUSED), ("12.345", REFUSED),
            ("60,00", REFUSED), ("1.234,56", REFUSED), ("1_000", REFUSED), ("6e1", REFUSED),
            ("6E+01", REFUSED), ("0.000000001", REFUSED), ("60.000000000", REFUSED),
            ("60.", REFUSED), ("1,23,456", REFUSED), ("1.2.3", REFUSED), ("-1", REFUSED),
            ("(60.00)", REFUSED), ("$60", REFUSED), ("60 USD", REFUSED), ("60 €", REFUSED),
            ("60%", REFUSED), ("nan", REFUSED), ("inf", REFUSED), ("0x3C", REFUSED),
            ("free", REFUSED), ("", REFUSED), ("NULL", REFUSED), ("#VALUE!", REFUSED),
            ("=30*2", REFUSED), ("1000000000000000", REFUSED), ("٦٠", REFUSED),
        ],
    ),
    Section(
        "An amount in a file with semicolons between cells", "seat_prices", "usd_per_month",
        in_csv(PRICES, "default|CELL|", ";"),
        [
            ("60", "60.00000000"), ("60,00", "60.00000000"), ("60.00", "60.00000000"),
            ("60,5", "60.50000000"), ("0,653", "0.65300000"), ("1234,567", "1234.56700000"),
            ("1.234,56", "1234.56000000"), ("1,234.56", "1234.56000000"),
            ("1 234,50", "1234.50000000"), ("1\u202f234,50", "1234.50000000"),
            ("1.234.567", "1234567.00000000"), ("1,2345", "1.23450000"),
            ("1.234", REFUSED), ("1.200", REFUSED), ("1,234", REFUSED), ("1,200", REFUSED),
            ("0,000000001", REFUSED), ("60,00 €", REFUSED), ("1.234,567.8", REFUSED),
            ("6e1", REFUSED), ("#WERT!", REFUSED), ("#NV", REFUSED),
        ],
    ),
    Section(
        "An amount in a workbook", "seat_prices", "usd_per_month",
        in_workbook(PRICES, "default|CELL|"),
        [
            (60, "60.00000000"), (60.1, "60.10000000"), (1.234, "1.23400000"),
            (0.1 + 0.2, "0.30000000"), ((1234.5, "#,##0.00"), "1234.50000000"),
            ((60, "[$€-407]0.00"), "60.00000000"), ("60.00", "60.00000000"),
            ("60,00", "60.00000000"),
            ("1.234", REFUSED), (1 / 3, REFUSED), ((0.6, "0%"), REFUSED), (-1, REFUSED),
            (True, REFUSED), (datetime(2026, 6, 1), REFUSED), ("#REF!", REFUSED),
            ("=30*2", REFUSED),
        ],
    ),
    Section(
        "A percentage", "fixed_shares", "percentage",
        in_csv("cost_pool|department|cost_center|percentage", "shared|Sales|1|CELL\nshared|B||0"),
        [
            ("100", "100.00000000"), ("100.0", "100.00000000"), ("100.0000", "100.00000000"),
            ("100%", REFUSED), ("100.000", REFUSED), ("1e2", REFUSED), ("99.9", REFUSED),
            ("-100", REFUSED), ("1", REFUSED), ("all", REFUSED),
        ],
    ),
    Section(
        "A day", "org_chart", "valid_from",
        in_csv(PEOPLE, "ann@example.com|Sales|1||CELL|"),
        [
            ("2026-10-01", "2026-10-01"), (" 2026-10-01 ", "2026-10-01"),
            ("2026-10-1", "2026-10-01"), ("2026/10/01", "2026-10-01"),
            ("2026.10.01", "2026-10-01"), ("2026-10-01 00:00:00", "2026-10-01"),
            ("2026-10-01T00:00:00Z", "2026-10-01"), ("01.10.2026", "2026-10-01"),
            ("1.10.2026", "2026-10-01"), ("01.10.2026 00:00", "2026-10-01"),
            ("01.10.26", "2026-10-01"), ("10/31/2026", "2026-10-31"),
            ("31/10/2026", "2026-10-31"), ("31-10-2026", "2026-10-31"),
            ("05/05/2026", "2026-05-05"), ("1965-04-01", "1965-04-01"), ("", ""),
            ("01/02/2026", REFUSED), ("1/2/2026", REFUSED), ("01-02-2026", REFUSED),
            ("10/31/26", REFUSED), ("26-10-01", REFUSED), ("01.10.99", REFUSED),
            ("2026-13-01", REFUSED), ("2026-02-30", REFUSED), ("31.02.2026", REFUSED),
            ("2026-10-01 08:30:00", REFUSED), ("46296", REFUSED), ("20261001", REFUSED),
            ("0000-01-01", REFUSED), ("0001-01-01", REFUSED), ("0026-10-01", REFUSED),
            ("9999-12-31", REFUSED), ("1 Oct 2026", REFUSED), ("October 2026", REFUSED),
            ("2026-10", REFUSED), ("infinity", REFUSED), ("tomorrow", REFUSED),
            ("NULL", REFUSED), ("#N/A", REFUSED), ("########", REFUSED), ("-", REFUSED),
        ],
    ),
    Section(
        "A day in a workbook", "org_chart", "valid_from",
        in_workbook(PEOPLE, "ann@example.com|Sales|1||CELL|"),
        [
            (date(2026, 10, 1), "2026-10-01"), ((date(2026, 10, 1), "d/m/yy"), "2026-10-01"),
            (datetime(2026, 10, 1), "2026-10-01"), ("2026-10-01", "2026-10-01"),
            ("01.10.2026", "2026-10-01"), (None, ""),
            (datetime(2026, 10, 1, 8, 30), REFUSED), (46296, REFUSED), ("01/02/2026", REFUSED),
        ],
    ),
    Section(
        "A last day beside valid_from 2026-10-01", "org_chart", "end_date",
        in_csv(PEOPLE, "ann@example.com|Sales|1||2026-10-01|CELL"),
        [
            ("2026-10-01", "2026-10-01"), ("2026-12-31", "2026-12-31"), ("", ""),
            ("2026-09-30", REFUSED), ("30.09.2026", REFUSED), ("9999-12-31", REFUSED),
        ],
    ),
    Section(
        "A cost center", "org_chart", "cost_center",
        in_csv(PEOPLE, "ann@example.com|Sales|CELL|||"),
        [
            ("00420", "00420"), ("420", "420"), (" 420\u00a0", "420"), ("CC-0042", "CC-0042"),
            ("1E5", "1E5"), ("12d", "12d"), ("420.10", "420.10"), ("4.200", "4.200"),
            ("R&D / EU", "R&D / EU"), ("true", "true"), ("März 26 GmbH", "März 26 GmbH"),
            ("4\u200b20", "420"), ("MAR-10", "MAR-10"), ("", ""),
            ("'00420", REFUSED), ('="00420"', REFUSED), ("=A1", REFUSED), ("'s-42", "'s-42"),
            ("420.0", REFUSED), ("420,00", REFUSED), ("4.2E+09", REFUSED), ("4,2E+09", REFUSED),
            ("1E+05", REFUSED), ("4.2E9", REFUSED), ("4,200", REFUSED), ("1,234,567", REFUSED),
            ("2026-03-24", REFUSED), ("24.03.2026", REFUSED), ("3/24/2026", REFUSED),
            ("Mar-24", REFUSED), ("24-Mar", REFUSED), ("24. Mrz", REFUSED), ("#REF!", REFUSED),
            ("#N/A", REFUSED), ("#NAME?", REFUSED), ("#VALUE!", REFUSED), ("#DIV/0!", REFUSED),
            ("#NUM!", REFUSED), ("#NULL!", REFUSED), ("#SPILL!", REFUSED), ("#BEZUG!", REFUSED),
            ("#NV", REFUSED), ("#¡REF!", REFUSED), ("Err:502", REFUSED), ("#####", REFUSED),
            ("NULL", REFUSED), ("null", REFUSED), ("(null)", REFUSED), ("N/A", REFUSED),
            ("n/a", REFUSED), ("NA", REFUSED), ("NaN", REFUSED), ("None", REFUSED),
            ("nil", REFUSED), ("undefined", REFUSED), ("-", REFUSED), ("–", REFUSED),
            ("?", REFUSED), ("...", REFUSED),
        ],
    ),
    Section(
        "A cost center in a workbook", "org_chart", "cost_center",
        in_workbook(PEOPLE, "ann@example.com|Sales|CELL|||"),
        [
            ("00420", "00420"), (420, "420"), (420.0, "420"), ((420, "00000"), "00420"),
            (4200000000, "4200000000"), (420.5, "420.5"), (None, ""),
            (1234567890123456789, REFUSED), (date(2026, 3, 24), REFUSED), ("=A1", REFUSED),
            ("#REF!", REFUSED),
        ],
    ),
    Section(
        "A department", "org_chart", "department",
        in_csv(PEOPLE, "ann@example.com|CELL|1|||"),
        [
            ("Sales", "Sales"), (" Sales ", "Sales"), ("R&D  Lab", "R&D Lab"),
            ("R&D\u00a0Lab", "R&D Lab"), ("R&D\nLab", "R&D Lab"), ("R&D\u200b Lab", "R&D Lab"),
            ("\ufeffSales", "Sales"), ("Vertrieb Süd", "Vertrieb Süd"),
            ("Vertrieb Su\u0308d", "Vertrieb Süd"), ("007", "007"), ("=Sales", "=Sales"),
            ("Other Services", "Other Services"), ("Null Series", "Null Series"),
            ("Other", REFUSED), ("other", REFUSED), (" OTHER\u00a0", REFUSED),
            ("Unmapped", REFUSED), ("UNMAPPED", REFUSED), ("Un\u00admapped", REFUSED),
            ("Unattributed", REFUSED), ("Ｕｎａｔｔｒｉｂｕｔｅｄ", REFUSED), ("", REFUSED),
            ("  ", REFUSED), ("\u200b", REFUSED), ("Vertrieb SÃ¼d", REFUSED),
            ("Vertrieb S\ufffdd", REFUSED), ("#REF!", REFUSED), ("#N/A", REFUSED),
            ("NULL", REFUSED), ("N/A", REFUSED), ("420.0", REFUSED), ("=B2", REFUSED),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ],
    ),
    Section(
        "An e-mail", "org_chart", "email",
        in_csv(PEOPLE, "CELL|Sales|1|||"),
        [
            ("ann@example.com", "ann@example.com"), (" Ann@Example.com ", "Ann@Example.com"),
            ("ann@example.com\u00a0", "ann@example.com"),
            ("ann\u200b@example.com", "ann@example.com"), ("ann+x@example.com",) * 2,
            ("o'neil@example.co.uk",) * 2, ("jörg@exämple.de",) * 2,
            ("Ann A <ann@example.com>", REFUSED), ("<ann@example.com>", REFUSED),
            ("'ann@example.com", REFUSED), ("'ann@example.com'", REFUSED),
            ("mailto:ann@example.com", REFUSED), ("ann@example.com, bob@example.com", REFUSED),
            ("ann@example.com;bob@example.com", REFUSED), ("ann@example.com bob", REFUSED),
            ("ann", REFUSED), ("ann@", REFUSED), ("@example.com", REFUSED),
            ("ann@@example.com", REFUSED), ("ann@example..com", REFUSED),
            ("ann@example.com.", REFUSED), ("ann (at) example.com", REFUSED),
            ("", REFUSED), ("#N/A", REFUSED), ("NULL", REFUSED), ("Total", REFUSED),
        ],
    ),
    Section(
        "An e-mail that may be left out", "access_reviews", "email",
        in_csv("email|reviewed_at", "CELL|2026-10-01"),
        [
            ("", ""), ("ann@example.com", "ann@example.com"),
            ("N/A", REFUSED), ("#N/A", REFUSED), ("everybody", REFUSED),
        ],
    ),
    Section(
        "A seat tier", "seat_prices", "seat_tier",
        in_csv(PRICES, "CELL|60|"),
        [
            ("default", "default"), ("Default", "default"), (" DEFAULT ", "default"),
            ("Premium", "Premium"), ("", REFUSED), ("Total", REFUSED), ("#N/A", REFUSED),
        ],
    ),
    Section(
        "A decision", "approved_skills", "approval",
        in_csv("name|approval", "pdf|CELL"),
        [
            ("approved", "approved"), ("Banned", "banned"), ("ＢＡＮＮＥＤ", "banned"),
            ("unreviewed", "unreviewed"), ("", REFUSED), ("yes", REFUSED), ("#N/A", REFUSED),
        ],
    ),
    Section(
        "A name on an approval list", "approved_connectors", "name",
        in_csv("name|approval", "CELL|approved"),
        [
            ("Jira", "Jira"), ("mcp-*", "mcp-*"), ("*", "*"), ("Google  Drive", "Google Drive"),
            ("", REFUSED), ("#NAME?", REFUSED), ("N/A", REFUSED),
        ],
    ),
    Section(
        "A cost pool", "fixed_shares", "cost_pool",
        in_csv("cost_pool|department|cost_center|percentage", "CELL|Sales|1|100"),
        [
            ("shared", "shared"), ("Shared", "shared"), ("seats ", "seats"),
            ("share", REFUSED), ("", REFUSED),
        ],
    ),
    Section(
        "A priority", "cost_center_groups", "priority",
        in_csv("rbac_group|cost_center|department|priority", "Sellers|1|Sales|CELL"),
        [
            ("1", "1"), ("-5", "-5"), ("007", "7"),
            ("1.0", REFUSED), ("1.000", REFUSED), ("first", REFUSED), ("1e3", REFUSED),
            ("", REFUSED),
        ],
    ),
    Section(
        "A month", "other_assistants", "month",
        in_csv("vendor|month|email", "ChatGPT|CELL|ann@example.com"),
        [
            ("2026-05", "2026-05-01"), ("2026-05-01", "2026-05-01"), ("2026-05-31", "2026-05-01"),
            ("31.05.2026", "2026-05-01"), ("2026-13", REFUSED), ("05/2026", REFUSED),
            ("May 2026", REFUSED), ("2026", REFUSED), ("", REFUSED),
        ],
    ),
    Section(
        "An assistant", "other_assistants", "vendor",
        in_csv("vendor|month|email", "CELL|2026-05|ann@example.com"),
        [
            ("ChatGPT", "ChatGPT"), (" Copilot ", "Copilot"), ("Claude", REFUSED),
            ("LANGDOCK", REFUSED), ("", REFUSED), ("#N/A", REFUSED),
        ],
    ),
    Section(
        "A reason, which is free", "exempt_seats", "reason",
        in_csv("email|reason", "ann@example.com|CELL"),
        [
            ("parental leave", "parental leave"), ("N/A", "N/A"), ("-", "-"), ("=1+1", "=1+1"),
            ("", ""), ("#REF!", REFUSED),
        ],
    ),
]  # fmt: skip

ROWS = f"{PEOPLE}\n{PERSON}\nbob@example.com|R&D, Lab|2|||\n"


def csv_of(rows: str, delimiter: str = ",") -> str:
    lines = [
        delimiter.join(quoted(cell) if delimiter in cell else cell for cell in line.split("|"))
        for line in rows.splitlines()
    ]
    return "\n".join(lines) + "\n"


def one_cell_a_line(text: str) -> str:
    return "".join(quoted(line) + "\n" for line in text.splitlines())


def workbook(*sheets: str, merged: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for line in rows.splitlines():
            sheet.append([cell or None for cell in line.split("|")])
    if merged:
        book.worksheets[0].merge_cells(merged)
    return saved(book)


BOTH = "Sales, R&D, Lab"

WHOLE_FILES: list[tuple[str, str | bytes, str | None]] = [
    ("commas, UTF-8", csv_of(ROWS), BOTH),
    ("no line end after the last line", csv_of(ROWS).rstrip(), BOTH),
    ("a byte-order mark and Windows line ends",
     "\ufeff" + csv_of(ROWS).replace("\n", "\r\n"), BOTH),
    ("line ends of three kinds",
     csv_of(ROWS).replace("\n", "\r", 1).replace("\n", "\r\n", 1), BOTH),
    ("semicolons", csv_of(ROWS, ";"), BOTH),
    ("tabs", csv_of(ROWS, "\t"), BOTH),
    ("UTF-16, which Excel calls Unicode text", csv_of(ROWS, "\t").encode("utf-16"), BOTH),
    ("a first line `sep=;`", "sep=;\n" + csv_of(ROWS, ";"), BOTH),
    ("blank lines, and lines of delimiters", csv_of(ROWS).replace("\n", "\n\n,,,,,\n"), BOTH),
    ("a title above the line of names", "Org chart 2026\n\n" + csv_of(ROWS), BOTH),
    ("each line saved as one cell in quotes", one_cell_a_line(csv_of(ROWS)), BOTH),
    ("semicolons after each line with commas", csv_of(ROWS).replace("\n", ";;\n"), BOTH),
    ("empty columns at the right", csv_of(ROWS, ";").replace("\n", ";;\n"), BOTH),
    ("other order, `E-Mail` and `Cost Center`",
     csv_of("Department|E-Mail|Cost Center|manager_email|valid_from\nSales|a@x.org|1||\n"),
     "Sales"),
    ("a line twice", csv_of(ROWS + PERSON), BOTH),
    ("a line twice, e-mail and department in other case",
     csv_of(ROWS + "ANN@example.com|SALES|1|||"), "SALES, R&D, Lab"),
    ("one department in four spellings: the newest is shown",
     csv_of(f"{PEOPLE}\na@x.org|R&D Lab|1||2026-01-01|\nb@x.org|R&D  Lab|1|||\n"
            "c@x.org|R&D\u00a0Lab|1|||\nd@x.org|r&d lab|1||2025-01-01|\n"),
     "R&D Lab, R&D Lab, R&D Lab, R&D Lab"),
    ("an Excel workbook (.xlsx)", workbook(ROWS), BOTH),
    ("a workbook with a sheet of notes", workbook("Org chart\nas of October", ROWS), BOTH),
    ("a workbook with a title and empty rows", workbook("2026\n\n" + ROWS + "\n\n"), BOTH),
    ("names only", csv_of(PEOPLE), ""),
    ("nothing", "", REFUSED),
    ("blanks only", "\ufeff \r\n", REFUSED),
    ("no line of names", csv_of(ROWS).partition("\n")[2], REFUSED),
    ("a column is missing", csv_of("email|cost_center\na@x.org|1\n"), REFUSED),
    ("a column is there twice", csv_of(ROWS.replace("end_date", "Email")), REFUSED),
    ("a cell too few", csv_of(ROWS + "c@x.org|Sales"), REFUSED),
    ("a cell too many", csv_of(ROWS + PERSON + "|x"), REFUSED),
    ("quotes that do not close", csv_of(ROWS) + 'c@x.org,"Sales,1,,,\n', REFUSED),
    ("Windows-1252 with letters beyond ASCII", csv_of(ROWS).replace("Lab", "Büro").encode("cp1252"),
     REFUSED),
    ("one person in two departments at once", csv_of(ROWS + "Ann@example.com|HR|1|||"), REFUSED),
    ("the same, once always and once since 1900",
     csv_of(ROWS + "Ann@example.com|HR|1||1900-01-01|"), REFUSED),
    ("the same, in two ways of writing the day",
     csv_of(f"{PEOPLE}\na@x.org|HR|1||2026-10-01|\na@x.org|Sales|1||01.10.2026|\n"), REFUSED),
    ("a line of totals below", csv_of(ROWS + "Total|2||||"), REFUSED),
    ("an old Excel workbook (.xls), or one with a password", b"\xd0\xcf\x11\xe0" + b"\0" * 99,
     REFUSED),
    ("a workbook that was copied in part", workbook(ROWS)[:-300], REFUSED),
    ("a workbook with merged cells", workbook(ROWS, merged="C2:C3"), REFUSED),
    ("a workbook with two sheets of people", workbook(ROWS, ROWS), REFUSED),
    ("a compressed file", b"\x1f\x8b\x08" + b"\0" * 20, REFUSED),
    ("JSON", '[{"email": "a@x.org"}]', REFUSED),
    ("a web page", "<html><table></table></html>", REFUSED),
    ("a PDF", b"%PDF-1.7", REFUSED),
]  # fmt: skip


def read_as(table: str, column: str, content: bytes) -> tuple[str | None, str]:
    """What the column is read as, else None and the message's lines about it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            values = read(FILE[table], path).rows.column(column).to_pylist()
        except ForeseenError as refusal:
            _, *problems, _ = str(refusal).splitlines()
            return REFUSED, "; ".join(map(str.strip, problems))
    return ", ".join(map(_as_read, values)), ""


def _as_read(value: object) -> str:
    if value is None:
        return ""
    # A decimal zero would print as 0E-8.
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def outcomes() -> Iterator[tuple[str, str, str | None, str | None, str]]:
    """Section, cell or file, what it has to be read as, what it is read as, and the message."""
    for section in SECTIONS:
        for cell, expected in section.cells:
            read_, message = read_as(section.table, section.column, section.content(cell))
            # Other rows may stand below, so that the file as a whole is right.
            read_ = read_ and read_.split(", ")[0]
            yield section.title, _as_typed(cell), expected, read_, message
    for what, text, expected in WHOLE_FILES:
        content = text.encode() if isinstance(text, str) else text
        read_, message = read_as("org_chart", "department", content)
        yield "A whole org chart, and the departments read", what, expected, read_, message


def _as_typed(cell: Any) -> str:
    value, form = cell if isinstance(cell, tuple) else (cell, None)
    match value:
        case None | "":
            text = "(empty)"
        case str():
            text = f"`{_visible(value)}`"
        case datetime():
            text = f"the moment {value:%Y-%m-%d %H:%M}"
        case date():
            text = f"the day {value}"
        case bool():
            text = f"the value {str(value).upper()}"
        case _:
            text = f"the number {value}"
    return text + (f" in the form `{form}`" if form else "")


def _visible(text: str) -> str:
    return "".join(
        letter if letter.isprintable() and letter != "|" else f"\\u{ord(letter):04x}"
        for letter in text
    )


def markdown() -> str:
    """The tables, a section each."""
    lines: list[str] = []
    section = None
    for title, typed, _, read_, message in outcomes():
        if title != section:
            lines += [
                "",
                f"### {title}",
                "",
                "| typed | read as, or refused with |",
                "| --- | --- |",
            ]
            section = title
        text = f"**refused**: {_escaped(message)}" if read_ is None else f"`{read_}`"
        lines.append(f"| {typed} | {'(nothing)' if read_ == '' else text} |")
    return "\n".join(lines[1:]) + "\n"


def _escaped(message: str) -> str:
    return "".join(
        letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in message
    ).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")  # fmt: skip


def documented() -> str:
    return DOCS.read_text().partition(BEGIN)[2].partition(END)[0]


if __name__ == "__main__":
    before, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(before + BEGIN + markdown() + END + rest.partition(END)[2])
    sys.stdout.write(f"{DOCS}: {len(list(outcomes()))} cells and files\n")
