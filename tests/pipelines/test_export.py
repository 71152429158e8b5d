"""What `claude-warehouse export` writes, read with other programs than ours."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from pipelines.cli.app import run as run_command
from pipelines.data_dir import DataDir
from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from pipelines.warehouse.duckdb.publish import publish
from tests.transforms.raw_tables import RawWarehouse, marts

Export = Callable[..., Path]

# FOCUS 1.4, dataset Cost and Usage: the columns that are mandatory, then those that apply here;
# each with its type and whether it may be null.
TEXT, MONEY, MOMENT, JSON = "string", "decimal", "timestamp", "json"
FOCUS_COLUMNS = {
    "BilledCost": (MONEY, False), "BillingAccountId": (TEXT, False),
    "BillingAccountName": (TEXT, True), "BillingCurrency": (TEXT, False),
    "BillingPeriodEnd": (MOMENT, False), "BillingPeriodStart": (MOMENT, False),
    "ChargeCategory": (TEXT, False), "ChargeClass": (TEXT, True),
    "ChargeDescription": (TEXT, True), "ChargePeriodEnd": (MOMENT, False),
    "ChargePeriodStart": (MOMENT, False), "ContractedCost": (MONEY, False),
    "ContractedUnitPrice": (MONEY, True), "EffectiveCost": (MONEY, False),
    "HostProviderName": (TEXT, False), "InvoiceIssuerName": (TEXT, False),
    "ListCost": (MONEY, False), "ListUnitPrice": (MONEY, True),
    "PricingQuantity": (MONEY, True), "PricingUnit": (TEXT, True),
    "ServiceCategory": (TEXT, False), "ServiceName": (TEXT, False),
    "ServiceProviderName": (TEXT, False),
    "BillingAccountType": (TEXT, True), "ChargeFrequency": (TEXT, False),
    "ConsumedQuantity": (MONEY, True), "ConsumedUnit": (TEXT, True), "InvoiceId": (TEXT, True),
    "PricingCategory": (TEXT, True), "PricingCurrency": (TEXT, True),
    "PricingCurrencyContractedUnitPrice": (MONEY, True),
    "PricingCurrencyEffectiveCost": (MONEY, True), "PricingCurrencyListUnitPrice": (MONEY, True),
    "RegionId": (TEXT, True), "RegionName": (TEXT, True), "ResourceId": (TEXT, True),
    "ResourceName": (TEXT, True), "ResourceType": (TEXT, True),
    "ServiceSubcategory": (TEXT, False), "SkuId": (TEXT, True), "SkuMeter": (TEXT, True),
    "SkuPriceDetails": (JSON, True), "SkuPriceId": (TEXT, True), "SubAccountId": (TEXT, True),
    "SubAccountName": (TEXT, True), "SubAccountType": (TEXT, True), "Tags": (JSON, True),
}  # fmt: skip
ALLOWED: dict[str, set[str | None]] = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {None, "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {None, "Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {"AI and Machine Learning"},
    "ServiceSubcategory": {"Generative AI"},
}


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
    raw.insert("seat_prices", seat_tier="default", usd_per_month="62", valid_from=None)
    raw.insert(
        "org_chart", email="ana@example.com", department='=HYPERLINK("//x","y")',
        cost_center="00420", valid_from=None,
    )  # fmt: skip
    raw.close()
    assert not transform(target(data.warehouse, data.root), select=marts("money")).failed_tests
    publish(data.warehouse, data.served)
    return data


@pytest.fixture
def export(data: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    def run(words: str, ends: int = 0) -> Path:
        file = tmp_path / words.replace(" ", "_")
        monkeypatch.setattr(
            "sys.argv",
            ["claude-warehouse", "export", *words.split(), "--out", str(file),
             "--data-dir", str(data.root)],
        )  # fmt: skip
        with pytest.raises(SystemExit) as ended:
            run_command()
        assert (ended.value.code or 0) == ends
        return file

    return run


def test_focus_has_the_columns_types_and_nulls_of_the_specification(export: Export) -> None:
    table = pq.read_table(export("focus --month 2026-05"))

    assert set(table.column_names) == set(FOCUS_COLUMNS)
    for name, (kind, may_be_null) in FOCUS_COLUMNS.items():
        column = table[name]
        assert str(column.type).startswith("string" if kind == JSON else kind), name
        assert may_be_null or column.null_count == 0, name
        if name in ALLOWED:
            assert set(column.to_pylist()) <= ALLOWED[name], name
        if kind == JSON:
            assert all(json.loads(text) for text in column.to_pylist() if text), name


def test_focus_rows_keep_the_rules_between_columns(export: Export) -> None:
    rows = pq.read_table(export("focus --month 2026-05")).to_pylist()

    assert len(rows) == 2 * 3 + 1 + 1
    for row in rows:
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        is_priced = row["ChargeCategory"] in ("Usage", "Purchase")
        for name in ("SkuId", "SkuPriceId", "PricingQuantity", "PricingUnit", "ListUnitPrice"):
            assert (row[name] is not None) == is_priced, name
        assert (row["ConsumedQuantity"] is not None) == (row["ChargeCategory"] == "Usage")
        assert (row["ConsumedUnit"] is None) == (row["ConsumedQuantity"] is None)
        assert (row["ResourceType"] is None) == (row["ResourceId"] is None)
        assert (row["SubAccountType"] is None) == (row["SubAccountId"] is None)
        if is_priced:
            assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"]
            assert row["ContractedUnitPrice"] * row["PricingQuantity"] == row["ContractedCost"]
            assert row["ListUnitPrice"] >= 0 <= row["ContractedUnitPrice"]
            assert (row["PricingQuantity"] < 0) == (row["BilledCost"] < 0)


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
    [rest] = [row for row in rows if row["ChargeCategory"] == "Adjustment"]
    assert (rest["BilledCost"], rest["ChargeFrequency"]) == (Decimal("0.03"), "One-Time")
    for cost, amount in {"BilledCost": "amount_usd", "ListCost": "list_price_usd"}.items():
        assert sum(row[cost] for row in rows) == sum(Decimal(line[amount]) for line in lines)


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
    head, first, *_ = [{cell.value: cell for cell in row} and row for row in sheet.iter_rows()]
    cells = dict(zip([cell.value for cell in head], first, strict=True))

    assert (cells["department"].data_type, cells["department"].value) == (
        "s", '=HYPERLINK("//x","y")',
    )  # fmt: skip
    assert (cells["cost_center"].data_type, cells["cost_center"].value) == ("s", "00420")
    assert (cells["amount_usd"].data_type, cells["amount_usd"].value) == ("n", 3.00000002)
    assert cells["month"].value == datetime(2026, 5, 1)


def test_a_month_that_is_not_there_is_refused_and_leaves_no_file(
    export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    file = export("focus --month 2026-04", ends=1)

    assert "There is no focus of 2026-04" in capsys.readouterr().err
    assert not file.exists()
