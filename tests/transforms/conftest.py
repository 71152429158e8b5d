"""Fixtures of the transforms.

A dbt run takes seconds, so tests share two warehouses: a told one and a random one.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse.dbt import TransformResult, transform
from pipelines.warehouse.duckdb import target
from sources.claude_analytics.endpoints import ENDPOINTS
from tests.transforms.raw_tables import RawWarehouse

Query = Callable[[str], list[tuple[Any, ...]]]
CHAT = "chat_metrics__message_count"
UNIFIED_CHAT = "chat_cowork_unified_metrics__chat__message_count"
UNIFIED_SESSIONS = "chat_cowork_unified_metrics__sessions__distinct_session_count"
TAG = "claude_tag_metrics__active_message_count"
COWORK = "cowork_metrics__distinct_session_count"


def days(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def queries(warehouse: Path) -> Query:
    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(warehouse, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    return query


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[Query, TransformResult]:
    """January 5 to March 2, 2026 in an organisation with a few people, each there for one rule.

    February 10 is lost, March 1 was killed while it loaded, March 2 is available but not loaded.
    """
    folder = tmp_path_factory.mktemp("story")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    for day in days("2026-01-05", "2026-02-28"):
        raw.fetch("summaries", day, [summary(day)], settled=day < date(2026, 2, 20))
        if day != date(2026, 2, 10):
            raw.fetch("users", day, users(day), settled=day < date(2026, 2, 20))
    raw.fetch("users", "2026-03-01", [user("late", CHAT, 1)], load_id="killed")
    for number, rows_hash in enumerate(["a", "b", "b", "c"]):
        raw.fetch(
            "connectors", "2026-01-05", fetched_at=f"2026-01-{10 + number}T00:30:00+02:00",
            rows_hash=rows_hash,
        )  # fmt: skip
    raw.fetch(
        "skills", "2026-01-05",
        [
            {"skill_name": "pdf", "distinct_user_count": 3, "invocation_count": 5,
             "currency": "USD", "attributed_list_price": "0.000001",
             "estimated_overage_spend": "-12.5"},
            {"skill_name": "docx", "distinct_user_count": 2, "invocation_count": 4},
            {"skill_name": "docx", "distinct_user_count": 2, "invocation_count": 5},
        ],
    )  # fmt: skip
    raw.fetch(
        "chat_projects", "2026-01-05",
        [
            {"project_id": "p", "project_name": "Plan", "message_count": 2,
             "distinct_user_count": 1, "created_by__id": "ida",
             "created_by__email_address": "ida@example.com"},
        ],
    )  # fmt: skip
    for endpoint in ENDPOINTS:
        raw.insert(
            "endpoint_runs", endpoint=endpoint.table, run_at="2026-03-05 03:00:00+00", outcome="ok",
            window_start_date=date(2026, 2, 12), newest_available_date=date(2026, 3, 2),
            request_count=1,
        )  # fmt: skip
    for email, department, cost_center, valid_from, tier in [
        (" ANA@example.com", "Sales", "00420", date(2026, 1, 8), None),
        ("ana@EXAMPLE.com", "Operations", "1E5", date(2026, 1, 20), None),
        ("cho@example.com", "Legal", "7", None, "premium"),
    ]:
        raw.insert(
            "org_chart", email=email, department=department, cost_center=cost_center,
            valid_from=valid_from, seat_tier=tier,
        )  # fmt: skip
    raw.insert("seat_prices", seat_tier="default", usd_per_month="31", valid_from=None)
    raw.insert("seat_prices", seat_tier="premium", usd_per_month="62", valid_from=None)
    raw.close()
    result = transform(target(raw.path, folder))
    return queries(raw.path), result


def summary(day: date) -> dict[str, Any]:
    return {
        # no count on January 31: the nearest day has one
        "assigned_seat_count": None if day == date(2026, 1, 31) else 10,
        "daily_active_user_count": 4, "weekly_active_user_count": 5,
        "monthly_active_user_count": 8, "chat_daily_active_user_count": 2,
        "claude_tag_daily_active_user_count": 9,
    }  # fmt: skip


def user(user_id: str, column: str, count: int, **more: Any) -> dict[str, Any]:
    return {"user__id": user_id, column: count, **more}


def users(day: date) -> list[dict[str, Any]]:
    if day == date(2026, 1, 10):
        return []  # a loaded day on which nobody worked
    tag = {TAG: int(day.day == 7)} if day >= date(2026, 2, 1) else {}
    email = {5: "ana.old@example.com", 8: "Ana@example.com"}.get(day.day if day.month == 1 else 0)
    rows = [user("ana", CHAT, 1, user__email_address=email, **tag)]
    # ben is switched to unified chat and Cowork on January 15
    if day < date(2026, 1, 15):
        rows.append(user("ben", CHAT, 2, **{COWORK: 1}))
    else:
        rows.append(user("ben", UNIFIED_CHAT, 3, **{CHAT: 0, COWORK: 0, UNIFIED_SESSIONS: 1}))
    if day == date(2026, 1, 5):
        rows.append(user("cho", CHAT, 1, user__email_address="cho@example.com"))
        # the API repeats dan
        rows += [user("dan", CHAT, 1, chat_metrics__distinct_conversation_count=1)] * 2
        rows.append(user("ida", "web_search_count", 4))
    return rows


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> RawWarehouse:
    """Raw tables with 90 people, 75 days and 40 departments by chance; three days are missing."""
    raw = RawWarehouse(tmp_path_factory.mktemp("crowd") / "warehouse.duckdb")
    raw.connection.execute(
        f"""
        insert into claude_raw.users by name
        select
            date '2026-01-20' + cast(d as integer) as activity_date,
            0 as version,
            'user_' || u as user__id,
            'u' || u || '@example.com' as user__email_address,
            cast(case when hash(u, d, 1) % 9 = 0 then hash(u, d) % 50 else 0 end as bigint)
                as {CHAT},
            cast(case when hash(u, d, 2) % 30 = 0 then 1 else 0 end as bigint)
                as claude_code_metrics__core_metrics__distinct_session_count,
            cast(case when u % 10 = 0 then hash(u, d, 3) % 2 else 0 end as bigint)
                as {UNIFIED_CHAT},
            cast(case when hash(u, d, 4) % 40 = 0 then 1 else 0 end as bigint) as {TAG}
        from range(75) as r(d), range(90) as s(u)
        where hash(u, d, 5) % 3 > 0 and d not in (40, 41, 60)
        """
    )
    for number in range(75):
        day = date(2026, 1, 20) + timedelta(days=number)
        if number not in (40, 41, 60):
            raw.fetch("users", day, settled=number < 70, version=0)
        raw.fetch("summaries", day, [{"assigned_seat_count": 80 + number}])
    raw.connection.execute(
        """
        insert into claude_raw.org_chart by name
        select
            'U' || u || '@Example.com' as email,
            'Department ' || (u + p) % 40 as department,
            '0' || (u + p) % 40 as cost_center,
            date '2026-01-25' + cast(p * 20 + u % 7 as integer) as valid_from
        from range(70) as r(u), range(3) as s(p)
        """
    )
    raw.close()
    return raw
