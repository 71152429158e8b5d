"""Two months that are closed, change, are corrected, and opened again: one story, told once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.closing.closed_months import closed_months
from pipelines.data_dir import DataDir
from pipelines.focus.columns import VERSIONS
from pipelines.raw_tables import warehouse_pipeline
from sources.ledger import store
from sources.sandbox import Sandbox
from tests.commands import command
from tests.conftest import Command, Load, Query

Lines = list[tuple[Any, ...]]


@dataclass
class Told:
    """What the commands of the story printed, and what readers saw after some of them."""

    ended: dict[str, tuple[int, str]] = field(default_factory=dict)
    lines: dict[str, Lines] = field(default_factory=dict)
    bills: dict[str, Lines] = field(default_factory=dict)
    charges: dict[str, Lines] = field(default_factory=dict)
    sums: dict[str, Lines] = field(default_factory=dict)
    invoices: dict[str, Lines] = field(default_factory=dict)
    judged: Lines = field(default_factory=list)
    raw: Lines = field(default_factory=list)


def spent(user_id: str | None, cents: str, cost_type: str = "tokens") -> Mapping[str, Any]:
    actor = user_id and {
        "type": "user_actor", "user_id": user_id, "email_address": f"{user_id}@example.com",
        "name": None, "deleted": False,
    }  # fmt: skip
    return {
        "group": {"actor": actor, "product": "chat", "model": "opus", "cost_type": cost_type},
        "cost": {"amount": cents, "list_amount": cents, "currency": "USD"},
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("close")
    data = DataDir(folder / "data")
    told = Told()
    chart = folder / "org_chart.csv"
    chart.write_text(
        "email,department,cost_center,manager_email,valid_from\nana@example.com,Sales,7,,\n"
    )
    with (
        Sandbox.empty(today="2026-03-05") as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("sources.http.FIRST_STEP_SECONDS", 0.0)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__BASE_URL", api.url)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__API_KEY", api.api_key)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE", "100000")
        patch.setenv("SOURCES__REFERENCE_FILES__ORG_CHART", str(chart))
        patch.setenv("PIPELINE__DATA_DIR", str(data.root))

        def run(step: str, words: str) -> None:
            ended = command(words)
            told.ended[step] = (ended.exit_code, ended.text)
            if data.served.exists():
                told.lines[step] = _lines(data.served)
                told.bills[step] = _bills(data.served)
                told.charges[step] = _charges(data.served)
                told.sums[step] = _sums(data.served)
                told.invoices[step] = _ask(
                    data.served,
                    "select distinct strftime(BillingPeriodStart, '%Y-%m'), InvoiceId,"
                    " InvoiceDetailId from claude_marts.focus_cost_and_usage",
                )

        cost = "--only cost_totals --only costs"
        january = [spent("ana", "10000"), spent(None, "3000")]
        api.publish("costs", "2026-01-05", january)
        february = [spent("ana", "1500"), spent("ana", "-500", "web_search")]
        api.publish("costs", "2026-02-05", february)
        run("load", f"sync --today 2026-03-05 {cost}")
        # The organisation's total of the day has 5 dollars more than its rows, until it is revised.
        with duckdb.connect(str(data.warehouse)) as warehouse:
            warehouse.execute(
                "update claude_raw.cost_totals set cost__amount = 13500"
                " where activity_date = '2026-01-05'"
            )
        run("not over", "close-month 2026-03 --today 2026-03-05")
        run("not settled", "close-month 2026-02 --today 2026-03-05")
        run("close January", "close-month 2026-01 --today 2026-03-05")
        run("close January again", "close-month 2026-01 --today 2026-03-05")
        run("name an invoice", "close-month 2026-01 --invoice INV-1 --today 2026-03-05")
        run("leave February out", "close-month 2026-03 --today 2026-05-05 --force")
        api.publish("costs", "2026-01-05", [spent("ana", "9000"), spent(None, "3000")])
        chart.write_text(chart.read_text().replace("Sales,7", "Legal,8"))
        run(
            "January changes",
            f"backfill --from 2026-01-05 --to 2026-01-05 --today 2026-03-06 {cost}",
        )
        run("close February", "close-month 2026-02 --today 2026-03-06 --force")
        run("a clock ahead", "close-month 2026-03 --today 2026-07-05 --force")
        run("undo January", "close-month 2026-01 --undo --today 2026-03-06")
        api.publish("costs", "2026-01-05", [spent("ana", "9500"), spent(None, "3000")])
        run(
            "again",
            f"backfill --from 2026-01-05 --to 2026-01-05 --today 2026-03-07 {cost}",
        )
        for version in VERSIONS:
            for month in ("2026-01", "2026-02", "2026-03"):
                file = folder / f"{month}_{version}.parquet"
                export = f"export focus --month {month} --focus-version {version} --out {file}"
                for words in (export, f"verify-focus {file} --version {version}"):
                    ended = command(words)
                    told.judged.append((version, month, ended.exit_code, ended.text))
        run("undo February", "close-month 2026-02 --undo --today 2026-03-07")
        with duckdb.connect(str(data.warehouse)) as warehouse:
            told.raw = warehouse.execute(
                "select action, month::text, count(*) from claude_raw.closed_months"
                " group by all order by all"
            ).fetchall()
            warehouse.execute("delete from claude_raw.closed_charges")
        run("no charges", "transform")
        yield told


def _ask(served: Path, query: str) -> Lines:
    with duckdb.connect(str(served), read_only=True) as marts:
        return marts.execute(query).fetchall()


def _lines(served: Path) -> Lines:
    return _ask(
        served,
        """
        select strftime(month, '%Y-%m'), department, cost_pool, amount_usd, allocation_method,
            strftime(corrected_month, '%Y-%m')
        from claude_marts.chargeback_monthly
        order by month, corrected_month nulls first, cost_pool, department
        """,
    )


def _bills(served: Path) -> Lines:
    return _ask(
        served,
        """
        select strftime(month, '%Y-%m'), cost_pool, billed_usd, corrections_usd, difference_usd,
            is_closed
        from claude_marts.chargeback_reconciliation_monthly
        where billed_usd <> 0 or corrections_usd <> 0
        order by month, cost_pool
        """,
    )


def _charges(served: Path) -> Lines:
    return _ask(
        served,
        """
        select strftime(BillingPeriodStart, '%Y-%m'), ChargeClass, ChargeCategory,
            strftime(ChargePeriodStart, '%Y-%m-%d'), SubAccountName, SkuMeter, BilledCost
        from claude_marts.focus_cost_and_usage
        order by all
        """,
    )


def _sums(served: Path) -> Lines:
    """What the two exports of each month add up to, where one of them has anything."""
    return _ask(
        served,
        """
        with
        statements as (
            select month, sum(amount_usd) as amount, sum(list_price_usd) as list_price
            from claude_marts.chargeback_monthly group by all
        ),
        charges as (
            select cast(BillingPeriodStart as date) as month, sum(BilledCost) as amount,
                sum(ListCost) as list_price
            from claude_marts.focus_cost_and_usage group by all
        )
        select * from statements full join charges using (month)
        order by month
        """,
    )


JANUARY = [
    ("2026-01", "Sales", "metered", Decimal(100), "direct", None),
    ("2026-01", "Sales", "shared", Decimal(30), "proportional", None),
    ("2026-01", "Unattributed", "unexplained", Decimal(5), "none", None),
]
FEBRUARY = ("2026-02", "Legal", "metered", Decimal(10), "direct", None)


def correction(month: str, department: str, pool: str, amount: int) -> tuple[Any, ...]:
    return (month, department, pool, Decimal(amount), "Correction", "2026-01")


def test_a_month_that_is_not_over_cannot_be_closed(told: Told) -> None:
    code, text = told.ended["not over"]

    assert code == 1
    assert "2026-03 is not over yet: today is 2026-03-05." in text


def test_a_month_that_only_this_machines_clock_says_is_over_cannot_be_closed(told: Told) -> None:
    code, text = told.ended["a clock ahead"]

    assert code == 1
    assert "2026-03 was not closed: only --today is 2026-07-05, and no API has answered" in text
    assert "is of 2026-03-06 00:00 UTC" in text
    assert told.lines["a clock ahead"] == told.lines["close February"]


def test_a_month_that_was_closed_before_its_end_is_named_by_each_run(
    api: Sandbox, command: Command, load: Load, data_dir: DataDir
) -> None:
    load(today="2026-01-07", only="users")
    close: dict[str, Any] = {
        "closing_id": "x", "action": "closed", "month": date(2026, 3, 1), "line_number": 0,
        "closed_at": datetime(2026, 7, 5, tzinfo=UTC), "record_type": "close",
    }  # fmt: skip
    store(warehouse_pipeline(data_dir), closed_months([close]))

    ended = command("sync --no-transform --only users --today 2026-01-08")

    assert ended.exit_code == 0
    said = " ".join(ended.out.split())
    assert "Closed, but not over by the APIs' own time, 2026-01-08 00:00 UTC: 2026-03." in said
    assert "close-month 2026-03 --undo" in said


def test_a_month_with_unsettled_days_is_refused_and_they_are_named(told: Told) -> None:
    code, text = told.ended["not settled"]

    assert code == 1
    assert "for 2026-02-04 to 2026-02-28:" in text
    assert "--force" in text


def test_a_close_says_what_it_froze(told: Told) -> None:
    code, text = told.ended["close January"]

    assert code == 0
    assert "2026-01 is closed with 3 lines." in text
    assert "metered: 100.00000000 USD" in text
    assert told.lines["close January"][:3] == JANUARY


def test_a_month_is_closed_once(told: Told) -> None:
    code, text = told.ended["close January again"]

    assert code == 1
    assert "2026-01 is closed already, since 2026-03-05" in text


def test_a_closed_month_takes_the_name_of_its_invoice(told: Told) -> None:
    code, text = told.ended["name an invoice"]

    assert code == 0
    assert "2026-01 stays as it is. Its invoice is INV-1." in text
    assert told.lines["name an invoice"] == told.lines["close January"]
    assert set(told.invoices["close January"]) == {("2026-01", None, None), ("2026-02", None, None)}
    assert set(told.invoices["name an invoice"]) == {
        ("2026-01", "INV-1", "INV-1"),
        ("2026-02", None, None),
    }


def test_months_are_closed_one_after_the_other(told: Told) -> None:
    code, text = told.ended["leave February out"]

    assert code == 1
    assert "2026-02 is open" in text


def test_a_closed_month_does_not_change_and_its_correction_is_in_the_open_month(
    told: Told,
) -> None:
    # Cost moved by −10, everything from Sales to Legal, and the total is what its rows add up to.
    assert told.lines["January changes"] == [
        *JANUARY,
        FEBRUARY,
        correction("2026-02", "Legal", "metered", 90),
        correction("2026-02", "Sales", "metered", -100),
        correction("2026-02", "Legal", "shared", 30),
        correction("2026-02", "Sales", "shared", -30),
        correction("2026-02", "Unattributed", "unexplained", -5),
    ]
    assert told.bills["January changes"] == [
        ("2026-01", "metered", Decimal(100), Decimal(0), Decimal(0), True),
        ("2026-01", "shared", Decimal(30), Decimal(0), Decimal(0), True),
        ("2026-01", "unexplained", Decimal(5), Decimal(0), Decimal(0), True),
        ("2026-02", "metered", Decimal(0), Decimal(-10), Decimal(0), False),
        ("2026-02", "unexplained", Decimal(-5), Decimal(-5), Decimal(0), False),
    ]


def test_a_correction_that_was_closed_is_not_charged_again(told: Told) -> None:
    assert told.ended["close February"][0] == 0
    assert told.lines["close February"] == told.lines["January changes"]
    assert told.lines["again"] == [
        *told.lines["January changes"],
        correction("2026-03", "Legal", "metered", 5),
    ]


def test_all_months_together_are_what_is_known_now(told: Told) -> None:
    billed = {step: sum(bill[2] for bill in bills) for step, bills in told.bills.items()}

    assert billed["load"] == 140
    assert billed["close January"] == 145
    assert billed["January changes"] == billed["close February"] == 130
    assert billed["again"] == billed["undo February"] == 135
    assert {bill[4] for bills in told.bills.values() for bill in bills} == {Decimal(0)}


def test_a_close_is_undone_only_while_nothing_was_closed_after_it(told: Told) -> None:
    code, text = told.ended["undo January"]

    assert code == 1
    assert "2026-01 stays closed: 2026-02 was closed after it." in text


def test_an_undone_close_leaves_the_month_open_and_its_rows_in_place(told: Told) -> None:
    assert told.ended["undo February"][0] == 0
    assert told.lines["undo February"] == [
        *JANUARY,
        FEBRUARY,
        correction("2026-02", "Legal", "metered", 95),
        correction("2026-02", "Sales", "metered", -100),
        correction("2026-02", "Legal", "shared", 30),
        correction("2026-02", "Sales", "shared", -30),
        correction("2026-02", "Unattributed", "unexplained", -5),
    ]
    # A row for the close, its lines, and a row for each pool of its bill.
    assert told.raw == [
        ("closed", "2026-01-01", 1 + 3 + 3),
        ("closed", "2026-02-01", 1 + 6 + 3),
        ("undone", "2026-02-01", 1),
    ]


CHARGES = [
    ("2026-01", None, "Adjustment", "2026-01-01", None, None, Decimal(5)),
    ("2026-01", None, "Usage", "2026-01-05", "Sales", "tokens", Decimal(100)),
    ("2026-01", None, "Usage", "2026-01-05", None, "tokens", Decimal(30)),
    ("2026-02", None, "Usage", "2026-02-05", "Legal", "tokens", Decimal(15)),
    ("2026-02", None, "Usage", "2026-02-05", "Legal", "web_search", Decimal(-5)),
]


def corrected(month: str, category: str, day: str, *charge: Any) -> tuple[Any, ...]:
    department, meter, amount = charge
    return (month, "Correction", category, f"2026-01-{day}", department, meter, Decimal(amount))


def test_a_closed_months_charges_stay_and_what_moved_is_a_correction_of_the_same_kind(
    told: Told,
) -> None:
    moved = [
        corrected("2026-02", "Adjustment", "01", None, None, -5),
        corrected("2026-02", "Usage", "05", "Legal", "tokens", 90),
        corrected("2026-02", "Usage", "05", "Sales", "tokens", -100),
    ]

    assert told.charges["January changes"] == [*CHARGES[:3], *moved, *CHARGES[3:]]
    assert told.charges["close February"] == told.charges["January changes"]
    assert told.charges["again"] == [
        *told.charges["January changes"],
        corrected("2026-03", "Usage", "05", "Legal", "tokens", 5),
    ]
    assert told.charges["undo February"] == [
        *CHARGES[:3],
        moved[0],
        corrected("2026-02", "Usage", "05", "Legal", "tokens", 95),
        moved[2],
        *CHARGES[3:],
    ]


def test_a_close_that_froze_no_charges_is_corrected_by_pool(told: Told) -> None:
    assert told.lines["no charges"] == told.lines["undo February"]
    assert told.charges["no charges"] == [
        ("2026-01", None, "Adjustment", "2026-01-01", None, None, Decimal(5)),
        ("2026-01", None, "Adjustment", "2026-01-01", None, None, Decimal(5)),
        ("2026-01", None, "Usage", "2026-01-05", "Legal", "tokens", Decimal(95)),
        ("2026-01", None, "Usage", "2026-01-05", None, "tokens", Decimal(30)),
        corrected("2026-02", "Adjustment", "01", None, None, -5),
        corrected("2026-02", "Adjustment", "01", None, None, -5),
        *CHARGES[3:],
    ]


def test_no_rule_of_focus_is_broken_in_closed_months_and_in_the_one_that_corrects_them(
    told: Told,
) -> None:
    """Without a roster; with a refund, a restatement, and what no row explains."""
    assert len(told.judged) == 2 * 3 * len(VERSIONS)
    assert [each for each in told.judged if each[2]] == []
    assert sum("broken: 0 MUST, 0 READ, 0 SHOULD." in each[3] for each in told.judged) == 9


def test_both_exports_of_a_month_add_up_to_the_same_sum(told: Told) -> None:
    assert len(told.sums) > 5
    for step, sums in told.sums.items():
        assert sums and all(row[1:3] == row[3:5] for row in sums), step


def test_seats_without_a_price_make_their_cost_unknown_and_are_named(
    api: Sandbox, command: Command, query: Query, tmp_path: Path
) -> None:
    prices, chart = tmp_path / "seat_prices.csv", tmp_path / "org_chart.csv"
    prices.write_text("seat_tier,usd_per_month,valid_from\npremium,62,\n")
    chart.write_text(
        "email,department,cost_center,manager_email,valid_from,seat_tier\n"
        "ana@northwind.example,Sales,7,,,Premium\n"
    )
    files = {
        "SOURCES__REFERENCE_FILES__SEAT_PRICES": str(prices),
        "SOURCES__REFERENCE_FILES__ORG_CHART": str(chart),
    }
    for day in ("2026-01-05", "2026-01-06"):
        api.publish("summaries", day, [{"assigned_seat_count": 3}])
        api.publish("users", day, [{"user": {"id": "ana"}}])
    only = "--only users --only summaries --only costs --only cost_totals"

    synced = command(f"sync --today 2026-02-05 {only}", **files)
    checked = command("doctor --today 2026-02-05")
    refused = command("close-month 2026-01 --today 2026-03-05")

    note = "No price is in force for seats of these tiers: default (2)"
    # One row each for January and for February, which begins.
    assert "every_seat_has_a_price: 2 rows. No price is in force" in " ".join(synced.out.split())
    assert f"Seat fees of January 2026: the cost is unknown. {note}" in " ".join(
        checked.out.split()
    )
    assert refused.exit_code == 1
    assert note in refused.err
    assert query(
        """
        select billed_usd, difference_usd, is_settled, note
        from claude_marts.chargeback_reconciliation_monthly
        where cost_pool = 'seats' and month = '2026-01-01'
        """,
        served=True,
    ) == [(None, None, False, note)]

    prices.write_text(prices.read_text() + "DEFAULT,31,\n")
    command(f"sync --today 2026-02-06 {only}")

    assert query(
        """
        select sum(amount_usd), bool_or(amount_usd is null)
        from claude_marts.chargeback_monthly
        where cost_pool = 'seats' and month = '2026-01-01'
        """,
        served=True,
    ) == [(Decimal(124), False)]
