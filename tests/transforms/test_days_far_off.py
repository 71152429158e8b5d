"""Days that the API never had: history that somebody imported from before its first day."""

from datetime import date
from pathlib import Path

from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from tests.transforms.conftest import CHAT, days, queries, user
from tests.transforms.raw_tables import RawWarehouse


def test_imported_days_from_before_2026_count_like_every_other_day(tmp_path: Path) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    for day in days("2025-11-20", "2026-01-10"):
        seen = [user("ana", CHAT, 1)] if day.day != 24 else []
        raw.fetch("users", day, [*seen, user("ben", CHAT, int(day.day == 24))])
        raw.snapshot("members", f"{day} 03:00:00", [{"id": "ana", "email": "ana@example.com"}])
    raw.close()

    result = transform(
        target(raw.path, tmp_path), {}, ["+active_users_daily", "+seat_utilization_daily"]
    )

    assert result.failed_tests == []
    query = queries(raw.path)
    assert query(
        "select activity_date, computed_daily_active_users, computed_weekly_active_users,"
        " computed_monthly_active_users from claude_marts.active_users_daily"
        " where day(activity_date) in (24, 25) or activity_date = date '2025-12-31'"
        " order by activity_date"
    ) == [
        (date.fromisoformat("2025-11-24"), 1, None, None),
        (date.fromisoformat("2025-11-25"), 1, None, None),
        (date.fromisoformat("2025-12-24"), 1, 2, 2),
        (date.fromisoformat("2025-12-25"), 1, 2, 2),
        (date.fromisoformat("2025-12-31"), 1, 1, 2),
    ]
