"""Langdock's exports after people had them open: every way of saving is read, or says why not."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sources.errors import ForeseenError
from sources.langdock import file_sources
from sources.langdock.names import period_of_name
from sources.langdock.reader import Export, read_export
from tests.conftest import Command

NAMES = ["period_start", "period_end", "org_id", "user_id", "name", "email", "messages_total"]
ROWS = [
    ["2026-10-01", "2026-10-31", "org", "u1", "Ada, Dr.", "ada@x.org", "1840"],
    ["2026-10-01", "2026-10-31", "org", "u2", 'Ben "B"', "ben@x.org", "0"],
]


def csv_of(rows: list[list[str]], delimiter: str = ",") -> str:
    def cell(text: str) -> str:
        needs = any(mark in text for mark in (delimiter, '"', "\n"))
        return '"' + text.replace('"', '""') + '"' if needs else text

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in [NAMES, *rows])


def wrapped(text: str, *, every: bool) -> str:
    """Each line as one cell, as a spreadsheet saves it that parts cells with semicolons."""
    return "".join(
        '"' + line.replace('"', '""') + '"\n' if every or '"' in line else line + "\n"
        for line in text.splitlines()
    )


def dated(first: str, last: str) -> str:
    return csv_of([[first, last, *row[2:]] for row in ROWS])


def workbook(rows: Sequence[Sequence[Any]], *above: list[Any], sheets: int = 1) -> bytes:
    book = openpyxl.Workbook()
    for number in range(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        for row in [*above, NAMES, *rows]:
            sheet.append(row)
    book.create_sheet("Notes").append(["exported by Kim"])
    return saved(book)


def saved(book: Any) -> bytes:
    file = BytesIO()
    book.save(file)
    return file.getvalue()


PLAIN = csv_of(ROWS)
TYPED: list[list[Any]] = [
    [datetime(2026, 10, 1), datetime(2026, 10, 31), *row[2:6], int(row[6])] for row in ROWS
]

SAME: dict[str, str | bytes] = {
    "as it was exported": PLAIN,
    "a byte-order mark": "\ufeff" + PLAIN,
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "UTF-16 with tabs, Excel's Unicode text": csv_of(ROWS, "\t").encode("utf-16"),
    "semicolons": csv_of(ROWS, ";"),
    "a line that names the separator": "sep=;\n" + csv_of(ROWS, ";"),
    "that line, quoted": '"sep=;"\n' + csv_of(ROWS, ";"),
    "lines with quotes saved as one cell": wrapped(PLAIN, every=False),
    "every line saved as one cell": wrapped(PLAIN, every=True),
    "semicolons at the end of each line": PLAIN.replace("\n", ";;;\n"),
    "lines as one cell, with semicolons": wrapped(PLAIN, every=False).replace("\n", ";;\n"),
    "empty columns at the end": csv_of(ROWS, ";").replace("\n", ";;\n"),
    "empty columns that later lines lack": csv_of(ROWS, ";").replace("total\n", "total;;\n"),
    "blank lines": "\n\n" + PLAIN.replace("\n", "\n\n,,,,,,\n") + "\n \n",
    "a title above": "Usage of October\n\n" + PLAIN,
    "a line of totals": PLAIN + "Total,,,,,,1840\n",
    "a German line of totals": csv_of(ROWS, ";") + "Summe:;;;;;;1.840\n",
    "a line of totals without a word": PLAIN + ",,,,,,1840\n",
    "German dates": dated("01.10.2026", "31.10.2026"),
    "German dates with short years": dated("01.10.26", "31.10.26"),
    "American dates": dated("10/01/2026", "10/31/2026"),
    "American dates without zeros and with short years": dated("10/1/26", "10/31/26"),
    "British dates": dated("01/10/2026", "31/10/2026"),
    "dates with slashes, year first": dated("2026/10/01", "2026/10/31"),
    "moments": dated("2026-10-01T00:00:00Z", "2026-10-31 23:59:59"),
    "German moments": dated("01.10.2026 00:00", "31.10.2026 00:00:00"),
    "counts with thousands": csv_of([[*row[:6], row[6].replace("1840", "1.840")] for row in ROWS]),
    "a workbook": workbook(TYPED),
    "a workbook of texts": workbook(ROWS),
    "a workbook with a title and gaps": workbook([TYPED[0], [], TYPED[1]], ["Usage"], []),
    "a workbook with a line of totals": workbook([*TYPED, ["Gesamt", *[None] * 5, 1840]]),
}


def export(content: str | bytes, name: str = "export.csv") -> Export:
    return read_export(content.encode() if isinstance(content, str) else content, name)


def rows(read: Export) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in NAMES) for part in read.rows.values() for row in part]


def refusal(content: str | bytes, name: str = "export.csv") -> str:
    with pytest.raises(ForeseenError) as refused:
        export(content, name)
    return str(refused.value)


@pytest.mark.parametrize("way", SAME)
def test_every_way_of_saving_an_export_says_the_same(way: str) -> None:
    read = export(SAME[way])

    assert read.rejected == []
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    assert rows(read) == [
        (first, last, "org", "u1", "Ada, Dr.", "ada@x.org", 1840),
        (first, last, "org", "u2", 'Ben "B"', "ben@x.org", 0),
    ]


def test_a_line_of_totals_that_was_left_out_is_named() -> None:
    assert "line 4 is a line of totals" in export(PLAIN + "Total,,,,,,1840\n").warnings[0]


def test_a_day_that_can_be_two_is_not_guessed() -> None:
    read = export(dated("01/10/2026", "05/10/2026"))

    assert rows(read) == []
    assert [(line.line, line.reason) for line in read.rejected] == [
        (
            number,
            "column period_start: it is not a date that means one day: "
            "2026-01-10 or 2026-10-01; write it as YYYY-MM-DD",
        )
        for number in (2, 3)
    ]


def test_a_spreadsheets_number_of_a_day_is_named_as_one() -> None:
    [line, _] = export(dated("46296", "46326")).rejected

    assert "it is a spreadsheet's number of a day; format the column as a date" in line.reason


def test_a_number_of_a_workbook_means_what_it_is() -> None:
    book = openpyxl.Workbook()
    book.active.append(["period_start", "period_end", "api_key_id", "requests", "total_cost_usd"])
    book.active.append([date(2026, 10, 1), date(2026, 10, 31), 42, 1840, 1.234])
    book.active.append([date(2026, 10, 1), date(2026, 10, 31), "key", 7, 0.1 + 0.2])

    [[first, second]] = export(saved(book)).rows.values()

    assert (first["api_key_id"], str(first["total_cost_usd"])) == ("42", "1.234000000000")
    assert str(second["total_cost_usd"]) == "0.300000000000"


def test_a_workbook_whose_formulas_were_never_computed_is_refused() -> None:
    message = refusal(workbook([*TYPED, [*TYPED[0][:6], "=G2+G3"]]))

    assert "line 4: cell G4: the result of its formula was not saved" in message


def test_merged_cells_are_refused() -> None:
    book = openpyxl.load_workbook(BytesIO(workbook(TYPED)))
    book.worksheets[0].merge_cells("C2:C3")

    assert "cells C2 to C3 are merged" in refusal(saved(book))


def test_of_two_sheets_that_hold_an_export_none_is_chosen() -> None:
    message = refusal(workbook(TYPED, sheets=2))

    assert "the sheets 'Sheet' and 'Sheet1' hold such a table each" in message


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 500, "an Excel workbook of before 2007, or one with a pass"),
        (b"\x1f\x8b\x08" + b"\0" * 50, "an archive"),
        (b"PK\x03\x04 cut off", "a damaged archive or workbook"),
        (b'[{"user_id": "u1"}]', "JSON; export it as CSV"),
        (b"<html><table><tr><td>user_id</td></tr></table></html>", "a web page"),
        (workbook(TYPED)[:-200], "a damaged archive or workbook"),
    ],
)
def test_what_only_has_the_name_of_a_csv_file_is_called_what_it_is(
    content: bytes, form: str
) -> None:
    message = refusal(content)

    assert f"export.csv cannot be used:\n  it is {form}" in message


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("users-2026-10.csv", ("2026-10-01", "2026-10-31")),
        ("old/users_2026.02 (1).csv", ("2026-02-01", "2026-02-28")),
        ("Nutzung Oktober 2026.xlsx", ("2026-10-01", "2026-10-31")),
        ("users_2026-10-05_2026-10-11.csv", ("2026-10-05", "2026-10-11")),
        ("users-20261005-20261011.csv", ("2026-10-05", "2026-10-11")),
        ("users-2026-11-05.csv", None),  # the day of the export, as likely
        ("users-2026-10 and 2026-11.csv", None),
        ("users-2026-13.csv", None),
        ("users.csv", None),
    ],
)
def test_a_name_tells_a_period_if_it_has_a_month_or_two_days(
    name: str, period: tuple[str, str] | None
) -> None:
    assert period_of_name(name) == (period and tuple(map(date.fromisoformat, period)))


def test_a_period_that_only_the_name_tells_is_read_and_said() -> None:
    content = "user_id,messages_total\nu1,7\n"

    read = export(content, "users-2026-10.csv")

    [slot] = read.rows
    assert (str(slot.period_start), str(slot.period_end)) == ("2026-10-01", "2026-10-31")
    assert read.warnings == [
        "users-2026-10.csv: its period is taken from its name: 2026-10-01 to 2026-10-31."
    ]
    message = refusal(content, "users.csv")
    assert "line 1: there is no column period_start, so its period is unknown" in message
    assert "name the file for its month" in message


Put = Callable[[str, str | bytes], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


@pytest.fixture
def put(folder: Path) -> Put:
    def put(name: str, content: str | bytes) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


SYNC = "sync --today 2026-11-20 --only langdock --no-transform"


def test_two_months_alike_in_all_but_their_name_are_both_loaded(
    put: Put, folder: Path, command: Command, query: Callable[..., Any]
) -> None:
    for month in ("2026-09", "2026-10"):
        put(f"users-{month}.csv", "user_id,messages_total\nu1,7\n")

    ended = command(SYNC, SOURCES__LANGDOCK__FILES=str(folder))

    assert ended.exit_code == 0, ended.err
    assert query("select count(distinct period_start) from counting_langdock_users") == [(2,)]


def test_what_is_passed_over_in_the_folder_is_said(
    put: Put,
    folder: Path,
    command: Command,
    query: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    put("users.xlsx", workbook(TYPED))
    put("agents.csv", workbook([]))  # an export by its names, without rows
    for name in ("~$users.xlsx", ".users.csv", "users.csv~", ".DS_Store", "readme.md"):
        put(name, PLAIN)
    put("notes.txt", "Kim exported this")
    put("tabs.txt", csv_of([[*ROWS[0][:2], "other", "u3", *ROWS[0][4:]]], "\t"))

    ended = command(SYNC, SOURCES__LANGDOCK__FILES=str(folder))

    assert ended.exit_code == 0, ended.err
    assert query("select user_id from counting_langdock_users order by all") == [
        ("u1",),
        ("u2",),
        ("u3",),
    ]
    assert (
        "Langdock's folder has files that are no exports and were not read: "
        ".users.csv, notes.txt, readme.md, users.csv~, ~$users.xlsx."
    ) in caplog.messages


def test_an_export_in_a_form_that_is_not_read_ends_with_1_and_what_to_do(
    put: Put, folder: Path, command: Command
) -> None:
    put("users.csv", PLAIN)
    put("agents.json", "[]")
    put("models.xls", b"\xd0\xcf\x11\xe0")
    put("projects.csv.gz", b"\x1f\x8b")
    put("keys.csv", "")
    (folder / "workflows.csv").symlink_to(folder / "a share that is not mounted")

    ended = command(SYNC, SOURCES__LANGDOCK__FILES=str(folder))

    assert ended.exit_code == 1
    assert "Loaded 1 Langdock exports (2 rows)" in ended.out
    assert "3 of the files in Langdock's folder cannot be read" in ended.err
    assert "agents.json: it is JSON; export it as CSV" in ended.err
    assert "models.xls: it is an Excel workbook of before 2007" in ended.err
    assert "projects.csv.gz: it is an archive; take the files out of it" in ended.err
    assert "workflows.csv cannot be read: No such file" in ended.err
    assert "keys.csv cannot be used:\n  line 1: the file is empty" in ended.err


def test_sources_are_listed_before_any_of_them_is_read(put: Put, folder: Path) -> None:
    put("users.csv", PLAIN)
    refusals: list[str] = []

    [source] = file_sources(str(folder), refusals)

    assert (source.name, refusals) == ("users.csv", [])
    assert source.exported_at > datetime(2026, 1, 1, tzinfo=UTC)
