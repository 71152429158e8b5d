"""What people type, through the commands that read it."""

from pathlib import Path

import openpyxl

from tests.conftest import Command, Query

PEOPLE = "email,department,cost_center,manager_email,valid_from\n"
SYNC = "sync --today 2026-01-08 --only users --no-transform"


def test_doctor_names_each_department_that_is_written_in_several_ways_once(
    tmp_path: Path, command: Command
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(
        PEOPLE + "ada@x.org,R&D Lab,1,,\nben@x.org,r&d lab,1,,\ncho@x.org,R&D  Lab,1,,\n"
    )
    shares = tmp_path / "shares.csv"
    shares.write_text("cost_pool,department,cost_center,percentage\nshared,R&D LAB,1,100\n")

    ended = command(
        "doctor --today 2026-01-08",
        SOURCES__REFERENCE_FILES__ORG_CHART=str(people),
        SOURCES__REFERENCE_FILES__FIXED_SHARES=str(shares),
    )

    said = " ".join(ended.out.split())
    assert said.count("the department 'R&D Lab' is also written") == 1
    for spelling in ("'r&d lab'", "'R&D  Lab'", "'R&D LAB'"):
        assert " ".join(spelling.split()) in said


def test_a_workbook_is_an_org_chart_like_any_other(
    tmp_path: Path, command: Command, query: Query
) -> None:
    book = openpyxl.Workbook()
    for row in (PEOPLE.strip().split(","), ["ada@x.org", "R&D", 420, None, None]):
        book.active.append(row)
    book.active["C2"].number_format = "00000"
    book.save(tmp_path / "org_chart.xlsx")

    ended = command(SYNC, SOURCES__REFERENCE_FILES__ORG_CHART=str(tmp_path / "org_chart.xlsx"))

    assert ended.exit_code == 0, ended.err
    assert query("select email, department, cost_center from claude_raw.org_chart") == [
        ("ada@x.org", "R&D", "00420")
    ]


def test_a_file_with_a_bad_line_ends_the_run_with_1_and_changes_nothing(
    tmp_path: Path, command: Command, query: Query
) -> None:
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE + "ada@x.org,Sales,1,,\n")
    command(SYNC, SOURCES__REFERENCE_FILES__ORG_CHART=str(people))

    people.write_text(PEOPLE + "ada@x.org,Legal,1,,\nben@x.org,Unmapped,420.0,,01/02/2026\n")
    ended = command(SYNC)

    assert ended.exit_code == 1
    for problem in (
        'line 3, column department: "Unmapped" stands for what belongs to no department',
        'line 3, column cost_center: "420.0" was a number to a spreadsheet; write "420"',
        'line 3, column valid_from: "01/02/2026" is not a date that means one day',
    ):
        assert problem in " ".join(ended.err.split())
    assert query("select department from claude_raw.org_chart") == [("Sales",)]
