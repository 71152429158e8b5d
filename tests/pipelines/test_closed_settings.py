"""A close keeps what it was made with, and corrections are reckoned with that."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.run import Listener, RunResult, build
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

CHART = (
    "email,department,cost_center,manager_email,valid_from,seat_tier\n"
    "ana@x.org,Sales,7,,,Premium\nben@x.org,Legal,8,,,\n"
)
PRICES = "seat_tier,usd_per_month,valid_from\npremium,62,\ndefault,31,\n"
SHARES = "cost_pool,department,cost_center,percentage\nshared,Sales,7,25\nshared,Legal,8,75\n"
POLICIES = "cost_pool,policy,usd_per_month,valid_from\n"


def spent(user_id: str | None, cents: str) -> Mapping[str, Any]:
    actor = user_id and {
        "type": "user_actor", "user_id": user_id, "email_address": f"{user_id}@x.org",
    }  # fmt: skip
    return {
        "group": {"actor": actor, "product": "chat", "model": "opus", "cost_type": "tokens"},
        "cost": {"amount": cents, "list_amount": cents, "currency": "USD"},
    }


BY_POOL = """
    select strftime(month, '%Y-%m'), cost_pool, allocation_method, department, amount_usd
    from claude_marts.chargeback_monthly
    order by month, cost_pool, department, allocation_method
"""
CORRECTIONS = """
    select cost_pool, department, amount_usd
    from claude_marts.chargeback_monthly where allocation_method = 'Correction'
    order by all
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Path]:
    texts = {
        "org_chart": CHART, "seat_prices": PRICES, "fixed_shares": SHARES,
        "chargeback_policies": POLICIES,
    }  # fmt: skip
    found = {}
    for name, text in texts.items():
        found[name] = tmp_path / f"{name}.csv"
        found[name].write_text(text)
        monkeypatch.setenv(f"SOURCES__REFERENCE_FILES__{name.upper()}", str(found[name]))
    return found


@pytest.mark.long
def test_what_is_set_or_priced_otherwise_later_moves_open_months_and_no_closed_one(
    api: Sandbox,
    command: Command,
    query: Query,
    files: Mapping[str, Path],
    data_dir: DataDir,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for day in ("2026-01-05", "2026-02-05"):
        api.publish("summaries", day, [{"assigned_seat_count": 2}])
        api.publish("users", day, [{"user": {"id": "ana", "email_address": "ana@x.org"}}])
        api.publish("costs", day, [spent("ana", "10000"), spent("ben", "5000"), spent(None, "400")])
    sync = "sync --no-transform --only users --only summaries --only costs --only cost_totals"

    def rebuilt() -> None:
        with data_dir.held("test"):
            build(data_dir, RunResult(), Listener())

    command(f"{sync} --today 2026-03-05", CHARGEBACK__SHARED_POLICY="fixed")
    closed = command("close-month 2026-01 --today 2026-03-05 --force")
    assert closed.exit_code == 0, closed.err
    before = query(BY_POOL)
    assert ("2026-01", "shared", "fixed", "Legal", Decimal(3)) in before

    for name, value in {
        "SEATS_POLICY": "even", "METERED_POLICY": "even", "SHARED_POLICY": "none",
        "COST_CENTERS_FROM": "groups", "MONTHLY_AMOUNT_USD": "999.99",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CHARGEBACK__{name}", value)
    files["seat_prices"].write_text(PRICES.replace("62", "100"))
    files["fixed_shares"].write_text(SHARES.replace("25", "50").replace("75", "50"))
    files["chargeback_policies"].write_text(POLICIES + "metered,even,,2025-01-01\n")
    command(f"{sync} --today 2026-03-06")
    rebuilt()

    after = query(BY_POOL)
    assert query(CORRECTIONS) == []
    assert [row for row in after if row[0] == "2026-01"] == [
        row for row in before if row[0] == "2026-01"
    ]
    assert [row for row in after if row[0] == "2026-02"] != [
        row for row in before if row[0] == "2026-02"
    ]
    assert ("2026-02", "shared", "none", "Unattributed", Decimal(4)) in after

    # A chart that is refused leaves what was loaded, in the spelling that other files meet.
    files["org_chart"].write_text(CHART.splitlines()[0] + "\n")
    command(f"{sync} --today 2026-03-07")
    rebuilt()
    assert query(BY_POOL) == after

    # Who was where is no setting: that is corrected, with what the close was made with.
    files["org_chart"].write_text(
        CHART.replace("ana@x.org,Sales,7", "ana@x.org,Legal,8") + "cy@x.org,Sales,7,,,\n"
    )
    command(f"{sync} --today 2026-03-08")
    rebuilt()
    assert query(CORRECTIONS) == [
        ("metered", "Legal", Decimal(100)),
        ("metered", "Sales", Decimal(-100)),
        ("seats", "Legal", Decimal(62)),
        ("seats", "Sales", Decimal(-62)),
    ]

    # A close from before settings were kept is reckoned with today's, as it was then.
    with duckdb.connect(str(data_dir.warehouse)) as warehouse:
        warehouse.execute("delete from claude_raw.closed_settings")
    rebuilt()
    assert ("seats", "Unattributed", Decimal("968.99")) in query(CORRECTIONS)


def test_a_policy_with_a_date_leaves_the_months_before_it_as_they_are(
    api: Sandbox,
    command: Command,
    query: Query,
    files: Mapping[str, Path],
    data_dir: DataDir,
) -> None:
    files["chargeback_policies"].write_text(
        POLICIES + "Metered,even,,2026-02-01\nseats,direct,620.00,2026-01-31\n"
    )
    for day in ("2026-01-05", "2026-02-05"):
        api.publish("summaries", day, [{"assigned_seat_count": 1}])
        api.publish("costs", day, [spent("ana", "10000"), spent("ben", "5000")])

    ended = command(
        "sync --today 2026-03-05 --no-transform --only summaries --only costs --only cost_totals"
    )
    assert ended.exit_code == 0, ended.err
    with data_dir.held("test"):
        build(data_dir, RunResult(), Listener())

    assert query(
        """
        select strftime(month, '%Y-%m'), cost_pool, allocation_method, sum(amount_usd)
        from claude_marts.chargeback_monthly where month < '2026-03-01'
        group by all order by all
        """
    ) == [
        ("2026-01", "metered", "direct", Decimal(150)),
        ("2026-01", "seats", "seats", Decimal(31)),
        ("2026-02", "metered", "even", Decimal(150)),
        ("2026-02", "seats", "seats", Decimal(620)),
    ]


def test_a_policy_of_another_pool_is_refused_with_its_line(
    command: Command, files: Mapping[str, Path]
) -> None:
    files["chargeback_policies"].write_text(
        POLICIES + "metered,messages,,\nseats,even,5,\nshared,even,5,\n"
    )

    ended = command("doctor --today 2026-01-08")

    said = " ".join(ended.out.split())
    assert (
        'line 2, column policy: "messages" is not for cost_pool metered; there it is one of '
        "direct, proportional, even, fixed, none" in said
    )
    assert (
        'line 4, column usd_per_month: "5" is not for cost_pool shared; there it is empty' in said
    )
    assert "line 3" not in said
