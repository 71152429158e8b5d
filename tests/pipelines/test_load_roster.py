"""Snapshots of the roster: who was there, from when until when."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from sources.claude_admin import AdminSettings
from sources.claude_admin.endpoints import ROSTERS
from sources.contract import SourceReport
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.conftest import Command, Query
from tests.loading import load_source

TakeSnapshot = Callable[..., SourceReport]
CHANGE_COLUMNS = (
    "undeclared_fields", "row_hash", "is_gone", "version", "organization_id",
    "_dlt_load_id", "_dlt_id",
)  # fmt: skip
PERIODS = """
    select id, role, cast(valid_from as date), cast(valid_to as date)
    from counting_members order by id, valid_from
"""


def columns_of(query: Query, table: str) -> set[str]:
    return {
        name
        for (name,) in query(
            "select column_name from duckdb_columns()"
            f" where schema_name = 'claude_raw' and table_name = '{table}'"
        )
    }


def member(name: str, role: str = "user") -> dict[str, Any]:
    return {"id": f"user_{name}", "email": f"{name}@example.com", "name": name, "role": role}


@pytest.fixture
def snapshot(api: Sandbox, data_dir: DataDir) -> TakeSnapshot:
    """Load the roster as `sync` does."""

    def take(*, today: str, **settings: Any) -> SourceReport:
        data_dir.create()
        given = {"base_url": api.url, "api_key": api.api_key} | settings
        with data_dir.held("test"):
            return load_source(
                data_dir,
                "claude_admin",
                Clock.at(date.fromisoformat(today)),
                AdminSettings(**given),
            )

    return take


def test_a_leaver_ends_and_a_changed_role_begins_anew(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada"), member("ben"), member("chi")])
    snapshot(today="2026-01-08")
    api.publish_roster("members", [member("ada"), member("ben", "owner")])
    snapshot(today="2026-01-09")

    eighth, ninth = date(2026, 1, 8), date(2026, 1, 9)
    assert query(PERIODS) == [
        ("user_ada", "user", eighth, None),
        ("user_ben", "user", eighth, ninth),
        ("user_ben", "owner", ninth, None),
        ("user_chi", "user", eighth, ninth),
    ]


def test_someone_who_comes_back_has_two_periods(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    for day, people in [(8, "ada ben"), (9, "ada"), (10, "ada ben")]:
        api.publish_roster("members", [member(name) for name in people.split()])
        snapshot(today=f"2026-01-{day:02}")

    assert query(PERIODS.replace("order by", "where id = 'user_ben' order by")) == [
        ("user_ben", "user", date(2026, 1, 8), date(2026, 1, 9)),
        ("user_ben", "user", date(2026, 1, 10), None),
    ]


def test_an_empty_answer_retires_nobody(api: Sandbox, snapshot: TakeSnapshot, query: Query) -> None:
    api.publish_roster("members", [member("ada"), member("ben")])
    snapshot(today="2026-01-08")
    api.publish_roster("members", [])
    snapshot(today="2026-01-09")

    assert query("select count(*), count(valid_to) from counting_members") == [(2, 0)]
    assert query(
        "select row_count from claude_raw.roster_snapshots"
        " where roster_table = 'members' order by snapshot_at"
    ) == [(2,), (0,)]


def test_a_list_that_breaks_off_retires_nobody_and_the_others_are_stored(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    people = [member(f"p{number}") for number in range(1_500)]
    api.publish_roster("members", people)
    snapshot(today="2026-01-08")
    api.publish_roster("invites", [{"id": "invite_1", "email": "new@example.com"}])
    api.answer(
        "/organizations/users",
        status=500,
        headers={"x-should-retry": "false"},
        when=lambda params: "after_id" in params,
        times=10,
    )
    report = snapshot(today="2026-01-09")

    assert len(report.problems) == 1
    assert "members" in report.problems[0]
    assert query("select count(*), count(valid_to) from counting_members") == [(1_500, 0)]
    assert query("select id from counting_invites") == [("invite_1",)]


def test_a_run_whose_clock_is_before_the_newest_snapshot_takes_none_and_says_so(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada")])
    snapshot(today="2026-01-09")
    api.publish_roster("members", [member("ben")])
    api.answer("/organizations", headers={"date": "Fri, 09 Jan 2026 12:00:00 GMT"})
    report = snapshot(today="2026-01-08")

    assert report.skipped is not None
    assert "2026-01-09" in report.skipped
    assert query("select id from counting_members") == [("user_ada",)]


def test_a_snapshot_later_than_the_servers_own_time_counts_as_not_taken(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada"), member("ben")])
    snapshot(today="2026-01-08")
    api.publish_roster("members", [member("ada"), member("chi")])
    snapshot(today="2026-01-15")
    snapshot(today="2026-01-09")

    eighth, ninth = date(2026, 1, 8), date(2026, 1, 9)
    assert query(PERIODS) == [
        ("user_ada", "user", eighth, None),
        ("user_ben", "user", eighth, ninth),
        ("user_chi", "user", ninth, None),
    ]


def test_the_same_snapshot_twice_changes_nothing(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada")])
    api.publish_roster(
        "spend_limits", [{"actor": {"type": "user_actor", "user_id": "user_ada"}, "amount": "5"}]
    )
    for day in ("2026-01-08", "2026-01-08", "2026-01-09"):
        snapshot(today=day)

    for table in ("members", "spend_limits"):
        assert query(f"select count(*), count(valid_to) from counting_{table}") == [(1, 0)]


def test_a_night_without_changes_adds_rows_to_the_ledger_alone(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada"), member("ben")])
    counts = (
        "select (select count(*) from claude_raw.members),"
        " (select count(*) from claude_raw.roster_snapshots where roster_table = 'members')"
    )
    snapshot(today="2026-01-08")
    assert query(counts) == [(2, 1)]

    snapshot(today="2026-01-09")
    assert query(counts) == [(2, 2)]

    api.publish_roster("members", [member("ada", "owner"), member("ben")])
    snapshot(today="2026-01-10")

    # The row that is, and the word that the former one is gone.
    assert query(counts) == [(4, 3)]


def test_every_declared_column_is_there_also_where_nobody_has_a_value(
    api: Sandbox, data_dir: DataDir, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada")])
    api.publish_roster(
        "spend_limits", [{"actor": {"type": "user_actor", "user_id": "user_ada"}, "amount": None}]
    )
    snapshot(today="2026-01-08")
    create_absent_tables(warehouse_pipeline(data_dir))

    for roster in ROSTERS:
        assert columns_of(query, roster.table) == {*roster.columns, *CHANGE_COLUMNS}


def test_members_of_each_group_are_kept_by_group(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("rbac_groups", [{"id": "group_a", "name": "A"}, {"id": "group_b"}])
    api.publish_roster(
        "rbac_group_members",
        [
            {"rbac_group_id": "group_a", "user_id": "user_ada"},
            {"rbac_group_id": "group_b", "user_id": "user_ada"},
        ],
    )
    snapshot(today="2026-01-08")
    api.publish_roster("rbac_group_members", [{"rbac_group_id": "group_a", "user_id": "user_ada"}])
    snapshot(today="2026-01-09")

    assert query(
        "select rbac_group_id, cast(valid_to as date) from counting_rbac_group_members order by 1"
    ) == [("group_a", None), ("group_b", date(2026, 1, 9))]


def test_a_list_that_was_read_before_and_is_refused_now_is_a_failure(
    api: Sandbox, snapshot: TakeSnapshot
) -> None:
    api.publish_roster("members", [member("ada")])
    snapshot(today="2026-01-08")
    api.answer("/spend_limits", status=403, times=10)

    problems = snapshot(today="2026-01-09").problems

    assert any("spend_limits was read before" in problem for problem in problems)


def test_what_the_key_may_not_read_is_unavailable_and_the_rest_is_loaded(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada")])
    api.scopes = ("read:members",)
    report = snapshot(today="2026-01-08")

    unavailable = [
        "claude_code_default_settings",
        "claude_code_group_settings",
        "claude_code_settings",
        "claude_code_settings_groups",
        "configured_spend_limits",
        "federation_issuers",
        "federation_rules",
        "organization_plugins",
        "plugin_installation_settings",
        "plugin_marketplaces",
        "plugin_shares",
        "plugin_versions",
        "rbac_group_members",
        "rbac_groups",
        "service_account_workspaces",
        "service_accounts",
        "spend_limit_increase_requests",
        "spend_limits",
    ]
    assert sorted(report.with_outcome("unavailable")) == unavailable
    assert report.problems == []
    assert query("select id from counting_members") == [("user_ada",)]
    assert query(
        "select endpoint from claude_raw.endpoint_runs where outcome = 'unavailable' order by 1"
    ) == [(table,) for table in unavailable]


def test_a_key_that_is_not_accepted_is_a_failure_with_its_reason(
    api: Sandbox, snapshot: TakeSnapshot
) -> None:
    report = snapshot(today="2026-01-08", api_key="sk-wrong")

    assert len(report.problems) == 1
    assert "SOURCES__CLAUDE_ADMIN__API_KEY" in report.problems[0]
    assert "sk-wrong" not in report.problems[0]


def test_without_a_key_the_tables_are_there_and_empty(
    api: Sandbox, data_dir: DataDir, snapshot: TakeSnapshot, query: Query
) -> None:
    report = snapshot(today="2026-01-08", api_key=None)
    create_absent_tables(warehouse_pipeline(data_dir))

    assert report.skipped is not None
    assert "SOURCES__CLAUDE_ADMIN__API_KEY" in report.skipped
    assert api.requests == []
    for roster in ROSTERS:
        assert query(f"select count(*) from claude_raw.{roster.table}") == [(0,)]
        assert columns_of(query, roster.table) == {
            *roster.columns,
            *CHANGE_COLUMNS,
        }
    assert query("select count(*) from claude_raw.roster_snapshots") == [(0,)]


def test_a_field_nobody_knew_is_kept(api: Sandbox, snapshot: TakeSnapshot, query: Query) -> None:
    api.publish_roster("members", [member("ada") | {"seat_tier": "premium"}], fill=False)
    snapshot(today="2026-01-08")

    assert query("select undeclared_fields from counting_members") == [
        ('{"seat_tier": "premium"}',)
    ]


def test_moments_are_stored_as_the_api_gave_them(
    api: Sandbox, snapshot: TakeSnapshot, query: Query
) -> None:
    api.publish_roster("members", [member("ada") | {"added_at": "2026-01-02T03:04:05+01:00"}])
    snapshot(today="2026-01-08")

    assert query("select added_at::timestamp from counting_members") == [
        (datetime(2026, 1, 2, 2, 4, 5),)
    ]


def test_a_sync_takes_the_snapshot_unless_it_names_only_other_tables(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.publish_roster("members", [member("ada")])
    key = {
        "SOURCES__CLAUDE_ADMIN__API_KEY": api.api_key,
        "SOURCES__CLAUDE_ADMIN__BASE_URL": api.url,
    }
    sync = "sync --no-transform --today 2026-01-08"
    snapshots = "select count(*) from claude_raw.roster_snapshots where roster_table = 'members'"

    only_users = command(f"{sync} --only users", **key)
    assert only_users.exit_code == 0, only_users.err
    assert query(snapshots) == [(0,)]

    only_roster = command(f"{sync} --only claude_admin", **key)
    assert only_roster.exit_code == 0, only_roster.err
    assert query("select id from counting_members") == [("user_ada",)]
    assert query(snapshots) == [(1,)]

    everything = command(sync.replace("08", "09"), **key)
    assert everything.exit_code == 0, everything.err
    assert query(snapshots) == [(2,)]
