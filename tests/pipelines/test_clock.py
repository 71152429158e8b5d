"""A clock that is ahead or behind: nothing later than the server's own time counts as read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED
from pipelines.run import RunResult, sync
from sources.claude_admin import AdminSettings
from sources.claude_analytics import AnalyticsSettings
from sources.claude_compliance import ComplianceSettings
from sources.langdock import LangdockSettings
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.conftest import Command, Query
from tests.loading import load_source
from tests.versions import create_views

ROWS = {
    "days": "select endpoint, activity_date, arg_max(rows_hash, fetch_number)"
    " from claude_raw.loaded_days"
    " where activity_date between '2026-06-21' and '2026-06-26' group by all",
    "users": "select activity_date, user__id, chat_metrics__message_count"
    " from counting_users where activity_date between '2026-06-21' and '2026-06-26'",
    "costs": "select activity_date, group__actor__user_id, cost__amount"
    " from counting_costs where activity_date > '2026-06-20'",
    "events": "select id from counting_activities where created_at < '2026-06-29 05:00'",
    "members": "select id, role from counting_members where valid_to is null",
    "snapshot": "select cast(max(snapshot_at) as date) from claude_raw.roster_snapshots",
    "ended_months": "select distinct entity, period_start from claude_raw.langdock_exports"
    " where period_start < '2026-06-01'",
}
MOMENTS = {
    "loaded_days": "fetched_at",
    "roster_snapshots": "snapshot_at",
    "activity_windows": "to_at",
    "langdock_exports": "exported_at",
    "endpoint_runs": "run_at",
}


@pytest.fixture
def organisation() -> Iterator[Sandbox]:
    with Sandbox(seats=4, today="2026-06-27") as sandbox:
        # One export is as good as six.
        sandbox.langdock.without = {"agents", "api_keys", "models", "projects", "workflows"}
        yield sandbox


def run(organisation: Sandbox, data_dir: DataDir, clock: Clock) -> RunResult:
    """A night without its marts, as a machine with this clock runs it."""
    url, key = organisation.url, organisation.api_key
    with data_dir.held("test"):
        result = sync(
            data_dir,
            clock,
            {
                "claude_analytics": AnalyticsSettings(
                    base_url=url, api_key=key, requests_per_minute=100_000, window_days=9,
                    cost_window_days=9,
                ),
                "claude_admin": AdminSettings(base_url=url, api_key=key),
                "claude_compliance": ComplianceSettings(
                    base_url=url, api_key=key, first_day="2026-06-24"
                ),
                "langdock": LangdockSettings(base_url=url, api_key=organisation.langdock.api_key),
            },
            transforms=False,
        )  # fmt: skip
    assert result.problems == []
    return result


def machine(moment: str) -> Clock:
    return Clock(datetime.fromisoformat(moment).replace(tzinfo=UTC))


def held(data_dir: DataDir) -> dict[str, Any]:
    """What the warehouse holds, and that nothing of it is from the future."""
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        warehouse.execute("set timezone = 'UTC'")
        create_views(warehouse)
        for table, moment in MOMENTS.items():
            newest = warehouse.execute(f"select max({moment}) from claude_raw.{table}").fetchone()
            assert newest and newest[0] < datetime(2026, 6, 30, tzinfo=UTC), table
        return {
            name: sorted(warehouse.execute(query).fetchall(), key=repr)
            for name, query in ROWS.items()
        }


@pytest.mark.parametrize(
    "server", [pytest.param("2026-06-27", marks=pytest.mark.long), "2026-07-03"]
)
def test_nothing_is_missing_two_nights_after_a_clock_was_six_days_ahead(
    organisation: Sandbox, tmp_path: Path, server: str
) -> None:
    """Where the server was ahead with it, the warehouse is as earlier versions left it."""
    ahead, right = DataDir(tmp_path / "ahead"), DataDir(tmp_path / "right")
    organisation.today = server
    note = run(organisation, ahead, machine("2026-07-03T06:00")).notes
    assert (server == "2026-07-03") or "6 days ahead of the API's own time" in note[0]

    organisation.today = "2026-06-27"
    run(organisation, right, machine("2026-06-27T06:00"))
    for day in ("2026-06-28", "2026-06-29"):
        organisation.today = day
        for data_dir in (ahead, right):
            run(organisation, data_dir, machine(f"{day}T06:00"))

    assert held(ahead) == held(right)


def test_a_clock_that_is_behind_is_said(tmp_path: Path) -> None:
    with Sandbox.empty(today="2026-01-08") as api, DataDir(tmp_path).held("test"):
        settings = AnalyticsSettings(base_url=api.url, api_key=api.api_key, cost_window_days=3)
        live = load_source(
            DataDir(tmp_path),
            "claude_analytics",
            machine("2026-01-06T00:00"),
            settings,
            only=["users"],
        )
        api.answer("/users", headers={"date": "Thu, 08 Jan 2026 12:00:00 GMT"})
        replay = load_source(
            DataDir(tmp_path),
            "claude_analytics",
            Clock.at(date(2026, 1, 6)),
            settings,
            only=["users"],
        )

    assert "days behind the API's own time" in str(live.clock_note)
    assert replay.clock_note == (
        "This run counts as of 2026-01-06 (--today); the API's own time is 2026-01-08 12:00 UTC."
    )


def test_the_newest_day_that_the_api_names_tells_its_time_where_it_says_none(
    tmp_path: Path, query: Query
) -> None:
    with Sandbox.empty(today="2026-01-15") as api, DataDir(tmp_path / "data").held("test"):
        settings = AnalyticsSettings(base_url=api.url, api_key=api.api_key)
        api.answer("/me", status=404, body={}, headers={"date": "soon"}, times=100)
        words = "date: 2026-01-18 is not available yet. The newest available day is 2026-01-12."
        dated_by_a_proxy = {"date": "Sun, 29 Nov 2026 12:00:00 GMT"}
        body = {"error": {"message": words}}
        api.answer("/users", status=400, body=body, headers=dated_by_a_proxy)
        report = load_source(
            DataDir(tmp_path / "data"),
            "claude_analytics",
            machine("2026-01-21T06:00"),
            settings,
            only=["users"],
        )

    assert report.clock is not None and report.clock.now == datetime(2026, 1, 15, tzinfo=UTC)
    assert query("select max(activity_date), max(fetched_at) from claude_raw.loaded_days") == [
        (date(2026, 1, 12), datetime(2026, 1, 15, tzinfo=UTC))
    ]


def test_doctor_shows_how_far_the_clocks_are_apart(api: Sandbox, command: Command) -> None:
    api.answer("/users", headers={"date": "Wed, 07 Jan 2026 22:00:00 GMT"}, times=10)

    ended = command("doctor --today 2026-01-08")

    assert ended.exit_code == FAILED
    assert "clock: --today 2026-01-08 lies 2.0 hours ahead of the API's own time" in ended.out
