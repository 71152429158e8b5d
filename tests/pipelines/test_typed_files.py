"""What people type, through the commands that read it."""

from pathlib import Path

import dlt
import openpyxl
import pyarrow as pa

from pipelines.data_dir import DataDir
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import warehouse_pipeline
from pipelines.run import Listener, RunResult, build
from sources.ledger import store
from sources.sandbox import Sandbox
from sources.typed_files.keys import name_key
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


def test_names_of_the_api_meet_what_people_type_whatever_the_spelling(
    api: Sandbox, tmp_path: Path, data_dir: DataDir, command: Command, query: Query
) -> None:
    rows = [
        {"user": {"id": number, "email_address": email}, "chat_metrics": {"message_count": 1}}
        for number, email in (("u1", "MU\u0308LLER@x.de"), ("u2", "Ada@X.org"))
    ]
    api.publish("users", "2026-01-05", rows)
    api.publish(
        "connectors", "2026-01-05", [{"connector_name": "Büro Suche", "distinct_user_count": 1}]
    )
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE + "müller@X.DE,Sales,1,,\n\u200bADA@x.org\u00a0,Legal,1,,\n")
    approved = tmp_path / "approved.csv"
    approved.write_text("name,approval\nBÜRO\u00a0*,approved\n")

    ended = command(
        "sync --today 2026-01-08 --only users --only connectors --no-transform",
        SOURCES__REFERENCE_FILES__ORG_CHART=str(people),
        SOURCES__REFERENCE_FILES__APPROVED_CONNECTORS=str(approved),
    )
    assert ended.exit_code == 0, ended.err
    result = RunResult()
    with data_dir.held("test"):
        build(data_dir, result, Listener(), ["+connector_audit", "+int_department_periods"])

    assert result.problems == []
    assert query(
        "select user_id, department from claude_staging.int_department_periods order by all"
    ) == [("u1", "Sales"), ("u2", "Legal")]
    assert query("select connector_name, approval from claude_marts.connector_audit") == [
        ("Büro Suche", "approved")
    ]


def test_every_name_that_sql_compares_has_the_key_that_python_gives_it(
    data_dir: DataDir, query: Query
) -> None:
    data_dir.create()
    names = [
        "Ada@x.org",
        "MU\u0308LLER@x.de",
        " a  b ",
        "ＡＢＣ",
        "Straße",
        "İ",
        "ΣΣ",
        "x\ty",
        "\u200bq",
    ]
    rows = pa.table({"name": names, "approval": ["banned"] * len(names)})
    pipeline = warehouse_pipeline(data_dir)
    store(pipeline, dlt.resource([rows], name="approved_skills"))

    for _ in range(2):
        store_name_keys(pipeline)

    assert query("select count(*) = count(distinct name) from claude_raw.name_keys") == [(True,)]
    compared = query(
        """
        select
            name,
            coalesce(
                (select max(name_key) from claude_raw.name_keys where name = skills.name),
                translate(trim(name), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
            )
        from claude_raw.approved_skills as skills
        """
    )
    assert {name: key for name, key in compared} == {name: name_key(name) for name in names}
