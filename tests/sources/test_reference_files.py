import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.settings import settings
from sources.errors import ForeseenError
from sources.reference_files import FILES, read, read_files, reference_files
from sources.reference_files.load import paths_of
from sources.reference_files.settings import ReferenceFileSettings
from sources.typed_files.keys import name_key

FILE = {file.table: file for file in FILES}
ORG_CHART, SEAT_PRICES = FILE["org_chart"], FILE["seat_prices"]
FIXED_SHARES, COST_CENTER_GROUPS = FILE["fixed_shares"], FILE["cost_center_groups"]
PEOPLE = "email,department,cost_center,manager_email,valid_from\n"
PRICES = "seat_tier,usd_per_month,valid_from\n"

Write = Callable[[str | bytes], Path]
Run = Callable[..., list[str]]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "input.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(**paths: str) -> list[str]:
        refusals: dict[str, str] = {}
        contents = read_files(paths, refusals)
        absent = [file.table for file in FILES if file.table not in contents]
        dlt.pipeline(
            "reference_files",
            pipelines_dir=str(tmp_path / "dlt"),
            destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")),
            dataset_name="claude_raw",
        ).run(reference_files(contents, absent))
        return list(refusals.values())

    return run


@pytest.fixture
def query(tmp_path: Path) -> Query:
    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
            return connection.execute(sql).fetchall()

    return query


def people(path: Path, *columns: str) -> list[tuple[Any, ...]]:
    rows = read(ORG_CHART, path).rows.to_pylist()
    return [tuple(row[column] for column in columns) for row in rows]


def refusal(file: Any, path: Path) -> str:
    with pytest.raises(ForeseenError) as refused:
        read(file, path)
    return str(refused.value)


def test_a_reference_file_replaces_its_table(write: Write, run: Run, query: Query) -> None:
    run(org_chart=str(write(PEOPLE + "ada@x.org,R&D,,,\nbob@x.org,Sales,,,\n")))

    run(org_chart=str(write(PEOPLE + "ada@x.org,R&D,00420,bob@x.org,2026-01-31\n")))

    assert query("select * from claude_raw.org_chart") == [
        ("ada@x.org", "R&D", "00420", "bob@x.org", date(2026, 1, 31), None, None)
    ]


def test_prices_arrive_as_exact_decimals(write: Write, run: Run, query: Query) -> None:
    run(seat_prices=str(write(PRICES + "default,60.10,\n")))

    prices = query("select usd_per_month, typeof(usd_per_month) from claude_raw.seat_prices")
    assert prices == [(Decimal("60.10"), "DECIMAL(38,8)")]


def test_without_a_file_its_table_is_there_and_empty(run: Run, query: Query) -> None:
    run()

    columns = """
        select string_agg(column_name || ' ' || data_type, ', ' order by ordinal_position)
        from information_schema.columns
        where table_name = '{}'
    """
    assert query("select count(*) from claude_raw.org_chart") == [(0,)]
    assert query("select count(*) from claude_raw.seat_prices") == [(0,)]
    assert query(columns.format("org_chart")) == [
        (
            (
                "email VARCHAR, department VARCHAR, cost_center VARCHAR, manager_email VARCHAR, "
                "valid_from DATE, seat_tier VARCHAR, end_date DATE"
            ),
        )
    ]
    assert query(columns.format("seat_prices")) == [
        ("seat_tier VARCHAR, usd_per_month DECIMAL(38,8), valid_from DATE",)
    ]


def test_decisions_are_one_of_three_words_in_any_case(write: Write, run: Run, query: Query) -> None:
    decisions = "name,approval,owner,reviewed_at\n"
    run(approved_connectors=str(write(decisions + "mcp-*,Banned,,2026-05-01\njira,approved,IT,\n")))

    assert query("select * from claude_raw.approved_connectors order by name") == [
        ("jira", "approved", "IT", None),
        ("mcp-*", "banned", None, date(2026, 5, 1)),
    ]
    assert "approved, banned or unreviewed" in refusal(
        FILE["approved_skills"], write(decisions + "pdf,perhaps,,\n")
    )


def test_a_review_without_an_email_is_one_of_everybody(
    write: Write, run: Run, query: Query
) -> None:
    run(access_reviews=str(write("email,reviewed_at\n,2026-04-01\nada@x.org,2026-05-01\n")))

    assert query("select * from claude_raw.access_reviews order by reviewed_at") == [
        (None, date(2026, 4, 1), None),
        ("ada@x.org", date(2026, 5, 1), None),
    ]


def test_an_exempt_seat_needs_only_an_email(write: Write, run: Run, query: Query) -> None:
    run(exempt_seats=str(write("email\nada@x.org\n")))

    assert query("select * from claude_raw.exempt_seats") == [("ada@x.org", None, None)]


def test_another_assistants_line_has_a_month_or_a_day_and_an_email_or_an_id(
    write: Write, run: Run, query: Query
) -> None:
    head = "vendor,month,activity_date,email,account_id,message_count\n"
    refusals = run(
        other_assistants=str(
            write(head + "ChatGPT,2026-05,2026-05-03,ada@x.org,,1\nGemini,2026-05,,,,2\n")
        )
    )

    [refusal] = refusals
    assert "line 2, column month: both are filled; every row needs this or activity_date" in refusal
    assert "line 3, column email: both are empty; every row needs this or account_id" in refusal

    run(
        other_assistants=str(
            write(head + "ChatGPT,2026-05,,ada@x.org,,1\nchatgpt,,2026-06-03,,h1,\n")
        )
    )
    rows = query(
        "select vendor, month, activity_date, email, account_id, message_count, cost_usd"
        " from claude_raw.other_assistants order by month nulls last"
    )
    assert rows == [
        ("chatgpt", date(2026, 5, 1), None, "ada@x.org", None, 1, None),
        ("chatgpt", None, date(2026, 6, 3), None, "h1", None, None),
    ]


def test_paths_come_from_the_settings(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(PEOPLE + "ada@x.org,R&D,,,\n")
    monkeypatch.setenv("SOURCES__REFERENCE_FILES__ORG_CHART", str(path))

    assert paths_of(settings(ReferenceFileSettings)) == {"org_chart": str(path)}


def test_a_file_that_is_refused_leaves_its_table_as_it_was(
    write: Write, run: Run, query: Query
) -> None:
    count = "select count(*) from claude_raw.org_chart"
    refusals = run(org_chart=str(write(PEOPLE + "ada@x.org,R&D,,,tomorrow\n")))
    assert "line 2, column valid_from" in refusals[0]
    assert query(count) == [(0,)]

    assert run(org_chart=str(write(PEOPLE + "ada@x.org,R&D,,,\n"))) == []
    refusals = run(org_chart=str(write(PEOPLE + "ada@x.org,,,,\nbob@x.org,HR,,,\n")))

    assert "line 2, column department" in refusals[0]
    assert query(count) == [(1,)]


def test_what_people_type_stays_text(write: Write) -> None:
    path = write(PEOPLE + "ada@x.org,007,00420,,\nbob@x.org,true,1E5,,\n")

    assert people(path, "department", "cost_center") == [("007", "00420"), ("true", "1E5")]


def test_cells_are_trimmed_and_blank_ones_are_null(write: Write) -> None:
    path = write(PEOPLE + ' Ada@X.org ,R&D\t, ,"  ",\u00a02026-01-31 \n')

    assert people(path, *ORG_CHART.columns) == [
        ("Ada@X.org", "R&D", None, None, date(2026, 1, 31), None, None)
    ]


@pytest.mark.parametrize(
    "content",
    [
        PEOPLE + "ada@x.org,R&D,1,bob@x.org,2026-01-31\n",
        PEOPLE + "ada@x.org,R&D,1,bob@x.org,2026-01-31",
        PEOPLE + "\n\nada@x.org,R&D,1,bob@x.org,2026-01-31\n\n,,,,\n",
        "\ufeff" + (PEOPLE + "ada@x.org,R&D,1,bob@x.org,2026-01-31\n").replace("\n", "\r\n"),
        (PEOPLE + "ada@x.org,R&D,1,bob@x.org,2026-01-31\n").replace("\n", "\r"),
        PEOPLE + "\r\nada@x.org,R&D,1,bob@x.org,2026-01-31\r\n\n",
        (PEOPLE + "ada@x.org,R&D,1,bob@x.org,2026-01-31\n").replace(",", ";"),
        (' Email ,DEPARTMENT,"Cost_Center",manager_email,valid_from\n'
        '"ada@x.org","R&D","1","bob@x.org","2026-01-31"\n'),
        ("valid_from,cost_center,manager_email,email,department\n"
        "2026-01-31,1,bob@x.org,ada@x.org,R&D\n"),
    ],
    ids=[
        "plain", "no last line end", "blank lines", "BOM and CRLF", "CR", "mixed line ends",
        "semicolons", "other spelling", "other order",
    ],
)  # fmt: skip
def test_csv_is_read_in_all_its_ways_of_writing(write: Write, content: str) -> None:
    assert people(write(content), *ORG_CHART.columns) == [
        ("ada@x.org", "R&D", "1", "bob@x.org", date(2026, 1, 31), None, None)
    ]


def test_quoted_cells_may_hold_line_ends_quotes_and_delimiters(write: Write) -> None:
    path = write(PEOPLE + 'ada@x.org,"R, ""&""\r\nD",,,\n')

    assert people(path, "department") == [('R, "&" D',)]


def test_rows_that_repeat_another_are_left_out(write: Write) -> None:
    path = write(
        PEOPLE
        + "ada@x.org,R&D,1,,\n"
        + "bob@x.org,Sales,1,,\n"
        + " ADA@x.org,R&D,1,,\n"
        + "ada@x.org,R&D,1,,2026-01-31\n"
    )

    assert people(path, "email", "valid_from") == [
        ("ada@x.org", None),
        ("bob@x.org", None),
        ("ada@x.org", date(2026, 1, 31)),
    ]


def test_prices_that_say_the_same_are_no_contradiction(write: Write) -> None:
    rows = read(SEAT_PRICES, write(PRICES + "default,60,\nDefault,60.00,\n")).rows

    assert rows.to_pylist() == [
        {"seat_tier": "default", "usd_per_month": Decimal(60), "valid_from": None}
    ]


def test_contradicting_rows_are_refused_with_both_lines(write: Write) -> None:
    people = write(PEOPLE + '\nada@x.org,"R\n&D",1,,\n\nbob@x.org,HR,,,\n ADA@x.org,Sales,1,,\n')
    assert (
        "line 7, column department: differs from the row of the same email and valid_from in line 3"
        in refusal(ORG_CHART, people)
    )

    prices = write(PRICES + "default,60,2026-01-01\nDEFAULT,61,2026-01-01\n")
    assert (
        "line 3, column usd_per_month: "
        "differs from the row of the same seat_tier and valid_from in line 2"
        in refusal(SEAT_PRICES, prices)
    )


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a@x,HR,,,2026-13-01", 'column valid_from: "2026-13-01" is not a date written as YYYY-'),
        ("a@x,HR,,,01/02/2026", 'column valid_from: "01/02/2026" is not a date'),
        ("a@x,HR,,,26-01-02", 'column valid_from: "26-01-02" is not a date'),
        ("a@x,HR,,,infinity", 'column valid_from: "infinity" is not a date'),
        (",HR,,,", "column email: empty"),
        ('" ",HR,,,', "column email: empty"),
        ("a@x,,1,,", "column department: empty"),
        ("a@x,HR", "column cost_center: it has 2 of 5 cells"),
        ("a@x,HR,1,,,2026-01-01", "column 6: it has 6 of 5 cells; a cell that contains ','"),
        ('a@x,"HR,1,,', "column department: its quotes do not close"),
        ('a@x,"H"R,1,,', "column department: its quotes do not close"),
        (b"a@x,Caf\xe9,,,", "column department: the text is not UTF-8"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(write: Write, row: str | bytes, problem: str) -> None:
    row = row.encode() if isinstance(row, str) else row
    path = write(PEOPLE.encode() + b'\n"ok@x\n",HR,,,\r\n\r\n' + row + b"\n")

    message = refusal(ORG_CHART, path)

    assert f"The reference file {path} cannot be used as org_chart:\n  line 6, {problem}" in message
    assert "Correct the file, then run the command again." in message


@pytest.mark.parametrize(
    ("price", "problem"),
    [
        ("-0.01", "-0.01 is less than 0"),
        ("", "empty"),
        ('"60,00"', '"60,00" is not an amount of US dollars written as 60.00'),
        ("$60", '"$60" is not an amount'),
        ("nan", '"nan" is not an amount'),
    ],
)
def test_a_price_that_is_none_is_named(write: Write, price: str, problem: str) -> None:
    message = refusal(SEAT_PRICES, write(f"{PRICES}default,{price},\n"))

    assert f"line 2, column usd_per_month: {problem}" in message


def test_ten_problems_are_listed_in_the_order_of_the_file(write: Write) -> None:
    path = write(PEOPLE + "a@x\n" + "".join(f"b{n}@x,HR,,,soon\n" for n in range(20)))

    problems = [line for line in refusal(ORG_CHART, path).splitlines() if line.startswith("  ")]

    assert problems[0].startswith("  line 2, column department: it has 1 of 5 cells")
    assert [line.split(",")[0] for line in problems[:-1]] == [f"  line {n}" for n in range(2, 12)]
    assert problems[-1] == "  and 11 more"


def test_lines_are_right_in_a_file_of_more_than_32_megabytes(write: Write) -> None:
    row = f'p%s@x,"{"x" * 100_000}\n",,,\n'
    path = write(PEOPLE + "".join(row % number for number in range(400)) + "last@x,,,,\n")

    assert "line 802, column department: empty" in refusal(ORG_CHART, path)


def test_no_address_is_shown_in_a_message(write: Write) -> None:
    shifted = refusal(ORG_CHART, write(PEOPLE + "HR,1,,bob@x.org,ada@x.org\n"))
    no_header = refusal(ORG_CHART, write("ada@x.org,HR,1,bob@x.org,2026-01-31\n"))

    assert "@" not in shifted
    assert "column valid_from: the cell is not a date" in shifted
    assert "@" not in no_header
    assert "line 1: it names none of the columns email, department" in no_header


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "line 1: the file is empty"),
        ("\ufeff \r\n", "line 1: the file is empty"),
        ("Email,Dept\n", "line 1, column department: missing; there are email, dept"),
        ("email,Email," + PEOPLE, "line 1, column email: there are 3 of it"),
        ("Übermut,".encode("latin-1") + PEOPLE.encode(), "line 1: the text is not UTF-8"),
    ],
)
def test_a_file_without_its_columns_is_refused(
    write: Write, content: str | bytes, problem: str
) -> None:
    message = refusal(ORG_CHART, write(content))

    assert problem in message
    assert "Its first line names its columns: email, department, cost_center, manager" in message


def test_a_file_that_is_not_there_is_explained(tmp_path: Path) -> None:
    missing = refusal(ORG_CHART, tmp_path / "missing.csv")
    folder = refusal(ORG_CHART, tmp_path)

    assert f"{tmp_path / 'missing.csv'} cannot be read: No such file" in missing
    assert f"{tmp_path} cannot be read: Is a directory" in folder
    assert "[sources.reference_files] org_chart" in missing
    assert "Correct the setting, or remove it" in missing


def test_columns_that_are_not_used_are_named(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    path = write("Office,email,department,cost_center,manager_email,valid_from\nRome,a@x,HR,,,\n")

    contents = read(ORG_CHART, path)
    reference_files({"org_chart": contents})

    warning = f"{path}: org_chart does not use these columns: 'office'."
    assert contents.warnings == (warning,)
    assert contents.rows.column_names == list(ORG_CHART.columns)
    assert warning in caplog.text


def test_a_file_without_rows_is_mentioned(write: Write) -> None:
    assert read(ORG_CHART, write(PEOPLE)).warnings[0].endswith("no rows below the first line.")


SHARES = "cost_pool,department,cost_center,percentage\n"


def test_fixed_shares_have_to_add_up_to_100_in_each_pool(write: Write) -> None:
    shares = "shared,Sales,1,33.33\nshared,Legal,,66.67\nseats,Sales,1,99.9\nseats,Sales,1,99.9\n"

    with pytest.raises(ForeseenError) as refused:
        read(FIXED_SHARES, write(SHARES + shares))

    assert (
        "line 4, column percentage: those of seats add up to 99.9; "
        "they have to add up to 100" in str(refused.value)
    )
    assert "those of shared" not in str(refused.value)


def test_fixed_shares_are_of_a_pool_that_exists(write: Write) -> None:
    with pytest.raises(ForeseenError, match='"Share" is not one of metered, seats or shared'):
        read(FIXED_SHARES, write(SHARES + "Share,Sales,1,100\n"))


def test_fixed_shares_keep_every_digit(write: Write) -> None:
    file = write(SHARES + "shared,Sales,00420,33.33333333\nshared,Legal,,66.66666667\n")

    rows = read(FIXED_SHARES, file).rows.to_pylist()

    assert [(row["cost_center"], row["percentage"]) for row in rows] == [
        ("00420", Decimal("33.33333333")),
        (None, Decimal("66.66666667")),
    ]


def test_the_priority_of_a_group_is_a_whole_number(write: Write) -> None:
    head = "rbac_group,cost_center,department,priority\n"

    with pytest.raises(ForeseenError, match='"first" is not a whole number'):
        read(COST_CENTER_GROUPS, write(head + "Sellers,1,Sales,first\n"))

    rows = read(COST_CENTER_GROUPS, write(head + "Sellers,1,Sales,-5\n")).rows.to_pylist()
    assert [row["priority"] for row in rows] == [-5]


def test_a_department_has_one_spelling_in_all_files_its_newest(
    tmp_path: Path, run: Run, query: Query
) -> None:
    files = {
        "org_chart": PEOPLE
        + "ada@x.org,R&D  Lab,cc-1,,2026-01-01\n"
        + "bob@x.org,R&D\u00a0lab,CC-1,,2026-03-01\n",
        "fixed_shares": SHARES + "shared,r&d lab,Cc-1,100\n",
        "cost_center_groups": "rbac_group,cost_center,department,priority\nG,cc-1,R&D LAB,1\n",
        "seat_prices": PRICES + "PREMIUM,60,\nDEFAULT,30,\n",
    }
    for table, content in files.items():
        (tmp_path / f"{table}.csv").write_text(content)

    assert run(**{table: str(tmp_path / f"{table}.csv") for table in files}) == []

    for table in ("org_chart", "fixed_shares", "cost_center_groups"):
        names = query(f"select distinct department, cost_center from claude_raw.{table}")
        assert names == [("R&D lab", "CC-1")], table
    assert query("select seat_tier from claude_raw.seat_prices order by all") == [
        ("PREMIUM",),
        ("default",),
    ]


@given(st.text(max_size=12))
def test_a_key_is_its_own_key_and_knows_no_case_blanks_or_forms(text: str) -> None:
    key = name_key(text)

    assert name_key(key) == key
    assert key == name_key(f"\u00a0\u200b{text}\u3000") == name_key(text.casefold())
    assert key == name_key(unicodedata.normalize("NFD", text))
    assert key == name_key(unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize(
    "spelling",
    ["R&D Lab", " r&d lab", "R&D\u00a0LAB ", "R＆D  Lab", "R&D\tLab", "R\u200b&D \u2060Lab\ufeff"],
)
def test_spellings_of_one_name_have_one_key(spelling: str) -> None:
    assert name_key(spelling) == "r&d lab"


def test_letters_beyond_ascii_are_folded_whatever_the_locale() -> None:
    assert name_key("STRASSE") == name_key("Straße")
    assert name_key("MÜLLER@X.DE") == name_key("mu\u0308ller@x.de")
    assert name_key("ΣΟΦΟΣ") == name_key("σοφος")
