"""What a reviewer asks about five people, over eight weeks: March 2 to April 26, 2026."""

from datetime import date
from decimal import Decimal

import pytest

from pipelines.warehouse.dbt import TransformResult, transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, Query, days, queries
from tests.transforms.raw_tables import RawWarehouse

CODE = "claude_code_metrics__core_metrics__distinct_session_count"
EIGHT_WEEKS = days("2026-03-02", "2026-04-26")

# ana works every day, ben stopped on March 20, cho never came, dan was dismissed on April 10 and
# goes on until April 12, eve comes once a week and has a dear seat.
CHATS = {
    "ana": EIGHT_WEEKS,
    "ben": days("2026-03-02", "2026-03-20"),
    "dan": days("2026-03-02", "2026-04-12"),
}
SESSIONS = {"eve": [day for day in EIGHT_WEEKS if day.weekday() == 0]}
ROSTER = {
    "2026-03-02": {"ana": "user", "ben": "user", "cho": "user", "dan": "user", "eve": "user"},
    "2026-04-06": {"ana": "owner", "ben": "user", "cho": "user", "dan": "user", "eve": "user"},
    "2026-04-20": {"ana": "owner", "ben": "user", "cho": "user", "eve": "user"},
    "2026-04-27": {"ana": "owner", "ben": "user", "cho": "user", "eve": "user"},
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Query, TransformResult]:
    folder = tmp_path_factory.mktemp("governance")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    for day in EIGHT_WEEKS:
        rows = [
            {"user__id": person, "user__email_address": f"{person}@x.org", column: 1}
            for column, uses in ((CHAT, CHATS), (CODE, SESSIONS))
            for person, used in uses.items()
            if day in used
        ]
        raw.fetch("users", day, rows)
        raw.fetch("summaries", day, [{"assigned_seat_count": 5, "pending_invite_count": 0}])
        raw.fetch("connectors", day, connectors(day))
        if day != date(2026, 4, 1):
            raw.fetch("skills", day, [{"skill_name": "pdf", "distinct_user_count": 2}])
        raw.fetch("plugins", day)
    for at, people in ROSTER.items():
        raw.snapshot(
            "members", f"{at}T10:30",
            [
                {"id": person, "email": f"{person}@x.org", "name": person.title(), "role": role,
                 "added_at": "2026-02-01T09:00Z"}
                for person, role in people.items()
            ],
        )  # fmt: skip
    for at, groups in {"2026-03-02": ["g1"], "2026-04-13": ["g1", "g2"]}.items():
        raw.snapshot(
            "rbac_groups", f"{at}T10:30", [{"id": "g1", "name": "All"}, {"id": "g2", "name": "IT"}]
        )
        raw.snapshot(
            "rbac_group_members", f"{at}T10:30",
            [{"rbac_group_id": group, "user_id": "ana"} for group in groups],
        )  # fmt: skip
    for at, cents in {"2026-03-02": 5000, "2026-04-13": 0}.items():
        raw.snapshot(
            "spend_limits", f"{at}T10:30",
            [{"actor__user_id": "ben", "amount": cents, "currency": "USD", "period": "monthly"}],
        )  # fmt: skip
    files(raw)
    raw.close()
    result = transform(target(raw.path, folder))
    return queries(raw.path), result


def connectors(day: date) -> list[dict[str, object]]:
    rows = [{"connector_name": "jira", "distinct_user_count": 2, "read_call_count": 3}]
    if day == date(2026, 4, 20):
        rows.append(
            {"connector_name": "mcp-paste", "distinct_user_count": 1, "write_call_count": 4}
        )
    return rows


def files(raw: RawWarehouse) -> None:
    raw.insert("seat_prices", seat_tier="default", usd_per_month="40", valid_from=None)
    raw.insert("seat_prices", seat_tier="premium", usd_per_month="200", valid_from=None)
    for email, tier, end_date in [
        ("ben@x.org", None, None),
        ("Dan@x.org", None, date(2026, 4, 10)),
        ("eve@x.org", "premium", None),
    ]:
        raw.insert("org_chart", email=email, department="Sales", seat_tier=tier, end_date=end_date)
    raw.insert("approved_connectors", name="JIRA", approval="approved", owner="IT")
    raw.insert("approved_connectors", name="mcp-*", approval="banned", owner="Security")
    raw.insert("access_reviews", email=None, reviewed_at=date(2026, 4, 1), reviewer="kim")
    raw.insert("access_reviews", email="EVE@x.org", reviewed_at=date(2026, 2, 1), reviewer="kim")


@pytest.fixture
def query(built: tuple[Query, TransformResult]) -> Query:
    return built[0]


def test_nothing_fails_or_warns(built: tuple[Query, TransformResult]) -> None:
    assert (built[1].failed_tests, built[1].warnings) == ([], [])


def test_seats_are_kept_reclaimed_or_made_cheaper(query: Query) -> None:
    rows = query(
        """
        select user_id, recommendation, monthly_saving_usd, reason
        from claude_marts.seat_recommendations order by user_id
        """
    )

    assert rows == [
        ("ana", "keep", Decimal(0), "in use"),
        ("ben", "reclaim", Decimal(40), "not active for 37 days, last on 2026-03-20"),
        ("cho", "reclaim", Decimal(40), "no activity in any loaded day since 2026-03-02"),
        (
            "eve", "downgrade", Decimal(160),
            "active on 4 of 28 days in a seat dearer than the default tier",
        ),
    ]  # fmt: skip


def test_dormant_accounts_say_since_when_and_what_they_cost(query: Query) -> None:
    rows = query(
        """
        select user_id, dormant_since_date::text, monthly_saving_usd
        from claude_marts.dormant_accounts order by user_id
        """
    )

    assert rows == [("ben", "2026-03-20", Decimal(40)), ("cho", "2026-02-01", Decimal(40))]


def test_an_access_review_shows_what_changed_since_the_last_one(query: Query) -> None:
    rows = query(
        """
        select
            user_id, role, rbac_group_names, spend_limit_usd, last_chat_date::text,
            last_claude_code_date::text, last_review_date::text, changes_since_review
        from claude_marts.access_review order by user_id
        """
    )

    everybody = "2026-04-01"
    assert rows == [
        ("ana", "owner", "All, IT", None, "2026-04-26", None, everybody,
         "role user to owner; groups All to All, IT"),
        ("ben", "user", None, Decimal(0), "2026-03-20", None, everybody,
         "spend limit 50.00000000 to 0.00000000"),
        ("cho", "user", None, None, None, None, everybody, None),
        ("eve", "user", None, None, None, "2026-04-20", everybody, None),
    ]  # fmt: skip


def test_a_seat_that_outlasted_its_holders_employment_is_found(query: Query) -> None:
    rows = query(
        """
        select
            user_id, employment_end_date::text, seat_end_date::text, residual_seat_days,
            last_activity_after_date::text, residual_active_days, has_seat, finding
        from claude_marts.offboarding_check
        """
    )

    assert rows == [
        ("dan", "2026-04-10", "2026-04-20", 9, "2026-04-12", 2, False,
         "active after leaving; the seat outlasted the employment"),
    ]  # fmt: skip


def test_connectors_are_judged_by_the_approval_list(query: Query) -> None:
    rows = query(
        """
        select
            connector_name, approval, approval_owner, first_seen_date::text, distinct_user_days,
            max_daily_users, write_call_count, risk_reasons, missing_days
        from claude_marts.connector_audit order by connector_name
        """
    )

    assert rows == [
        ("jira", "approved", "IT", "2026-03-02", 112, 2, None, None, 0),
        ("mcp-paste", "banned", "Security", "2026-04-20", 1, 1, 4,
         "banned and used in the last 30 days; writes without approval; new in the last 30 days",
         0),
    ]  # fmt: skip


def test_an_audit_says_how_many_days_it_does_not_know(query: Query) -> None:
    assert query(
        "select approval, distinct_user_days, covered_days, missing_days"
        " from claude_marts.skill_audit"
    ) == [("unreviewed", 110, 55, 1)]


def test_the_boards_page_is_unknown_where_a_month_is_not_loaded_throughout(query: Query) -> None:
    rows = query(
        """
        select
            month::text, roster_seats, active_seats, inactive_seats, privileged_seats,
            connectors_used, covered_days, month_days
        from claude_marts.adoption_governance_monthly order by month
        """
    )

    # March 1 is missing; April is not over.
    assert rows == [
        ("2026-03-01", 5, None, None, 0, None, 30, 31),
        ("2026-04-01", None, None, None, None, None, 26, 30),
    ]


def test_the_seats_of_all_statuses_are_the_roster(query: Query) -> None:
    assert query(
        """
        select
            count(*) filter (seat_status not in ('invited', 'removed')),
            count(*) filter (seat_status = 'removed')
        from claude_marts.seats
        """
    ) == [(len(ROSTER["2026-04-27"]), 1)]
