"""What `claude-warehouse export` writes, read with other programs than ours."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow.parquet as pq
import pytest

from pipelines.data_dir import DataDir
from pipelines.files import export as file_export
from pipelines.files import rows as file_rows
from pipelines.files.export import WRITERS
from pipelines.files.rows import Rows
from pipelines.focus.columns import VERSIONS
from pipelines.focus.judge import judge
from pipelines.warehouse.base import Reading
from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from pipelines.warehouse.duckdb.file import Connection
from pipelines.warehouse.duckdb.publish import publish
from tests.commands import command
from tests.focus.official import Counts, is_installed, validated
from tests.transforms.raw_tables import RawWarehouse, marts

Export = Callable[..., Path]


def cost(user_id: str | None, cents: str, **group: Any) -> dict[str, Any]:
    actor = {"group__actor__type": user_id and "user_actor", "group__actor__user_id": user_id}
    return {
        **actor,
        "group__actor__email_address": user_id and f"{user_id}@example.com",
        "group__product": "chat", "group__model": "opus", "group__cost_type": "tokens",
        "cost__amount": cents, "cost__list_amount": "300", "cost__currency": "USD", **group,
    }  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """May 2026: spend on two days, one of it a credit, and seats of a department named to harm."""
    data = DataDir(tmp_path_factory.mktemp("export"))
    raw = RawWarehouse(data.warehouse)
    rows = [
        cost("ana", "200.000001"),
        cost("ana", "-50", group__cost_type="web_search", cost__list_amount="0"),
        cost(None, "7", group__product=None, group__model=None, group__cost_type=None),
    ]
    for day in ("2026-05-01", "2026-05-31"):
        raw.fetch("costs", day, rows)
        # On the last day 3 cents more than the rows.
        cents = "160.000001" if day == "2026-05-31" else "157.000001"
        raw.fetch("cost_totals", day, [cost(None, cents, cost__list_amount="600")])
    # More is paid back than is spent.
    raw.fetch("costs", "2026-06-01", [cost("ana", "5"), cost("bob", "-90000")])
    used = {"usage__output_tokens": 5, "usage__uncached_input_tokens": 6,
            "usage__cache_read_input_tokens": 7,
            "usage__cache_creation__ephemeral_5m_input_tokens": 8,
            "usage__cache_creation__ephemeral_1h_input_tokens": 0}  # fmt: skip
    raw.fetch("usage", "2026-05-01", [
        {name: value for name, value in rows[0].items() if name.startswith("group__")
         and name != "group__cost_type"} | used,
    ])  # fmt: skip
    raw.fetch("summaries", "2026-05-31", [{"assigned_seat_count": 2}])
    raw.fetch("users", "2026-05-31", [{"user__id": "ana", "chat_metrics__message_count": 1}])
    raw.insert("key_owners", owner_number=1, source="claude_analytics", organization_id="org-1")
    raw.insert("seat_prices", seat_tier="default", usd_per_month="62", valid_from=None)
    raw.insert(
        "org_chart", email="ana@example.com", department='=HYPERLINK("//x","y")',
        cost_center="00420", valid_from=None,
    )  # fmt: skip
    raw.close()
    assert not transform(
        target(data.warehouse, data.root), select=marts("money", "operations")
    ).failed_tests
    publish(data.warehouse, data.served)
    return data


@pytest.fixture
def export(data: DataDir, tmp_path: Path) -> Export:
    def run(words: str, ends: int = 0) -> Path:
        file = tmp_path / words.replace(" ", "_")
        to = ["--out", str(file), "--data-dir", str(data.root)]
        assert command(["export", *words.split(), *to]).exit_code == ends
        return file

    return run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_focus_has_all_columns_of_the_version_and_breaks_no_rule(
    export: Export, version: str, form: str
) -> None:
    file = export(f"focus --month 2026-05 --focus-version {version} --format {form}")
    verdict = judge(file)

    assert [(each.rule.name, each.example) for each in verdict.broken] == []
    assert (verdict.version, verdict.why) == (version, "as focus-metadata.json says")
    assert verdict.absent == []


@pytest.mark.long
@pytest.mark.skipif(not is_installed(), reason="make focus-validator installs it")
def test_the_official_validator_counts_the_same_of_a_month_as_was_recorded(export: Export) -> None:
    """Before, of the same month: 123 passed, 14 failed, 441 skipped (docs/money.md)."""
    file = export("focus --month 2026-05 --focus-version 1.2 --format csv")

    found = validated(file.rename(file.with_suffix(".csv")), "1.2")

    assert found == Counts(135, 2, 441, ("EffectiveCost-C-005-C", "InvoiceId-C-005-C"))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_credit_larger_than_the_bill_breaks_no_rule_and_stays_use(
    export: Export, version: str
) -> None:
    file = export(f"focus --month 2026-06 --focus-version {version}")
    rows = pq.read_table(file).to_pylist()

    assert [(each.rule.name, each.example) for each in judge(file).broken] == []
    used = [row for row in rows if row["ChargeCategory"] == "Usage"]
    assert sum(row["BilledCost"] for row in used) == Decimal("-899.95")
    assert {row["ChargeCategory"] for row in rows} <= {"Usage", "Purchase"}


def test_focus_adds_up_to_the_bill_and_the_seats(export: Export) -> None:
    rows = pq.read_table(export("focus --month 2026-05")).to_pylist()
    with export("chargeback --month 2026-05").open(newline="") as file:
        lines = list(csv.DictReader(file))

    usage = sum(row["BilledCost"] for row in rows if row["ChargeFrequency"] == "Usage-Based")
    [tokens] = [row for row in rows if row["ConsumedUnit"] == "Tokens"]
    [seats] = [row for row in rows if row["ChargeCategory"] == "Purchase"]
    assert usage == 2 * Decimal("1.57000001")
    assert (tokens["ConsumedQuantity"], tokens["SubAccountName"]) == (26, '=HYPERLINK("//x","y")')
    assert (seats["BilledCost"], seats["ChargeFrequency"]) == (Decimal(124), "Recurring")
    assert (seats["PricingQuantity"], seats["PricingUnit"]) == (2, "Seat-Months")
    assert (seats["ListUnitPrice"], seats["x_IsEstimated"]) == (62, True)
    [rest] = [row for row in rows if row["ChargeCategory"] == "Adjustment"]
    assert (rest["BilledCost"], rest["ChargeFrequency"]) == (Decimal("0.03"), "One-Time")
    for cost, amount in {"BilledCost": "amount_usd", "ListCost": "list_price_usd"}.items():
        assert sum(row[cost] for row in rows) == sum(Decimal(line[amount]) for line in lines)


def test_moments_in_parquet_say_that_they_are_in_utc(export: Export) -> None:
    schema = pq.read_schema(export("focus --month 2026-05"))

    moments = [field for field in schema if str(field.type).startswith("timestamp")]
    assert {str(field.type) for field in moments} == {"timestamp[us, tz=UTC]"}
    assert len(moments) == 4


def test_only_the_columns_that_are_asked_for_are_written(
    export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pq.read_table(export("focus --month 2026-05 --columns x_Model,BilledCost"))
    export("focus --month 2026-05 --columns BilledCost,Amount", ends=1)
    export("focus --month 2026-05 --columns x_Amount", ends=1)

    assert table.column_names == ["x_Model", "BilledCost"]
    told = capsys.readouterr().err
    assert "FOCUS 1.4 has no column Amount." in told
    assert "There is no column x_Amount in focus_cost_and_usage." in told


def test_metadata_stands_beside_the_files_and_says_how_whole_they_are(export: Export) -> None:
    first = export("focus --month 2026-05 --format csv")
    second = export("focus --month 2026-05 --focus-version 1.2")
    third = export("focus-periods")

    known = json.loads((first.parent / "focus-metadata.json").read_text())
    files = {each["File"]: each for each in known["Files"]}
    csv_file, older, periods = [files[file.name] for file in (first, second, third)]
    assert known["DataGenerator"].startswith("claude-warehouse ")
    assert (csv_file["File"], csv_file["FocusVersion"]) == (first.name, "1.4")
    assert (older["FocusVersion"], periods["Dataset"]) == ("1.2", "BillingPeriod")
    assert (csv_file["RowCount"], csv_file["PricedByAmount"]) == (8, 6)
    assert [day["Date"] for day in csv_file["Days"] if day["Status"] == "loaded"] == [
        "2026-05-01", "2026-05-31",
    ]  # fmt: skip
    assert not csv_file["IsComplete"]
    assert "2026-05 is not whole: cost of 29 of its 31 days is not loaded" in csv_file["Notes"][0]
    schema = {column["ColumnName"]: column for column in csv_file["Schema"]}
    assert schema["BilledCost"] == {
        "ColumnName": "BilledCost", "DataType": "Decimal", "NumericPrecision": 38, "NumberScale": 8,
    }  # fmt: skip
    assert schema["BillingPeriodEnd"]["DataType"] == "Date/Time"


def test_metadata_of_another_program_is_not_replaced(
    export: Export, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "focus-metadata.json"
    other.write_text('{"DataGenerator": "another"}')

    export("focus --month 2026-05", ends=1)

    assert "it is not metadata of focus" in capsys.readouterr().err
    assert other.read_text() == '{"DataGenerator": "another"}'


def test_every_month_is_a_billing_period(export: Export) -> None:
    row, _ = pq.read_table(export("focus-periods")).to_pylist()

    assert row["BillingPeriodStart"] == datetime(2026, 5, 1, tzinfo=UTC)
    assert row["BillingPeriodEnd"] == datetime(2026, 6, 1, tzinfo=UTC)
    assert (row["BillingPeriodStatus"], row["InvoiceIssuerName"]) == ("Open", "Anthropic")


def test_verify_focus_names_what_a_file_breaks_and_ends_with_1(
    export: Export, tmp_path: Path
) -> None:
    good = export("focus --month 2026-05 --format csv")
    bad = tmp_path / "bad.csv"
    bad.write_text(good.read_text().replace(",Usage,", ",Rebate,"))

    def run(*words: str) -> tuple[int, str]:
        ended = command(["verify-focus", *words])
        return ended.exit_code, ended.text

    assert run(str(good))[0] == 0
    code, told = run(str(bad), "--version", "1.4")
    assert code == 1
    assert "MUST   ChargeCategory is one of Usage, Purchase, Tax, Credit, Adjustment" in told
    assert "broken by 6 rows; for example: ChargeCategory is 'Rebate'" in told
    assert run(str(bad), "--version", "2.0")[0] == 2
    assert run(str(tmp_path / "none.csv"))[0] == 1


def test_charges_of_nobody_knows_whom_are_refused(
    data: DataDir, export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    with duckdb.connect(str(data.served)) as served:
        served.execute("create table kept as from claude_marts.focus_cost_and_usage")
        served.execute("update claude_marts.focus_cost_and_usage set BillingAccountId = null")

    file = export("focus --month 2026-05", ends=1)

    with duckdb.connect(str(data.served)) as served:
        served.execute("delete from claude_marts.focus_cost_and_usage")
        served.execute("insert into claude_marts.focus_cost_and_usage from kept")
        served.execute("drop table kept")
    assert "whose bill they are is not known" in capsys.readouterr().err
    assert not file.exists()


def test_a_cost_that_is_unknown_is_told_where_charges_are_written(
    data: DataDir, export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    bill = "claude_marts.chargeback_reconciliation_monthly"
    with duckdb.connect(str(data.served)) as served:
        served.execute(f"create table kept as from {bill}")
        served.execute(
            f"update {bill} set billed_usd = null, note = 'No price is in force'"
            " where cost_pool = 'seats' and month = '2026-05-01'"
        )

    file = export("focus --month 2026-05")

    with duckdb.connect(str(data.served)) as served:
        served.execute(f"delete from {bill}")
        served.execute(f"insert into {bill} from kept")
        served.execute("drop table kept")
    told = "The cost of seats is not known and not in the file: No price is in force."
    [written] = json.loads((file.parent / "focus-metadata.json").read_text())["Files"]
    assert told in " ".join(capsys.readouterr().out.split())
    assert told in written["Notes"]


def test_focus_as_csv_writes_moments_in_utc_and_decimals_in_full(export: Export) -> None:
    with export("focus --month 2026-05 --format csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    first = rows[0]
    assert first["BillingPeriodEnd"] == "2026-06-01T00:00:00Z"
    assert datetime.fromisoformat(first["ChargePeriodStart"]) == datetime(2026, 5, 1, tzinfo=UTC)
    assert "2.00000001" in {row["BilledCost"] for row in rows}
    assert "-0.50000000" in {row["BilledCost"] for row in rows}
    assert '\'=HYPERLINK("//x","y")' in {row["SubAccountName"] for row in rows}


def test_a_statement_is_a_line_per_department_and_pool(export: Export) -> None:
    with export("chargeback --month 2026-05").open(newline="") as file:
        rows = list(csv.DictReader(file))

    # The apostrophe keeps a spreadsheet from running it.
    harm = '\'=HYPERLINK("//x","y")'
    assert [(row["department"], row["cost_pool"], row["amount_usd"]) for row in rows] == [
        (harm, "metered", "3.00000002"),
        (harm, "seats", "62.00000000"),
        (harm, "shared", "0.14000000"),
        ("Unattributed", "seats", "62.00000000"),
        ("Unattributed", "unexplained", "0.03000000"),
    ]
    assert rows[0]["cost_center"] == "00420"


def test_in_excel_text_stays_text_and_amounts_are_numbers(export: Export) -> None:
    file = export("chargeback --month 2026-05 --format xlsx")
    with file.open("rb") as opened:
        sheet = openpyxl.load_workbook(opened).active
    rows = [*sheet.iter_rows()]
    place = next(number for number, row in enumerate(rows) if row[0].value == "Department")
    cells = dict(zip([cell.value for cell in rows[place]], rows[place + 1], strict=True))

    assert (cells["Department"].data_type, cells["Department"].value) == (
        "s", '=HYPERLINK("//x","y")',
    )  # fmt: skip
    assert (cells["Cost center"].data_type, cells["Cost center"].value) == ("s", "00420")
    assert (cells["Amount (USD)"].data_type, cells["Amount (USD)"].value) == ("n", 3.00000002)


def test_a_statement_says_whose_it_is_what_it_adds_up_to_and_what_is_not_final(
    export: Export, tmp_path: Path
) -> None:
    file = export("chargeback --month 2026-05 --format xlsx --by-department")
    with file.open("rb") as opened:
        book = openpyxl.load_workbook(opened)
    texts = {
        name: [[cell.value for cell in row] for row in book[name].iter_rows()]
        for name in book.sheetnames
    }
    facts = {row[0]: row[1] for row in texts["Statement"] if row[0] in ("Month", "State")}
    totals = [row[3] for row in texts["Statement"] if row[0] == "Total"]
    amounts = [row[3] for row in texts["Statement"] if row[-1] in ("yes", "not yet")]
    departments = {row[0] for row in texts["Statement"] if row[-1] in ("yes", "not yet")}

    assert facts["Month"] == "May 2026" and facts["State"].startswith("open")
    assert len(totals) == 2 and totals[0] == totals[1] == pytest.approx(sum(amounts))
    assert any("US dollars after discount" in str(row[0]) for row in texts["Statement"])
    assert len(book.sheetnames) == 1 + len(departments)
    parts = [row[3] for name in book.sheetnames[1:] for row in texts[name] if row[0] == "Total"]
    assert sum(parts) == pytest.approx(2 * totals[0])


def test_a_month_that_is_not_there_is_refused_and_leaves_no_file(
    export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    file = export("focus --month 2026-04", ends=1)

    assert "There is no focus of 2026-04" in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize("form", ["parquet", "csv", "xlsx"])
@pytest.mark.parametrize(("first", "few"), [(1, 0), (2, 100), (1_000, 0), (1_000, 100)])
def test_rows_that_are_alike_in_a_column_or_are_none_are_written_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, first: int, few: int
) -> None:
    """What is the same everywhere is asked for once; text is quoted where it has to be. Nothing of
    it depends on how many of the rows are looked at first."""
    monkeypatch.setattr(file_rows, "ROWS_FIRST", first)
    monkeypatch.setattr(file_rows, "FEW", few)
    texts = ["plain", 'a "b", c', "", None, "=1+1", "two\nlines", "#"]
    rows = [(number, text) for number, text in enumerate(texts, start=1)]
    with duckdb.connect() as connection:
        connection.execute("create table charges (n integer, text varchar)")
        connection.executemany("insert into charges values (?, ?)", rows)
        connection.execute("set TimeZone = 'UTC'")
        values = {
            "x_Text": "text", "x_Same": "'=2,3'", "x_Null": "cast(null as varchar)",
            "x_Cost": "cast(n as decimal(38, 8))", "x_Again": "cast(n as decimal(38, 8))",
            "x_At": "timestamp '2026-05-01'", "x_Is": "n > 3",
            "x_Late": "case when n > 5 then 'late' end",
            "x_Price": "cast(case when n < 6 then 2 end as decimal(38, 12))",
        }  # fmt: skip
        for name, where in (("some", "true"), ("one", "n = 2"), ("none", "false")):
            asked = Rows(
                Reading(Connection(connection)), values, f"from charges where {where}",
                order=["n"], alike={"x_Again": "x_Cost"},
            )  # fmt: skip
            WRITERS[form](asked, tmp_path / f"{name}.{form}")

    def read(name: str) -> list[tuple[Any, ...]]:
        file = tmp_path / f"{name}.{form}"
        if form == "parquet":
            return [tuple(row.values()) for row in pq.read_table(file).to_pylist()]
        if form == "csv":
            with file.open(newline="") as opened:
                return [tuple(row) for row in csv.reader(opened)][1:]
        with file.open("rb") as opened:
            sheet = openpyxl.load_workbook(opened).active
            return list(sheet.iter_rows(min_row=2, values_only=True))

    moment = datetime(2026, 5, 1, tzinfo=UTC)
    wanted: list[tuple[Any, ...]]
    if form == "parquet":
        wanted = [
            (text, "=2,3", None, Decimal(n), Decimal(n), moment, n > 3,
             "late" if n > 5 else None, Decimal(2) if n < 6 else None)
            for n, text in rows
        ]  # fmt: skip
    elif form == "csv":
        wanted = [
            ("'=1+1" if text == "=1+1" else text or "", "'=2,3", "", f"{n}.00000000",
             f"{n}.00000000", "2026-05-01T00:00:00Z", str(n > 3).lower(),
             "late" if n > 5 else "", "2.000000000000" if n < 6 else "")
            for n, text in rows
        ]  # fmt: skip
        assert '\n"",' in (tmp_path / "some.csv").read_text()  # Empty, and not null.
    else:
        wanted = [
            (text, "=2,3", None, n, n, moment.replace(tzinfo=None), n > 3,
             "late" if n > 5 else None, 2 if n < 6 else None)
            for n, text in rows
        ]  # fmt: skip
    assert read("some") == wanted
    assert read("one") == wanted[1:2]
    assert read("none") == []
    assert {file.stem for file in tmp_path.iterdir()} == {"some", "one", "none"}


@pytest.mark.parametrize("most_ways", [0, 5, 1_000])
def test_columns_side_by_side_are_written_cell_by_cell_or_together_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_ways: int
) -> None:
    monkeypatch.setattr(file_export, "MOST_WAYS", most_ways)
    lines = list(product(["a", None, "b"], ["1,5", "", "2"], ["x", "y", None]))
    with duckdb.connect() as connection:
        connection.execute("create table charges (n integer, one text, two text, three text)")
        connection.executemany(
            "insert into charges values (?, ?, ?, ?)", [(n, *line) for n, line in enumerate(lines)]
        )
        asked = Rows(
            Reading(Connection(connection)),
            {"x_One": "one", "x_Two": "two", "x_Same": "'s'", "x_Three": "three"},
            "from charges",
            order=["n"],
        )
        WRITERS["csv"](asked, tmp_path / "some.csv")

    with (tmp_path / "some.csv").open(newline="") as opened:
        found = list(csv.reader(opened))[1:]
    assert found == [[one or "", two or "", "s", three or ""] for one, two, three in lines]
