"""Several organisations in one warehouse: their cost is one bill, and each is told by itself."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sources.sandbox import Sandbox
from tests.conftest import Command, Query

TODAY = "2026-01-20"


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with Sandbox(seats=8, today=TODAY, days_ahead=5) as sandbox:
        yield sandbox


@pytest.fixture
def console() -> Iterator[Sandbox]:
    with Sandbox(
        seats=6, seed=2, today=TODAY, days_ahead=5, api_key="sk-console", without=["enterprise"]
    ) as sandbox:
        yield sandbox


@pytest.fixture
def set_up(
    command: Command, console: Sandbox, api: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The Console organisation beside the first one."""
    for name, value in {
        "SOURCES__CLAUDE_ADMIN__BASE_URL": api.url,
        "SOURCES__CLAUDE_ADMIN__API_KEY": api.api_key,
        "ORGANIZATIONS__DEVELOPERS__KIND": "console",
        "ORGANIZATIONS__DEVELOPERS__API_KEY": console.api_key,
        "ORGANIZATIONS__DEVELOPERS__BASE_URL": console.url,
        "ORGANIZATIONS__DEVELOPERS__REQUESTS_PER_MINUTE": "100000",
    }.items():
        monkeypatch.setenv(name, value)
    return command


def spent(sandbox: Sandbox) -> Decimal:
    return sum((row["spend_usd"] or Decimal(0) for row in sandbox.truth("spend_daily")), Decimal(0))


def test_two_organisations_are_one_bill_and_each_is_told_by_itself(
    set_up: Command, query: Query, api: Sandbox, console: Sandbox
) -> None:
    ended = set_up(f"sync --today {TODAY}")

    assert ended.exit_code == 0, ended.text
    by_organization: dict[str, Decimal] = dict(
        query(
            "select organization_id, sum(spend_usd) from claude_marts.spend_daily group by 1",
        )
    )
    assert by_organization == {
        api.organization["id"]: spent(api),
        console.organization["id"]: spent(console),
    }
    [(billed, difference)] = query(
        "select sum(billed_usd) filter (where cost_pool <> 'seats'), sum(difference_usd)"
        " from claude_marts.chargeback_reconciliation_monthly"
    )
    assert (billed, difference) == (spent(api) + spent(console), 0)
