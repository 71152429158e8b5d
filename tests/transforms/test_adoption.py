"""Adoption by month of five people, from January 1 to April 5, 2026; April has gaps."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, Query, days, queries
from tests.transforms.raw_tables import RawWarehouse, marts

Build = Callable[..., Query]
JANUARY, FEBRUARY, MARCH, APRIL = (f"2026-0{number}-01" for number in (1, 2, 3, 4))

# ana is there all the time, ben stops in February, cho skips February, dan begins in March,
# eve never does anything.
ACTIVE = {
    "ana": days("2026-01-05", "2026-03-31"),
    "ben": days("2026-01-20", "2026-02-03"),
    "cho": [*days("2026-01-20", "2026-01-21"), date(2026, 3, 9), date(2026, 3, 20)],
    "dan": days("2026-03-02", "2026-03-04"),
}


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def build(
        active: Mapping[str, Sequence[date]],
        loaded: Sequence[date],
        *,
        org_chart: Sequence[tuple[str, str, str | None]] = (),
        roster: Mapping[str, Sequence[str]] | None = None,
        **variables: str,
    ) -> Query:
        raw = RawWarehouse(tmp_path / "warehouse.duckdb")
        for day in loaded:
            rows = [
                {"user__id": person, "user__email_address": f"{person}@x.org", CHAT: 1}
                for person, active_days in active.items()
                if day in active_days
            ]
            raw.fetch("users", day, rows)
        for email, department, valid_from in org_chart:
            raw.insert("org_chart", email=email, department=department, valid_from=valid_from)
        for at, people in (roster or {}).items():
            raw.snapshot(
                "members", at, [{"id": person, "email": f"{person}@x.org"} for person in people]
            )
        raw.close()
        result = transform(target(raw.path, tmp_path), variables, marts("adoption", "seats"))
        assert (result.failed_tests, result.warnings) == ([], [])
        return queries(raw.path)

    return build


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Query:
    folder = tmp_path_factory.mktemp("adoption")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    for day in days("2026-01-01", "2026-04-05"):
        rows = [{"user__id": person, CHAT: 1} for person in ACTIVE if day in ACTIVE[person]]
        raw.fetch("users", day, rows)
    raw.close()
    result = transform(target(raw.path, folder), select=marts("adoption"))
    assert (result.failed_tests, result.warnings) == ([], [])
    return queries(raw.path)


def test_growth_tells_who_is_new_who_stayed_who_came_back_and_who_left(months: Query) -> None:
    rows = months(
        """
        select
            month::text, active_users, new_users, retained_users, resurrected_users, churned_users,
            covered_days
        from claude_marts.growth_monthly order by month
        """
    )

    assert rows == [
        (JANUARY, 3, None, None, None, None, 31),
        (FEBRUARY, 2, 0, 2, 0, 1, 28),  # cho is not there
        (MARCH, 3, 1, 1, 1, 1, 31),  # dan is new, ana stayed, cho came back, ben left
        (APRIL, None, None, None, None, None, 5),
    ]


def test_the_power_user_curve_counts_people_by_their_active_days(months: Query) -> None:
    rows = months(
        """
        select active_days, users, user_rate_at_least from claude_marts.activity_frequency_monthly
        where month = '2026-03-01' and (users > 0 or active_days = 30) order by active_days
        """
    )
    [(april, covered)] = months(
        "select count(users), any_value(covered_days) from claude_marts.activity_frequency_monthly"
        " where month = '2026-04-01'"
    )

    assert rows == [(2, 1, 1.0), (3, 1, 2 / 3), (30, 0, 1 / 3), (31, 1, 1 / 3)]
    assert (april, covered) == (0, 5)


def test_retention_follows_the_people_of_a_first_month(months: Query) -> None:
    rows = months(
        """
        select first_active_month::text, months_since, cohort_users, retained_users, retention_rate
        from claude_marts.retention_monthly
        where first_active_month >= '2026-02-01' order by 1, 2
        """
    )

    assert rows == [
        (FEBRUARY, 0, 0, 0, None),
        (FEBRUARY, 1, 0, 0, None),
        (FEBRUARY, 2, 0, None, None),
        (MARCH, 0, 1, 1, 1.0),
        (MARCH, 1, 1, None, None),
        (APRIL, 0, None, None, None),
    ]


def test_a_month_with_a_missing_day_is_unknown_and_so_is_what_follows_it(build: Build) -> None:
    loaded = [day for day in days("2026-01-01", "2026-03-31") if day != date(2026, 2, 10)]

    rows = build(ACTIVE, loaded)(
        "select month::text, active_users, churned_users, covered_days, month_days"
        " from claude_marts.growth_monthly order by month"
    )

    assert rows == [(JANUARY, 3, None, 31, 31), (FEBRUARY, None, None, 27, 28),
                    (MARCH, 3, None, 31, 31)]  # fmt: skip


def test_a_small_department_cannot_be_told_from_the_total(build: Build) -> None:
    people = [f"{team}{number}" for team, size in SIZES.items() for number in range(size)]
    active = {person: [date(2026, 1, 5)] for person in people if not person.startswith("quiet")}
    query = build(
        active, days("2026-01-01", "2026-01-31"),
        org_chart=[(f"{person}@X.org", person.rstrip("0123456789"), None) for person in people],
        roster={"2026-01-01T10:00": people, "2026-01-31T10:00": people},
    )  # fmt: skip

    rows = query(
        """
        select department, department_count, people, seat_holders, active_users, adoption_rate
        from claude_marts.team_adoption_monthly order by department
        """
    )

    # tiny (1) is too small, and small (2) with it too: quiet (5) hides both.
    assert rows == [
        ("Other", 3, 8, 8, 3, 3 / 8),
        ("large", 1, 9, 9, 9, 1.0),
        ("middle", 1, 6, 6, 6, 1.0),
    ]


SIZES = {"tiny": 1, "small": 2, "quiet": 5, "middle": 6, "large": 9}


def test_people_count_in_the_department_in_which_they_are_at_the_end_of_the_month(
    build: Build,
) -> None:
    query = build(
        {"ana": [date(2026, 1, 5)], "ben": [date(2026, 2, 2), date(2026, 2, 3)]},
        days("2026-01-01", "2026-02-28"),
        org_chart=[
            ("ana@x.org", "Sales", None), ("ana@x.org", "Legal", "2026-01-31"),
            ("ben@x.org", "Sales", None), ("ben@x.org", "Legal", "2026-03-01"),
        ],
        min_group_size="1",
    )  # fmt: skip

    rows = query(
        """
        select month::text, department, people, seat_holders, active_user_days, adoption_rate
        from claude_marts.team_adoption_monthly order by month
        """
    )

    assert rows == [
        (JANUARY, "Legal", 1, None, 1, None),
        (FEBRUARY, "Sales", 1, None, 2, None),
    ]


def test_every_metric_block_of_a_user_is_in_the_marts(build: Build, tmp_path: Path) -> None:
    blocks: dict[str, Any] = {
        "cowork_metrics__message_count": 1,
        "cowork_metrics__file_edit_count": 2,
        "cowork_metrics__plugins_used_count": 3,
        "cowork_metrics__distinct_plugins_used_count": 1,
        "office_metrics__excel__message_count": 4,
        "office_metrics__outlook__message_count": 5,
        "office_metrics__powerpoint__message_count": 6,
        "office_metrics__word__message_count": 7,
        "design_metrics__distinct_session_count": 8,
        "science_metrics__delegation_count": 9,
        "claude_tag_metrics__active_message_count": 10,
        "chat_cowork_unified_metrics__sessions__message_count": 11,
        "chat_cowork_unified_metrics__sessions__plugins_used_count": 12,
    }
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.fetch("users", "2026-01-05", [{"user__id": "ana", **blocks}])
    raw.fetch("summaries", "2026-01-05", [
        {"science_entitled_user_count": 3, "daily_adoption_rate": 55.0},
    ])  # fmt: skip
    raw.close()
    transform(target(raw.path, tmp_path), select=marts("adoption", "seats"))
    query = queries(raw.path)

    rows = query(
        """
        select
            cowork_message_count, cowork_file_edit_count, cowork_plugins_used_count,
            unified_cowork_message_count, office_message_count, word_message_count,
            design_session_count, science_delegation_count, claude_tag_message_count,
            chat_message_count, distinct_chat_skills_used_count
        from claude_marts.user_activity_daily
        """
    )
    products = query(
        "select product, plugins_used_count, session_count"
        " from claude_marts.user_product_activity_daily order by product"
    )
    organisation = query(
        "select science_entitled_users, reported_daily_adoption_rate"
        " from claude_marts.seat_utilization_daily"
    )

    assert rows == [(12, None, 15, 11, 22, 7, 8, 9, 10, None, None)]
    assert products == [
        ("claude_design", None, 8),
        ("claude_tag", None, None),
        ("cowork", 15, None),
        ("office_agent", None, None),
        ("science", None, None),
    ]
    assert organisation == [(3, 0.55)]
