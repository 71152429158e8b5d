"""Rosters are read whole or not at all: a list that breaks off would look like people who left."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sources.claude_admin.endpoints import ROSTERS, Roster
from sources.claude_admin.snapshot import ADMIN_API, Snapshot, raw_row, take_snapshot
from sources.errors import ApiError
from sources.http import HttpClient
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox

Row = dict[str, Any]
Take = Callable[..., Snapshot]

ROSTER = {roster.table: roster for roster in ROSTERS}
TABLES = sorted(ROSTER)
TODAY = "2026-06-15"
ALWAYS = 1000
USERS, GROUPS = "/v1/organizations/users", "/v1/organizations/rbac_groups"
ADA = {
    "id": "user_ada",
    "email": "ada@northwind.example",
    "name": "Ada",
    "role": "owner",
    "added_at": "2026-01-05T09:00:00Z",
    "type": "user",
}
ENGINEERING = {
    "id": "rbac_group_engineering",
    "name": "Engineering",
    "source_type": "scim",
    "role_ids": ["rbac_role_2", "rbac_role_1"],
    "created_at": "2026-02-01T08:00:00Z",
    "updated_at": "2026-02-02T08:00:00.5Z",
    "type": "rbac_group",
}
ADA_IN_ENGINEERING = {
    "rbac_group_id": "rbac_group_engineering",
    "user_id": "user_ada",
    "email": "ada@northwind.example",
    "created_at": "2026-02-03T08:00:00Z",
    "type": "rbac_group_member",
}
INVITE: Row = {
    "id": "invite_1",
    "email": "new@northwind.example",
    "role": "user",
    "status": "pending",
    "invited_at": "2026-06-01T00:00:00Z",
    "expires_at": "2026-06-22T00:00:00Z",
    "accepted_at": None,
    "rbac_group_ids": [],
    "type": "invite",
}
LIMIT: Row = {
    "actor": {
        "type": "user_actor",
        "user_id": "user_ada",
        "name": "Ada",
        "email_address": "ada@northwind.example",
        "deleted": False,
    },
    "scope": {"type": "user", "user_id": "user_ada"},
    "source": {"type": "seat_tier", "seat_tier": "premium"},
    "amount": "50000",
    "currency": "USD",
    "period": "monthly",
    "period_to_date_spend": "12050.5",
    "spend_limit_id": "spl_1",
}
ORGANIZATION = {"id": "5b2f7c1e-8d44", "name": "Northwind", "type": "organization"}
ADA_ACTOR = LIMIT["actor"]
MADE: Row = {
    "created_at": "2026-01-05T08:00:00Z",
    "created_by_actor_id": "user_ada",
    "updated_at": "2026-01-05T08:00:00Z",
    "updated_by_actor_id": "user_ada",
    "archived_at": None,
    "archived_by_actor_id": None,
}
PLUGIN_VERSION: Row = {
    "components": [{"type": "skill", "name": "review", "description": None}],
    "content_scan": {"status": "completed", "assessment": "warn", "reason": "other"},
    "created_at": "2026-01-05T08:00:00Z",
    "created_by": {"type": "user_actor", "user_id": "user_ada", "email_address": None},
    "description": None,
    "display_name": None,
    "manifest_version": "1.0.0",
    "reach": "contained",
}
LISTED: dict[str, Row] = {
    "members": ADA,
    "invites": INVITE,
    "rbac_groups": ENGINEERING,
    "rbac_group_members": ADA_IN_ENGINEERING,
    "spend_limits": LIMIT,
    "rbac_roles": {
        "id": "rbac_role_1",
        "display_name": "Code tools",
        "source": {"type": "custom"},
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "rbac_role",
    },
    "rbac_role_permissions": {
        "action": "use",
        "resource": {"type": "connector_tool", "connector_id": "github", "tool_name": "search"},
        "type": "rbac_role_permission",
    },
    "configured_spend_limits": {
        "id": "spl_2",
        "amount": "50000",
        "currency": "USD",
        "period": "monthly",
        "is_enabled": True,
        "scope": {"type": "workspace", "workspace_id": "wrkspc_1"},
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "spend_limit",
    },
    "spend_limit_increase_requests": {
        "id": "slir_1",
        "actor": ADA_ACTOR,
        "status": "approved",
        "period": "monthly",
        "created_at": "2026-01-05T08:00:00Z",
        "resolved_at": "2026-01-06T08:00:00Z",
        "resolved_by": {"type": "scoped_api_key_actor", "scoped_api_key_id": "apikey_9"},
        "spend_summary": {"period_to_date_spend": "1"},
        "type": "spend_limit_increase_request",
    },
    "api_keys": {
        "id": "apikey_1",
        "name": "nightly",
        "status": "active",
        "partial_key_hint": "sk-ant-api03-R2D...igAA",
        "created_at": "2026-01-05T08:00:00Z",
        "created_by": {"id": "user_ada", "type": "user"},
        "expires_at": None,
        "principal": {"type": "service_account_actor", "service_account_id": "svac_1"},
        "scope": {"type": "workspace", "workspace_id": "wrkspc_1"},
        "type": "api_key",
    },
    "workspaces": {
        "id": "wrkspc_1",
        "name": "Production",
        "display_color": "#6C5BB9",
        "compartment_id": "compartment_1",
        "external_key_id": None,
        "user_profile_id": None,
        "tags": {"stage": "production"},
        "data_residency": {
            "workspace_geo": "us",
            "default_inference_geo": "global",
            "allowed_inference_geos": ["us", "global"],
        },
        "created_at": "2026-01-05T08:00:00Z",
        "archived_at": None,
        "type": "workspace",
    },
    "workspace_members": {
        "workspace_id": "wrkspc_1",
        "user_id": "user_ada",
        "workspace_role": "workspace_admin",
        "type": "workspace_member",
    },
    "service_accounts": {
        "id": "svac_1",
        "name": "nightly",
        "description": None,
        "organization_role": "developer",
        "type": "service_account",
        **MADE,
    },
    "service_account_workspaces": {
        "service_account_id": "svac_1",
        "workspace_id": "wrkspc_1",
        "workspace_role": "workspace_developer",
        "implicit": False,
        "created_by_actor_id": "user_ada",
        "type": "service_account_workspace_member",
    },
    "federation_issuers": {
        "id": "fdis_1",
        "name": "ci",
        "issuer_url": "https://token.actions.example",
        "check_jti": True,
        "max_jwt_lifetime_seconds": 3600,
        "jwks": {"type": "inline", "keys": [{"kid": "b"}, {"kid": "a"}]},
        "jwks_polling_disabled_at": None,
        "poll_status": {"consecutive_failures": 2},
        "type": "federation_issuer",
        **MADE,
    },
    "federation_rules": {
        "id": "fdrl_1",
        "name": "release",
        "description": None,
        "issuer_id": "fdis_1",
        "issuer_name": "ci",
        "match": {"claims": {"environment": "production"}},
        "target": {"type": "service_account", "service_account_id": "svac_1"},
        "oauth_scope": "workspace:developer",
        "token_lifetime_seconds": 900,
        "applies_to_all_workspaces": False,
        "workspace_ids": ["wrkspc_1"],
        "type": "federation_rule",
        **MADE,
    },
    "plugin_marketplaces": {
        "id": "marketplace_1",
        "name": "library",
        "source": "github",
        "owner": {"type": "organization"},
        "default_installation_preference": "available",
        "sync_status": "success",
        "last_sync_ended_at": "2026-01-05T08:00:00Z",
        "last_sync_read_sha": "0a1b2c",
        "created_at": "2026-01-05T08:00:00Z",
        "type": "plugin_marketplace",
    },
    "organization_plugins": {
        "id": "plugin_1",
        "name": "review",
        "marketplace_id": "marketplace_1",
        "owner": {"type": "organization"},
        "organization_installation_preference": "available",
        "organization_installation_preference_inherited": True,
        "latest_version_id": "pluginver_1",
        "served_version_id": "pluginver_1",
        "served_version_pinned": False,
        **PLUGIN_VERSION,
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "plugin",
    },
    "plugin_versions": {
        "id": "pluginver_1",
        "plugin_id": "plugin_1",
        **PLUGIN_VERSION,
        "release_notes": None,
        "type": "plugin_version",
    },
    "plugin_installation_settings": {
        "plugin_id": "plugin_1",
        "target": {"type": "rbac_group", "rbac_group_id": "rbac_group_1"},
        "installation_preference": "required",
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "plugin_installation_setting",
    },
    "plugin_shares": {
        "plugin_id": "plugin_2",
        "target": {"type": "organization_member", "user_id": "user_ada"},
        "granted_at": "2026-01-05T08:00:00Z",
        "type": "plugin_share",
    },
    "claude_code_settings": {
        "mode": {"type": "rbac_groups"},
        "mode_updated_at": None,
        "rbac_group_order": ["rbac_group_1"],
        "rbac_group_order_version": "1",
        "type": "claude_code_managed_settings_configuration",
    },
    "claude_code_settings_groups": {
        "rbac_group_id": "rbac_group_1",
        "rbac_group_status": {"type": "active"},
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "claude_code_rbac_group_managed_settings_summary",
    },
    "claude_code_group_settings": {
        "rbac_group_id": "rbac_group_1",
        "rbac_group_status": {"type": "active"},
        "settings": {"disableAllHooks": True},
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "claude_code_rbac_group_managed_settings",
    },
    "claude_code_default_settings": {
        "settings": None,
        "updated_at": None,
        "type": "claude_code_rbac_group_default_managed_settings",
    },
    "compliance_settings": {"state": {"type": "enabled"}, "type": "compliance_settings"},
    "telemetry_destinations": {
        "id": "tdst_1",
        "display_name": None,
        "endpoint_url": "https://otel.northwind.example",
        "header_names": ["authorization"],
        "state": {"type": "disabled", "reason": {"type": "caller"}},
        "traces": {
            "content_mode": "metadata_only",
            "enabled": True,
            "endpoint_url": None,
            "max_content_bytes": 1000,
        },
        "workspaces": {"type": "all"},
        "delivery_health": {"last_error": "refused"},
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
        "type": "telemetry_destination",
    },
    "organization_webhooks": {
        "id": "wbhk_1",
        "name": "keys",
        "description": "",
        "url": "https://hooks.northwind.example/claude",
        "state": "enabled",
        "disabled_reason": "",
        "enabled_events": ["external_key.failed"],
        "created_at": "2026-01-05T08:00:00Z",
        "updated_at": "2026-01-05T08:00:00Z",
    },
}
PARENTS = {"rbac_role_permissions": {"rbac_role_id": "rbac_role_1"}}
"""What a published row says beside what the API sends: in whose list it stands."""
ADAS_PLUGIN: Row = {
    **LISTED["organization_plugins"],
    "id": "plugin_2",
    "owner": {"type": "user", "user_id": "user_ada"},
}
"""A plugin of a member's own, which has shares where one of the organisation has settings."""
DOCUMENTED: dict[str, Row] = {**LISTED, "organizations": ORGANIZATION}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox.empty(today=TODAY) as sandbox:
        for table, row in LISTED.items():
            others = [ADAS_PLUGIN] if table == "organization_plugins" else []
            sandbox.publish_roster(table, [{**row, **PARENTS.get(table, {})}, *others])
        yield sandbox


@pytest.fixture
def api(server: Sandbox) -> Iterator[Sandbox]:
    """The server of this module, without the requests and wrong answers of other tests."""
    server.requests.clear()
    yield server
    server.clear_answers()


@pytest.fixture
def take(api: Sandbox, tmp_path: Path) -> Take:
    """Takes a snapshot, with any other option of the client."""

    def take(**options: Any) -> Snapshot:
        budget = RateBudget(tmp_path / "rate_budget.db", 100_000)
        defaults = {"base_url": api.url, "api_key": api.api_key, "budget": budget}
        with HttpClient(ADMIN_API, **{**defaults, **options}) as client:
            return take_snapshot(lambda _: client)

    return take


def asked(api: Sandbox, path: str) -> list[dict[str, str]]:
    return [request.params for request in api.requests if request.path == path]


def ids(snapshot: Snapshot, table: str) -> list[str]:
    return [row["id"] for row in snapshot.rows[table]]


def read(table: str, **fields: Any) -> Row:
    parent_id = "rbac_role_1" if ROSTER[table].parent_column else ""
    return raw_row(ROSTER[table], {**DOCUMENTED[table], **fields}, parent_id)


def says(error: pytest.ExceptionInfo[ApiError]) -> str:
    return str(error.value)


# Rows.


def test_every_roster_is_read_as_it_is(take: Take) -> None:
    snapshot = take()

    assert (snapshot.refused, snapshot.failures) == ({}, {})
    assert {table: len(rows) for table, rows in snapshot.rows.items()} == {
        **dict.fromkeys(TABLES, 1),
        "organization_plugins": 2,
    }
    (ada,) = snapshot.rows["members"]
    assert ada == {
        "id": "user_ada",
        "email": "ada@northwind.example",
        "name": "Ada",
        "role": "owner",
        "added_at": datetime(2026, 1, 5, 9, tzinfo=UTC),
        "type": "user",
        "undeclared_fields": None,
    }
    (limit,) = snapshot.rows["spend_limits"]
    assert {name: value for name, value in limit.items() if value is not None} == {
        "actor__type": "user_actor",
        "actor__user_id": "user_ada",
        "actor__name": "Ada",
        "actor__email_address": "ada@northwind.example",
        "actor__deleted": False,
        "scope__type": "user",
        "scope__user_id": "user_ada",
        "source__type": "seat_tier",
        "source__seat_tier": "premium",
        "amount": Decimal(50000),
        "currency": "USD",
        "period": "monthly",
        "spend_limit_id": "spl_1",
    }


@pytest.mark.parametrize("table", TABLES)
def test_a_row_has_every_declared_column_and_no_other(table: str) -> None:
    assert list(read(table)) == [*ROSTER[table].columns, "undeclared_fields"]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-02-03T09:31:05Z", datetime(2026, 2, 3, 9, 31, 5)),
        ("2026-02-03T09:31:05.123456789Z", datetime(2026, 2, 3, 9, 31, 5, 123_456)),
        ("2026-02-03T01:31:05+02:00", datetime(2026, 2, 2, 23, 31, 5)),
        ("2026-02-03T09:31:05", datetime(2026, 2, 3, 9, 31, 5)),
    ],
)
def test_moments_are_utc(sent: str, stored: datetime) -> None:
    assert read("members", added_at=sent)["added_at"] == stored.replace(tzinfo=UTC)


@pytest.mark.parametrize("cents", ["0", "50000", "12050.5", "99999999999999999999999999"])
def test_a_limit_is_exact_and_unlimited_is_null(cents: str) -> None:
    assert read("spend_limits", amount=cents)["amount"] == Decimal(cents)
    assert read("spend_limits", amount=None)["amount"] is None


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (["b", "a"], '["a", "b"]'),
        (["a", "b"], '["a", "b"]'),
        ([], "[]"),
        (None, None),
    ],
)
def test_a_list_is_json_text_in_one_order_and_null_where_it_is_unknown(
    sent: list[str] | None, stored: str | None
) -> None:
    assert read("rbac_groups", role_ids=sent)["role_ids"] == stored
    assert read("invites", rbac_group_ids=sent)["rbac_group_ids"] == stored


def test_names_of_the_older_edition_fill_the_same_columns() -> None:
    older_group = {"roles" if n == "role_ids" else n: v for n, v in ENGINEERING.items()}
    older_member = {
        "group_id" if n == "rbac_group_id" else n: v for n, v in ADA_IN_ENGINEERING.items()
    }

    assert raw_row(ROSTER["rbac_groups"], older_group) == read("rbac_groups")
    assert raw_row(ROSTER["rbac_group_members"], older_member) == read("rbac_group_members")


def test_where_both_editions_name_a_field_the_newer_one_counts() -> None:
    newer, older = {"role_ids": ["new"]}, {"roles": ["old"]}
    base = {name: value for name, value in ENGINEERING.items() if name != "role_ids"}

    for row in ({**base, **newer, **older}, {**base, **older, **newer}):
        assert raw_row(ROSTER["rbac_groups"], row)["role_ids"] == '["new"]'


def test_fields_that_nobody_declared_are_kept_as_json() -> None:
    row = read(
        "spend_limits",
        source={"type": "team", "team": {"id": 7}},
        is_enforced=True,
        labels=["a"],
        extra={},
    )

    assert row["source__type"] == "team"
    assert json.loads(row["undeclared_fields"]) == {
        "source__team": {"id": 7},
        "is_enforced": True,
        "labels": ["a"],
        "extra": {},
    }


def test_what_changes_with_every_use_is_not_kept_whatever_its_shape() -> None:
    before = read("spend_limits", period_to_date_spend="1")

    for spent in ("2", None, {"amount": "2", "currency": "USD"}):
        assert read("spend_limits", period_to_date_spend=spent) == before
    assert before["undeclared_fields"] is None


def test_a_block_that_is_absent_or_null_is_null_in_all_its_columns() -> None:
    without = {name: value for name, value in LIMIT.items() if name != "source"}
    for row in (without, {**without, "source": None}):
        found = raw_row(ROSTER["spend_limits"], row)
        assert {v for name, v in found.items() if name.startswith("source__")} == {None}
        assert found["undeclared_fields"] is None


@pytest.mark.parametrize(
    ("table", "field", "value"),
    [
        ("members", "email", 7),
        ("members", "name", {"first": "Ada"}),
        ("members", "role", ["owner"]),
        ("members", "added_at", 1783641600),
        ("members", "added_at", "yesterday"),
        ("members", "added_at", "0001-01-01T00:00:00+23:00"),
        ("invites", "rbac_group_ids", "rbac_group_1"),
        ("invites", "rbac_group_ids", {"id": "rbac_group_1"}),
        ("rbac_groups", "roles", "rbac_role_1"),
        ("spend_limits", "amount", 50000),
        ("spend_limits", "amount", 500.0),
        ("spend_limits", "amount", "50,000"),
        ("spend_limits", "amount", "NaN"),
        ("spend_limits", "amount", "Infinity"),
        ("spend_limits", "amount", "0.1234567890123"),
        ("spend_limits", "amount", "1e30"),
        ("spend_limits", "actor", "user_ada"),
        ("spend_limits", "scope", []),
    ],
)
def test_a_field_of_another_type_is_named_and_its_value_is_not(
    table: str, field: str, value: Any
) -> None:
    named = "role_ids" if field == "roles" else field
    row = {**DOCUMENTED[table], field: value}

    with pytest.raises(ApiError, match=f"{table}: .* {named} that is no") as caught:
        raw_row(ROSTER[table], row)

    assert "Run again later" in says(caught)
    assert "user_ada" not in says(caught)


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    for deleted in (1, "false"):
        with pytest.raises(ApiError, match="actor__deleted"):
            read("spend_limits", actor={**LIMIT["actor"], "deleted": deleted})


@pytest.mark.parametrize(
    ("table", "field"),
    [
        ("members", "id"),
        ("invites", "id"),
        ("rbac_groups", "id"),
        ("rbac_group_members", "rbac_group_id"),
        ("rbac_group_members", "user_id"),
        ("spend_limits", "period"),
        ("organizations", "id"),
    ],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_row_without_its_key_is_refused(table: str, field: str, value: str | None) -> None:
    with pytest.raises(ApiError, match=f"{table}: .* a row without {field}"):
        read(table, **{field: value})


def test_a_spend_limit_is_a_persons_or_a_keys() -> None:
    of_key = {"type": "scoped_api_key_actor", "scoped_api_key_id": "apikey_1"}

    assert read("spend_limits", actor=of_key)["actor__scoped_api_key_id"] == "apikey_1"
    for nobody in ({"type": "user_actor"}, {"type": "user_actor", "user_id": None}):
        with pytest.raises(ApiError, match="without actor__user_id or actor__scoped_api_key_id"):
            read("spend_limits", actor=nobody)


@pytest.mark.parametrize("entry", [None, 7, "user_ada", [], {}])
def test_an_entry_that_is_no_row_is_refused(entry: Any) -> None:
    with pytest.raises(ApiError, match=r"members: .* a row"):
        raw_row(ROSTER["members"], entry)


# Pages.


def member(number: int, **fields: Any) -> Row:
    return {**ADA, "id": f"user_{number:04}", **fields}


def test_members_are_paged_by_their_ids_to_the_end(api: Sandbox, take: Take) -> None:
    api.publish_roster("members", [member(n) for n in range(2300)], since="2026-06-16")
    api.today = "2026-06-16"
    try:
        snapshot = take()
    finally:
        api.today = TODAY

    assert len(set(ids(snapshot, "members"))) == 2300
    first, *others = asked(api, USERS)
    assert first == {"limit": "1000"}
    assert [params.keys() for params in others] == [{"limit", "after_id"}] * 2


def test_a_short_page_is_not_the_last_one_while_more_follow(api: Sandbox, take: Take) -> None:
    for number, more in ((1, True), (2, True), (3, False)):
        row = member(number)
        api.answer("users", body={"data": [row], "has_more": more, "last_id": row["id"]})
        group = {**ENGINEERING, "id": f"rbac_group_{number}"}
        next_page = f"page_{number}" if more else None
        api.answer("rbac_groups", body={"data": [group], "next_page": next_page})
    api.answer("/members", times=3, body={"data": [], "next_page": None})

    snapshot = take()

    assert ids(snapshot, "members") == ["user_0001", "user_0002", "user_0003"]
    assert ids(snapshot, "rbac_groups") == ["rbac_group_1", "rbac_group_2", "rbac_group_3"]
    assert asked(api, USERS) == [
        {"limit": "1000"},
        {"limit": "1000", "after_id": "user_0001"},
        {"limit": "1000", "after_id": "user_0002"},
    ]
    assert asked(api, GROUPS) == [
        {"limit": "1000"},
        {"limit": "1000", "page": "page_1"},
        {"limit": "1000", "page": "page_2"},
    ]


def test_an_empty_page_is_not_the_last_one_while_more_follow(api: Sandbox, take: Take) -> None:
    api.answer("rbac_groups", body={"data": [], "next_page": "page_2", "has_more": True})
    api.answer("rbac_groups", body={"data": [ENGINEERING], "next_page": None, "has_more": False})

    assert ids(take(), "rbac_groups") == ["rbac_group_engineering"]


def test_the_last_id_of_the_last_page_leads_nowhere(api: Sandbox, take: Take) -> None:
    api.answer("users", body={"data": [ADA], "has_more": False, "last_id": ADA["id"]})

    assert ids(take(), "members") == ["user_ada"]
    assert len(asked(api, USERS)) == 1


@pytest.mark.parametrize(
    ("table", "path", "page"),
    [
        ("members", "users", {"has_more": True, "last_id": None}),
        ("members", "users", {"has_more": True}),
        ("members", "users", {"has_more": True, "last_id": 7}),
        ("invites", "invites", {"has_more": True, "last_id": ""}),
        ("rbac_groups", "rbac_groups", {"has_more": True, "next_page": None}),
        ("rbac_groups", "rbac_groups", {"next_page": {"page": 2}}),
        ("spend_limits", "spend_limits", {"has_more": True}),
    ],
)
def test_pages_that_should_follow_and_cannot_be_asked_for_store_nothing(
    api: Sandbox, take: Take, table: str, path: str, page: Row
) -> None:
    api.answer(path, times=ALWAYS, body={"data": [DOCUMENTED[table]], **page})

    snapshot = take()

    assert table not in snapshot.rows
    assert "3 times in a row" in snapshot.failures[table]
    assert "stays as it is" in snapshot.failures[table]


@pytest.mark.parametrize(
    ("table", "path", "page"),
    [
        ("members", "users", {"has_more": True, "last_id": "user_ada"}),
        ("rbac_groups", "rbac_groups", {"next_page": "page_2"}),
    ],
)
def test_pages_that_would_never_end_store_nothing(
    api: Sandbox, take: Take, table: str, path: str, page: Row
) -> None:
    api.answer(path, times=ALWAYS, body={"data": [DOCUMENTED[table]], **page})

    snapshot = take()

    assert table not in snapshot.rows
    assert "the same page cursor twice" in snapshot.failures[table]
    assert len(asked(api, ROSTER[table].path)) == 1 + 3


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"users": []}])
def test_an_answer_without_its_list_is_no_empty_roster(api: Sandbox, take: Take, body: Row) -> None:
    api.answer("users", times=ALWAYS, body=body)

    snapshot = take()

    assert "members" not in snapshot.rows
    assert (
        "members: the answer has no list data, which is not an empty one"
        in snapshot.failures["members"]
    )


def test_an_explicitly_empty_list_is_an_empty_roster(api: Sandbox, take: Take) -> None:
    api.answer("users", body={"data": [], "has_more": False, "last_id": None})

    assert take().rows["members"] == []


def test_a_row_that_a_shifting_list_shows_twice_is_one_row(api: Sandbox, take: Take) -> None:
    """Someone joined between the pages: the list begins with the newest, so all moved down."""
    first, second = [member(3), member(2)], [member(2), member(1)]
    api.answer("users", body={"data": first, "has_more": True, "last_id": "user_0002"})
    api.answer("users", body={"data": second, "has_more": False, "last_id": "user_0001"})

    assert ids(take(), "members") == ["user_0003", "user_0002", "user_0001"]


def test_periods_of_one_member_are_different_rows(api: Sandbox, take: Take) -> None:
    rows = [{**LIMIT, "period": period} for period in ("monthly", "weekly", "monthly")]
    api.answer("spend_limits", body={"data": rows, "next_page": None})

    assert [row["period"] for row in take().rows["spend_limits"]] == ["monthly", "weekly"]


def test_a_page_that_fails_leaves_no_part_of_its_roster(api: Sandbox, take: Take) -> None:
    api.answer("users", body={"data": [ADA], "has_more": True, "last_id": ADA["id"]})
    api.answer("users", status=500, headers={"x-should-retry": "false"})

    snapshot = take()

    assert "members" not in snapshot.rows
    assert "(500 for members)" in snapshot.failures["members"]
    assert snapshot.rows.keys() == ROSTER.keys() - {"members"}


def test_one_unreadable_row_leaves_no_part_of_its_roster(api: Sandbox, take: Take) -> None:
    api.answer("users", body={"data": [ADA, {**ADA, "id": None}], "has_more": False})

    snapshot = take()

    assert "members" not in snapshot.rows
    assert "a row without id" in snapshot.failures["members"]
    assert snapshot.rows.keys() == ROSTER.keys() - {"members"}


# Groups and their members.


def test_the_members_of_every_group_are_read_to_the_last_page(api: Sandbox, take: Take) -> None:
    groups = [{**ENGINEERING, "id": f"rbac_group_{name}"} for name in "ab"]
    api.answer("rbac_groups", body={"data": groups, "next_page": None})
    for group, user, next_page in (("a", 1, "p2"), ("a", 2, None), ("b", 1, None)):
        row = {**ADA_IN_ENGINEERING, "rbac_group_id": f"rbac_group_{group}"}
        body = {"data": [{**row, "user_id": f"user_{user}"}], "next_page": next_page}
        api.answer(f"rbac_group_{group}/members", body=body)

    found = take().rows["rbac_group_members"]

    assert [(row["rbac_group_id"][-1], row["user_id"][-1]) for row in found] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]
    assert asked(api, f"{GROUPS}/rbac_group_a/members") == [
        {"limit": "1000"},
        {"limit": "1000", "page": "p2"},
    ]


def test_an_organisation_without_groups_has_no_group_members(api: Sandbox, take: Take) -> None:
    api.answer("rbac_groups", body={"data": [], "next_page": None})

    snapshot = take()

    assert (snapshot.rows["rbac_groups"], snapshot.rows["rbac_group_members"]) == ([], [])
    assert not [request for request in api.requests if request.path.startswith(f"{GROUPS}/")]


def test_a_group_whose_members_fail_leaves_no_member_of_any_group(api: Sandbox, take: Take) -> None:
    groups = [{**ENGINEERING, "id": f"rbac_group_{name}"} for name in "ab"]
    api.answer("rbac_groups", body={"data": groups, "next_page": None})
    api.answer("rbac_group_a/members", body={"data": [], "next_page": None})
    api.answer("rbac_group_b/members", status=500, headers={"x-should-retry": "false"})

    snapshot = take()

    assert "rbac_group_members" not in snapshot.rows
    assert "(500 for rbac_group_members)" in snapshot.failures["rbac_group_members"]
    assert len(snapshot.rows["rbac_groups"]) == 2


# Refusals and failures.


def test_groups_that_are_refused_take_their_members_along_and_nothing_else(
    api: Sandbox, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "scopes", {*api.scopes} - {"read:rbac_groups"})

    snapshot = take()

    assert snapshot.refused.keys() == {"rbac_groups", "rbac_group_members"}
    assert "this API needs read:rbac_groups" in snapshot.refused["rbac_groups"]
    assert "because rbac_groups could not be" in snapshot.refused["rbac_group_members"]
    assert snapshot.failures == {}
    assert snapshot.rows.keys() == ROSTER.keys() - snapshot.refused.keys()
    assert len(asked(api, GROUPS)) == 1


def test_groups_that_fail_make_their_members_a_failure_too(api: Sandbox, take: Take) -> None:
    api.answer(GROUPS, status=500, headers={"x-should-retry": "false"}, times=ALWAYS)

    snapshot = take()

    assert snapshot.failures.keys() == {"rbac_groups", "rbac_group_members"}
    assert snapshot.refused == {}


def test_a_list_that_the_organisation_does_not_have_is_refused_not_failed(
    api: Sandbox, take: Take
) -> None:
    api.answer("spend_limits/effective", status=404, times=ALWAYS)

    snapshot = take()

    assert snapshot.refused.keys() == {"spend_limits"}
    assert "(404 for spend_limits)" in snapshot.refused["spend_limits"]
    assert "[sources.claude_admin]" in snapshot.refused["spend_limits"]
    assert snapshot.failures == {}


def test_a_wrong_key_costs_one_request_and_is_said_of_every_roster(
    api: Sandbox, take: Take
) -> None:
    snapshot = take(api_key="sk-ant-api01-wrong")

    assert snapshot.rows == {}
    assert snapshot.refused.keys() == ROSTER.keys()
    assert all("SOURCES__CLAUDE_ADMIN__API_KEY" in why for why in snapshot.refused.values())
    assert len(api.requests) == 1


def test_a_host_that_cannot_be_reached_is_tried_for_one_roster_only(take: Take) -> None:
    snapshot = take(base_url="http://127.0.0.1:1")

    assert snapshot.rows == {}
    assert snapshot.failures.keys() == ROSTER.keys()
    assert len(set(snapshot.failures.values())) == 1
    assert "cannot be reached" in snapshot.failures["members"]


def test_an_answer_cut_short_is_asked_for_again(api: Sandbox, take: Take) -> None:
    api.answer("users", truncate=True)
    api.answer("users", body='{"data": [')
    api.answer("users", body=b"[]")

    assert ids(take(), "members") == ["user_ada"]
    assert len(asked(api, USERS)) == 4


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 403, "body": {"error": {"message": "You sent sk-ant-api01-sandbox."}}},
        {"status": 500, "body": {"error": {"message": "sk-ant-api01-sandbox"}}},
        {"body": "<html>sk-ant-api01-sandbox</html>"},
        {"body": {"sk-ant-api01-sandbox": []}},
        {"body": {"data": [{**ADA, "role": 7, "sk-ant-api01-sandbox": 1}], "has_more": False}},
    ],
    ids=repr,
)
def test_the_key_is_in_no_message_and_no_log(
    api: Sandbox, take: Take, caplog: pytest.LogCaptureFixture, fault: Row
) -> None:
    caplog.set_level(logging.DEBUG)
    api.answer("users", times=ALWAYS, **fault)

    snapshot = take()

    messages = [*snapshot.refused.values(), *snapshot.failures.values()]
    assert messages
    assert "members" in caplog.text
    assert api.api_key == "sk-ant-api01-sandbox"
    assert api.api_key not in "\n".join(messages) + caplog.text
    assert "ada@northwind.example" not in "\n".join(messages) + caplog.text


def test_the_key_goes_in_its_header_and_nowhere_else(api: Sandbox, take: Take) -> None:
    take()

    for request in api.requests:
        held = [name for name, text in request.headers.items() if api.api_key in text]
        assert held == ["x-api-key"]
        assert api.api_key not in request.path + str(request.params)


def test_a_group_id_is_part_of_the_path_and_cannot_lead_elsewhere(api: Sandbox, take: Take) -> None:
    strange = {**ENGINEERING, "id": "../users?x=1#"}
    api.answer("rbac_groups", body={"data": [strange], "next_page": None})

    snapshot = take()

    assert "rbac_group_members" in {**snapshot.refused, **snapshot.failures, **snapshot.rows}
    assert len(asked(api, USERS)) == 1


def test_each_roster_uses_the_client_of_its_own_limit(api: Sandbox, tmp_path: Path) -> None:
    asked_for: list[str] = []
    budget = RateBudget(tmp_path / "rate_budget.db", 100_000)
    with HttpClient(ADMIN_API, base_url=api.url, api_key=api.api_key, budget=budget) as client:

        def client_for(roster: Roster) -> HttpClient:
            asked_for.extend([roster.table] if roster.of_spend_limits else [])
            return client

        take_snapshot(client_for)
        counted = dict(client.requests_by)

    assert asked_for == [
        "spend_limits",
        "configured_spend_limits",
        "spend_limit_increase_requests",
    ]
    assert counted == dict.fromkeys(TABLES, 1)


# What machines and keys may do.


def test_what_a_row_leaves_to_its_path_is_kept_with_it(take: Take) -> None:
    (permission,) = take().rows["rbac_role_permissions"]

    assert {name: value for name, value in permission.items() if value is not None} == {
        "rbac_role_id": "rbac_role_1",
        "action": "use",
        "resource__type": "connector_tool",
        "resource__connector_id": "github",
        "resource__tool_name": "search",
        "type": "rbac_role_permission",
    }


def test_a_part_of_a_key_and_what_changes_by_itself_are_not_kept(take: Take) -> None:
    snapshot = take()

    text = str(snapshot.rows)
    assert "igAA" not in text
    assert "consecutive_failures" not in text
    assert "period_to_date_spend" not in text


def test_json_of_any_kind_is_text_in_one_order() -> None:
    geos = "data_residency__allowed_inference_geos"

    def workspace(allowed: object) -> object:
        residency = {"workspace_geo": "us", "allowed_inference_geos": allowed}
        return read("workspaces", data_residency=residency)[geos]

    assert workspace("unrestricted") == '"unrestricted"'
    assert workspace(["us", "global"]) == workspace(["global", "us"]) == '["global", "us"]'
    assert read("workspaces", tags={"b": "1", "a": "2"})["tags"] == '{"a": "2", "b": "1"}'
    keys = read("federation_issuers")["jwks__keys"]
    assert keys == '[{"kid": "a"}, {"kid": "b"}]'


def test_managed_settings_tell_what_is_set_and_none_of_its_texts() -> None:
    settings = {
        "model": "opus",
        "env": {"ANTHROPIC_AUTH_TOKEN": "sk-secret"},
        "permissions": {"deny": ["Bash(curl -u me:secret)"], "defaultMode": "plan"},
        "cleanupPeriodDays": 7,
        "disableAllHooks": True,
    }

    stored = read("claude_code_group_settings", settings=settings)["settings"]

    assert "secret" not in stored
    found = json.loads(stored)
    assert found["env"]["ANTHROPIC_AUTH_TOKEN"].startswith("sha256:")
    assert found["permissions"]["deny"][0].startswith("sha256:")
    assert (found["model"], found["permissions"]["defaultMode"]) == ("opus", "plan")
    assert (found["cleanupPeriodDays"], found["disableAllHooks"]) == (7, True)
    other = {**settings, "env": {"ANTHROPIC_AUTH_TOKEN": "sk-another"}}
    assert read("claude_code_group_settings", settings=other)["settings"] != stored
    assert read("claude_code_group_settings", settings=settings)["settings"] == stored


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://hooks.example/services/T0/B0/token", "https://hooks.example/"),
        ("https://hooks.example:8443/?key=token", "https://hooks.example:8443/"),
        ("https://me:token@hooks.example", "https://hooks.example/"),
        ("hooks.example/token", ""),
    ],
)
def test_an_address_tells_its_host_and_of_the_rest_a_hash(address: str, host: str) -> None:
    stored = read("organization_webhooks", url=address)["url"]

    assert stored.startswith(f"{host}sha256:") and "token" not in stored
    assert read("organization_webhooks", url=f"{address}2")["url"] != stored


def test_an_address_of_a_host_alone_stays() -> None:
    stored = read("telemetry_destinations", endpoint_url="https://otel.example")

    assert stored["endpoint_url"] == "https://otel.example"


def test_plugins_are_asked_for_what_they_have(api: Sandbox, take: Take) -> None:
    take()

    paths = {request.path.removeprefix("/v1/organizations/plugins/") for request in api.requests}
    assert {path for path in paths if path.startswith("plugin_")} == {
        "plugin_1/versions",
        "plugin_1/installation_settings",
        "plugin_2/shares",
    }


def test_what_is_archived_has_no_members_any_more(api: Sandbox, take: Take) -> None:
    old = {**LISTED["workspaces"], "id": "wrkspc_old", "archived_at": "2026-02-01T00:00:00Z"}
    both = {"data": [LISTED["workspaces"], old], "has_more": False, "first_id": None}
    api.answer("/workspaces", body=both, when=lambda params: "include_archived" in params)

    snapshot = take()

    assert ids(snapshot, "workspaces") == ["wrkspc_1", "wrkspc_old"]
    assert snapshot.rows["workspace_members"]
    assert asked(api, "/v1/organizations/workspaces/wrkspc_old/members") == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_lists_that_take_no_key_say_what_they_take_and_stop_no_other(
    api: Sandbox, take: Take, status: int
) -> None:
    for path in ("/service_accounts", "/federation_"):
        api.answer(path, status=status, times=ALWAYS)

    snapshot = take()

    assert sorted(snapshot.refused) == [
        "federation_issuers",
        "federation_rules",
        "service_account_workspaces",
        "service_accounts",
    ]
    assert "SOURCES__CLAUDE_ADMIN__ORG_ADMIN_TOKEN" in snapshot.refused["federation_rules"]
    assert snapshot.failures == {}
    assert {*snapshot.rows} == {*TABLES} - {*snapshot.refused}


def test_an_organisation_without_a_console_has_all_else(tmp_path: Path) -> None:
    budget = RateBudget(tmp_path / "rate_budget.db", 100_000)
    with (
        Sandbox(today=TODAY, seats=20, days_ahead=0, without=("console",)) as sandbox,
        HttpClient(
            ADMIN_API, base_url=sandbox.url, api_key=sandbox.api_key, budget=budget
        ) as client,
    ):
        snapshot = take_snapshot(lambda _: client)

    assert snapshot.failures == {}
    assert sorted(snapshot.refused) == [
        "api_keys",
        "federation_issuers",
        "federation_rules",
        "service_account_workspaces",
        "service_accounts",
        "telemetry_destinations",
        "workspace_members",
        "workspaces",
    ]
