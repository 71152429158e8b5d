"""Rolling windows against plain counting, and money to the last digit, on data made by chance."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, TAG, UNIFIED_CHAT, Query, queries
from tests.transforms.raw_tables import RawWarehouse, marts
from tests.transforms.rolling_speed import speed

CODE = "claude_code_metrics__core_metrics__distinct_session_count"
ACTIVE = {
    "all": f"{CHAT} > 0 or {UNIFIED_CHAT} > 0 or {CODE} > 0 or {TAG} > 0",
    "chat": f"{CHAT} > 0 or {UNIFIED_CHAT} > 0",
    "claude_code": f"{CODE} > 0",
    "claude_tag": f"{TAG} > 0",
    "chat_cowork_unified": f"{UNIFIED_CHAT} > 0",
}
AMOUNTS = {"messages": "0.00000007", "active_days": "-33333.33333333"}


@pytest.fixture(
    scope="module",
    params=["messages", pytest.param("active_days", marks=pytest.mark.long)],
)
def built(request: pytest.FixtureRequest, crowd: RawWarehouse) -> Iterator[tuple[str, Query]]:
    """The crowd's warehouse, built with one chargeback policy after the other."""
    policy = request.param
    result = transform(
        target(crowd.path, crowd.path.parent),
        {"chargeback_policy": policy, "chargeback_monthly_amount_usd": AMOUNTS[policy]},
        marts("adoption", "money"),
    )
    assert not result.failed_tests
    yield policy, queries(crowd.path)


def test_windows_equal_counting_people_day_by_day(built: tuple[str, Query]) -> None:
    _, query = built
    for product, condition in ACTIVE.items():
        month = 28 if product in ("claude_tag", "chat_cowork_unified") else 30
        computed = (
            "claude_marts.active_users_daily"
            if product == "all"
            else f"(from claude_marts.product_active_users_daily where product = '{product}')"
        )
        differences = query(
            f"""
            with counted as (
                select
                    days.activity_date,
                    {
                ", ".join(
                    f'''case when count(distinct users.activity_date)
                        filter (days.activity_date - users.activity_date < {window}) = {window}
                        then count(distinct users.user__id) filter (
                            ({condition}) and days.activity_date - users.activity_date < {window}
                        ) end as in_{window}'''
                    for window in (1, 7, month)
                )
            }
                from {computed} as days
                left join claude_raw.users
                    on days.activity_date - users.activity_date between 0 and {month - 1}
                group by days.activity_date
            )
            select * from counted inner join {computed} as computed using (activity_date)
            where
                in_1 is distinct from computed_daily_active_users
                or in_7 is distinct from computed_weekly_active_users
                or in_{month} is distinct from computed_monthly_active_users
            """
        )
        assert differences == [], product


def test_every_month_is_split_to_the_last_digit(built: tuple[str, Query]) -> None:
    policy, query = built

    sums = query(
        "select month, sum(amount_usd), count(*), any_value(allocation_method)"
        " from claude_marts.chargeback_monthly group by month"
    )
    differences = query(
        "select distinct difference_usd from claude_marts.chargeback_reconciliation_monthly"
    )

    assert {total for _, total, _, _ in sums} == {Decimal(AMOUNTS[policy])}
    assert [method for *_, method in sums] == [policy] * 4
    assert max(departments for _, _, departments, _ in sums) > 30
    assert differences == [(Decimal(0),)]


def test_no_department_is_off_its_exact_share_by_a_unit_or_more(
    built: tuple[str, Query],
) -> None:
    policy, query = built
    weight = "1" if policy == "active_days" else f"coalesce({CHAT}, 0) + {UNIFIED_CHAT} + {TAG}"
    condition = ACTIVE["all"] if policy == "active_days" else "true"

    rows = query(
        f"""
        with chart as (
            select
                *,
                lower(email) as email_key,
                lead(valid_from, 1, '9999-12-31')
                    over (partition by lower(email) order by valid_from) as valid_until
            from claude_raw.org_chart
        ),
        weights as (
            select
                date_trunc('month', activity_date) as month,
                coalesce(department, 'Unmapped') as department,
                sum({weight}) as weight
            from claude_raw.users left join chart
                on
                    user__email_address = email_key
                    and activity_date >= valid_from and activity_date < valid_until
            where {condition}
            group by all
        )
        select
            amount_usd, weight::bigint, (sum(weight) over (partition by month))::bigint
        from claude_marts.chargeback_monthly inner join weights using (month, department)
        """
    )

    total = Decimal(AMOUNTS[policy])
    unit = Decimal("0.00000001")
    assert len(rows) > 100
    assert all(abs(amount - total * weight / whole) < unit for amount, weight, whole in rows)


@pytest.mark.long
def test_the_speed_of_the_rolling_marts_can_be_measured(tmp_path: Path) -> None:
    measured = speed(people=200, days=40, folder=tmp_path)

    assert measured.user_days == 8000
    assert 0 < measured.seconds < 20
