"""The rules of the marts, asked of a warehouse whose every row is there for one of them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from pipelines.warehouse.dbt import PROJECT, TransformResult

Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def query(story: tuple[Query, TransformResult]) -> Query:
    return story[0]


def test_nothing_of_our_own_logic_fails_and_a_repeated_name_is_a_warning(
    story: tuple[Query, TransformResult],
) -> None:
    result = story[1]

    assert not result.failed_tests
    names = {warning.name: warning.count for warning in result.warnings}
    assert names["skills_are_unique_within_a_day"] == 1
    assert names["users_are_unique_within_a_day"] == 1
    assert all(warning.description for warning in result.warnings)


def test_an_empty_day_has_nobody_and_a_day_not_loaded_is_unknown(query: Query) -> None:
    rows = query(
        """
        select computed_daily_active_users from claude_marts.active_users_daily
        where activity_date in ('2026-01-10', '2026-02-10') order by activity_date
        """
    )

    assert rows == [(0,), (None,)]


def test_days_run_from_the_first_loaded_to_the_newest_available_one(query: Query) -> None:
    rows = query(
        "select min(activity_date)::text, max(activity_date)::text, count(*)"
        " from claude_marts.active_users_daily"
    )

    assert rows == [("2026-01-05", "2026-03-02", 57)]


def test_a_window_is_unknown_until_all_its_days_are_loaded(query: Query) -> None:
    rows = query(
        """
        select
            min(activity_date) filter (computed_weekly_active_users is not null)::text,
            min(activity_date) filter (computed_monthly_active_users is not null)::text,
            max(activity_date) filter (computed_monthly_active_users is not null)::text
        from claude_marts.active_users_daily
        """
    )

    assert rows == [("2026-01-11", "2026-02-03", "2026-02-09")]


def test_a_person_counts_for_30_days(query: Query) -> None:
    rows = query(
        """
        select computed_monthly_active_users from claude_marts.active_users_daily
        where activity_date between '2026-02-03' and '2026-02-04' order by activity_date
        """
    )

    assert rows == [(4,), (2,)]  # cho and dan were active on January 5 only


def test_a_killed_load_does_not_make_its_day_loaded(query: Query) -> None:
    rows = query(
        """
        select activity_date::text, status, row_count from claude_marts.data_coverage_daily
        where endpoint = 'users' and status in ('missing', 'lost') order by activity_date
        """
    )

    assert rows == [
        ("2026-02-10", "lost", None),
        ("2026-03-01", "missing", None),
        ("2026-03-02", "missing", None),
    ]


def test_only_fetches_that_change_rows_are_revisions_and_times_are_utc(query: Query) -> None:
    rows = query(
        """
        select status, revision_count, fetched_at::text from claude_marts.data_coverage_daily
        where endpoint = 'connectors' and activity_date = '2026-01-05'
        """
    )

    assert rows == [("empty", 2, "2026-01-12 22:30:00")]


def test_who_is_switched_to_unified_does_not_seem_to_stop(query: Query) -> None:
    rows = query(
        """
        select chat_message_count, cowork_session_count, is_active
        from claude_marts.user_activity_daily
        where user_id = 'ben' and activity_date in ('2026-01-14', '2026-01-15')
        order by activity_date
        """
    )
    computed = query(
        """
        select product, computed_daily_active_users from claude_marts.product_active_users_daily
        where activity_date = '2026-01-15' and product in ('chat', 'cowork', 'chat_cowork_unified')
        order by product
        """
    )

    assert rows == [(2, 1, True), (3, 1, True)]
    assert computed == [("chat", 2), ("chat_cowork_unified", 1), ("cowork", 1)]


def test_a_product_that_no_row_reports_is_unknown(query: Query) -> None:
    rows = query(
        """
        select activity_date::text, computed_daily_active_users
        from claude_marts.product_active_users_daily
        where product = 'claude_tag' and activity_date in ('2026-01-31', '2026-02-01', '2026-02-07')
        order by activity_date
        """
    )

    assert rows == [("2026-01-31", None), ("2026-02-01", 0), ("2026-02-07", 1)]


def test_the_28_day_products_need_28_days(query: Query) -> None:
    rows = query(
        """
        select product, any_value(monthly_window_days), min(activity_date)::text
        from claude_marts.product_active_users_daily
        where computed_monthly_active_users is not null or product = 'claude_tag'
        group by product having product in ('chat', 'claude_tag') order by product
        """
    )

    assert [row[:2] for row in rows] == [("chat", 30), ("claude_tag", 28)]


def test_an_email_is_the_newest_known_one_from_any_source(query: Query) -> None:
    rows = query(
        "select distinct user_id, email from claude_marts.user_activity_daily order by user_id"
    )

    assert rows == [
        ("ana", "Ana@example.com"),
        ("ben", None),
        ("cho", "cho@example.com"),
        ("dan", None),
        ("ida", "ida@example.com"),
    ]


def test_a_row_without_a_use_that_counts_is_not_active(query: Query) -> None:
    rows = query(
        "select is_active, web_search_count, chat_message_count"
        " from claude_marts.user_activity_daily where user_id = 'ida'"
    )

    assert rows == [(False, 4, None)]


def test_repeated_users_and_names_add_up_without_distinct_counts(query: Query) -> None:
    skills = query(
        "select skill_name, distinct_user_count, invocation_count"
        " from claude_marts.skill_usage_daily order by skill_name"
    )
    people = query(
        "select chat_message_count, chat_conversation_count"
        " from claude_marts.user_activity_daily where user_id = 'dan'"
    )

    assert skills == [("docx", None, 9), ("pdf", 3, 5)]
    assert people == [(2, None)]


def test_cents_become_dollars_without_loss(query: Query) -> None:
    rows = query(
        "select list_price_usd, estimated_overage_spend_usd"
        " from claude_marts.skill_usage_daily where skill_name = 'pdf'"
    )

    assert rows == [(Decimal("0.00000001"), Decimal("-0.12500000"))]


def test_seats_come_from_activity_and_look_back_from_the_newest_loaded_day(query: Query) -> None:
    rows = query(
        """
        select
            user_id, as_of_date::text, seat_status, department, cost_center, days_since_active,
            active_days_in_28, seat_cost_usd_per_month
        from claude_marts.seats where user_id in ('ana', 'ben', 'cho') order by user_id
        """
    )

    # February 10 is not loaded, so nobody can be called dormant.
    assert rows == [
        ("ana", "2026-02-28", "active", "Operations", "1E5", 0, None, Decimal(31)),
        ("ben", "2026-02-28", "active", "Unmapped", None, 0, None, Decimal(31)),
        ("cho", "2026-02-28", "unknown", "Legal", "7", 54, None, Decimal(62)),
    ]


def test_a_seat_goes_where_its_holder_was_each_day(query: Query) -> None:
    rows = query(
        """
        select department, cost_center, amount_usd, seat_count, active_user_count, is_settled
        from claude_marts.chargeback_monthly where month = '2026-01-01'
        order by department, cost_center
        """
    )

    # 31 days at 1 USD a seat and day: ana is Unmapped for 7 days, in Sales for 12, then in
    # Operations; ben, dan and ida have no row in the org chart; cho's tier costs 2 USD; 5 seats of
    # 10 have no known holder. January 31 has no seat count of its own.
    assert rows == [
        ("Legal", "7", Decimal(62), 1, 1, False),
        ("Operations", "1E5", Decimal(12), 1, 1, False),
        ("Sales", "00420", Decimal(12), 0, 1, False),
        ("Unattributed", None, Decimal(155), 5, 0, False),
        ("Unmapped", None, Decimal(7 + 3 * 31), 3, 3, False),
    ]


def test_the_departments_bear_exactly_what_is_billed(query: Query) -> None:
    rows = query(
        """
        select month::text, billed_usd, difference_usd, covered_days
        from claude_marts.chargeback_reconciliation_monthly order by month
        """
    )

    assert rows == [
        ("2026-01-01", Decimal(341), Decimal(0), 27),
        ("2026-02-01", Decimal(310), Decimal(0), 27),
        ("2026-03-01", Decimal(310), Decimal(0), 0),
    ]


def test_a_difference_names_its_reason_where_it_is_known(query: Query) -> None:
    rows = query(
        """
        select metric, difference, reason from claude_marts.metric_reconciliation_daily
        where
            (activity_date = '2026-02-07' and metric = 'claude_tag_daily_active_users')
            or (activity_date = '2026-02-07' and metric = 'daily_active_users')
            or (activity_date = '2026-02-11' and metric = 'weekly_active_users')
            or (activity_date = '2026-02-25' and metric = 'chat_daily_active_users')
            or (activity_date = '2026-02-26' and metric = 'daily_active_users')
            or (activity_date = '2026-03-01' and metric = 'daily_active_users')
        order by activity_date, metric
        """
    )

    assert rows == [
        ("claude_tag_daily_active_users", 8, "includes unlinked Slack users"),
        ("daily_active_users", 2, None),  # Nobody is known to have left.
        ("weekly_active_users", None, "window not fully covered"),
        ("chat_daily_active_users", 0, None),
        ("daily_active_users", 2, "revision pending"),
        ("daily_active_users", None, "not loaded"),
    ]


def test_utilization_is_reported_users_by_assigned_seats(query: Query) -> None:
    rows = query(
        """
        select assigned_seats, daily_utilization_rate, monthly_utilization_rate, inactive_seats
        from claude_marts.seat_utilization_daily
        where activity_date in ('2026-01-30', '2026-01-31') order by activity_date
        """
    )

    assert rows == [(10, 0.4, 0.8, None), (None, None, None, None)]


def test_no_column_of_a_mart_is_zone_aware_or_a_hugeint(query: Query) -> None:
    """FOCUS multiplies: prices of a million tokens and shares of a seat-month have 12 decimals."""
    rows = query(
        """
        select table_name, column_name, data_type from information_schema.columns
        where
            table_schema = 'claude_marts'
            and data_type not in (
                'DATE', 'VARCHAR', 'BIGINT', 'DOUBLE', 'BOOLEAN', 'TIMESTAMP', 'DECIMAL(38,8)'
            )
        """
    )

    assert {(table, kind) for table, _, kind in rows} == {
        ("focus_cost_and_usage", "DECIMAL(38,12)")
    }
    assert {column for _, column, _ in rows} == {
        "ConsumedQuantity",
        "ContractedUnitPrice",
        "ListUnitPrice",
        "PricingCurrencyContractedUnitPrice",
        "PricingCurrencyListUnitPrice",
        "PricingQuantity",
    }


def test_every_mart_and_column_is_described_in_the_warehouse(query: Query) -> None:
    marts = "(select * from {} where schema_name = 'claude_marts')"
    both = " union all ".join(
        f"select {kind}_name as name, comment from {marts.format(f'duckdb_{kind}s()')} as {kind}s"
        for kind in ("table", "view")
    )
    described = query(f"select name, comment is not null from ({both}) as marts")
    columns = query(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'claude_marts' and comment is null"
    )

    assert columns == []
    names = [file.stem for file in PROJECT.glob("models/marts/*/*.sql")]
    assert sorted(described) == sorted((name, True) for name in names)
