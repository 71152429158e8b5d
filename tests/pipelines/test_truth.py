"""Three months of money and seats, from the API to the served file, beside the sandbox's truth."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.run import sync
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.reference_files.settings import ReferenceFileSettings
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.loading import load_source

FIRST_DAY = date(2026, 4, 1)
ROSTER_SINCE = date(2026, 6, 13)
TODAY = date(2026, 6, 15)
MOVED_ON = date(2026, 5, 14)
"""The day on which some people change departments, by the sandbox's org chart."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """An organisation, and the file that readers open after all of it was loaded."""

    sandbox: Sandbox
    data: DataDir

    def truth(self, name: str) -> list[Row]:
        rows = self.sandbox.truth(name, FIRST_DAY, roster_since=ROSTER_SINCE)
        return [row for row in rows if since_first_day(row)]

    def rows(self, name: str) -> list[Row]:
        with duckdb.connect(str(self.data.served), read_only=True) as connection:
            answer = connection.execute(f"select * from claude_marts.{name}")
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def since_first_day(row: Row) -> bool:
    day = row.get("activity_date") or row.get("month")
    return day is None or day >= FIRST_DAY


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """April 1 to June 15 of 40 seats; the roster is read daily from June 13 on."""
    folder = tmp_path_factory.mktemp("truth")
    data = DataDir(folder / "data")
    with Sandbox(seats=40, today=TODAY) as sandbox:
        paths = {
            name: reference_file(folder / f"{name}.csv", sandbox.truth(name, FIRST_DAY))
            for name in ("org_chart", "seat_prices")
        }
        at: dict[str, Any] = {
            "base_url": sandbox.url,
            "api_key": sandbox.api_key,
            "requests_per_minute": 100_000,
        }
        admin = AdminSettings(**at)
        data.create()
        with data.held("test"):
            for number in range((TODAY - ROSTER_SINCE).days):
                sandbox.today = ROSTER_SINCE + timedelta(days=number)
                load_source(data, "claude_admin", Clock.at(sandbox.today), admin)
            sandbox.today = TODAY
            since = (TODAY - FIRST_DAY).days
            result = sync(
                data,
                Clock.at(TODAY),
                {
                    "claude_analytics": AnalyticsSettings(
                        **at, window_days=since, cost_window_days=since + 1
                    ),
                    "claude_admin": admin,
                    "reference_files": ReferenceFileSettings(**paths),
                },
            )
        assert result.problems == []
        yield Served(sandbox, data)


def reference_file(path: Path, rows: list[Row]) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.mark.parametrize(
    ("mart", "key"),
    [
        (
            "spend_daily",
            ("activity_date", "actor_type", "actor_id", "product", "model", "cost_type"),
        ),
        ("chargeback_monthly", ("month", "cost_pool", "department", "cost_center")),
        ("chargeback_reconciliation_monthly", ("month", "cost_pool")),
        ("seats", ("user_id", "email")),
        ("seat_utilization_daily", ("activity_date",)),
    ],
)
def test_every_row_of_three_months_equals_the_sandboxs_truth(
    served: Served, mart: str, key: tuple[str, ...]
) -> None:
    truth = {tuple(row[name] for name in key): row for row in served.truth(mart)}
    found = {tuple(row[name] for name in key): row for row in served.rows(mart)}

    assert found.keys() == truth.keys()
    for place, expected in truth.items():
        got = {name: found[place][name] for name in expected}
        assert got == with_tolerated_floats(expected), place


def with_tolerated_floats(row: Row) -> Row:
    """Rates are floats; everything else is exact."""
    return {
        name: pytest.approx(value) if isinstance(value, float) else value
        for name, value in row.items()
    }


def test_the_three_months_have_all_that_can_go_wrong_with_money(served: Served) -> None:
    spend, lines = served.rows("spend_daily"), served.rows("chargeback_monthly")

    assert {row["month"] for row in lines} == {date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)}
    assert {row["cost_pool"] for row in lines} == {"metered", "seats", "shared"}
    assert {row["department"] for row in lines} >= {"Unmapped", "Unattributed", "Sales"}
    assert {row["actor_type"] for row in spend} == {
        "user", "service_account", "api_key", "federated", "unattributed",
    }  # fmt: skip
    assert any(row["spend_usd"] < 0 for row in spend)
    assert {None} < {row["product"] for row in spend}
    assert {None} < {row["model"] for row in spend}


def test_a_person_who_moved_in_the_middle_of_a_month_is_split_by_day(served: Served) -> None:
    chart = served.truth("org_chart")
    moved = {row["email"].casefold() for row in chart if row["valid_from"] == MOVED_ON}
    charges = [
        row
        for row in served.rows("focus_cost_and_usage")
        if (row["ResourceName"] or "").casefold() in moved
        and row["BillingPeriodStart"].date() == date(2026, 5, 1)
    ]

    departments: dict[tuple[str, bool], set[str]] = {}
    for row in charges:
        key = row["ResourceName"].casefold(), row["ChargePeriodStart"].date() >= MOVED_ON
        departments.setdefault(key, set()).add(row["SubAccountName"])
    split = {email for email, is_after in departments if is_after} & {
        email for email, is_after in departments if not is_after
    }
    assert split
    for email in split:
        before, after = departments[email, False], departments[email, True]
        assert len(before) == len(after) == 1
        assert before != after


def test_every_month_and_pool_is_allocated_to_the_last_digit(served: Served) -> None:
    bills = served.rows("chargeback_reconciliation_monthly")

    assert len(bills) == 9
    assert {row["difference_usd"] for row in bills} == {Decimal(0)}


@pytest.mark.parametrize("mart", ["spend_drivers_daily", "spend_by_region_daily"])
def test_what_prices_depend_on_adds_up_to_spend_on_every_day(served: Served, mart: str) -> None:
    def sums(name: str) -> dict[tuple[Any, ...], Decimal]:
        found: dict[tuple[Any, ...], Decimal] = {}
        for row in served.rows(name):
            key = row["activity_date"], row["product"], row["model"], row["cost_type"]
            found[key] = found.get(key, Decimal(0)) + row["spend_usd"]
        return {key: usd for key, usd in found.items() if usd}

    assert sums(mart) == sums("spend_daily")
    tokens = sum(row["token_count"] or 0 for row in served.rows(mart))
    counts = ("uncached_input", "cache_read_input", "cache_creation_input", "output")
    assert tokens == sum(
        row[f"{count}_tokens"] or 0 for row in served.rows("spend_daily") for count in counts
    )


def test_the_change_of_a_month_is_that_of_its_spend_and_the_parts_are_told(served: Served) -> None:
    [may] = served.rows("spend_changes_monthly")  # June is not over.
    spend = {
        month: sum(
            row["spend_usd"]
            for row in served.rows("spend_daily")
            if row["activity_date"].month == month
        )
        for month in (4, 5)
    }

    assert (may["month"], may["change_usd"]) == (date(2026, 5, 1), spend[5] - spend[4])
    parts = [name for name in may if name.endswith("_usd")][3:]
    assert sum(may[name] for name in parts) == may["change_usd"]
    assert may["unexplained_usd"] == 0
    # A token costs the same there in every window, speed, region and tier.
    assert {name for name in parts if not may[name]} == {
        "long_context_usd", "fast_mode_usd", "region_usd", "service_tier_usd", "unexplained_usd",
    }  # fmt: skip
