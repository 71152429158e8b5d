"""Rows that a test publishes: filled with what the API would say, and read as facts."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

Row = Mapping[str, Any]
FAN_OUT = ("cost_type", "token_type")
"""Dimensions that split a group into its parts; they count neither for limit nor for the five."""

MONEY_FAMILIES = {"costs": "cost", "usage": "usage"}
"""Table -> last word of the path that brings its rows."""
GROUP_FIELDS = (
    "actor",
    "actor_type",
    "agent_id",
    "api_key_id",
    "claude_tag_category",
    "claude_tag_user_id",
    "context_window",
    "deployment_id",
    "environment_id",
    "inference_geo",
    "model",
    "organization_id",
    "product",
    "rbac_group_id",
    "service_tier",
    "session_id",
    "slack_channel_id",
    "speed",
    "user_profile_id",
    "workspace_id",
)
FACT_DIMENSIONS = (
    "product",
    "model",
    "context_window",
    "inference_geo",
    "speed",
    "slack_channel_id",
    "claude_tag_category",
    "claude_tag_user_id",
)
TOKENS = (
    "uncached_input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
)

MADE_BY = {
    "created_at": "2025-12-01T08:00:00Z",
    "created_by_actor_id": None,
    "updated_at": "2025-12-01T08:00:00Z",
    "updated_by_actor_id": None,
    "archived_at": None,
    "archived_by_actor_id": None,
}
A_VERSION = {
    "components": None,
    "content_scan": None,
    "created_at": "2025-12-01T08:00:00Z",
    "created_by": None,
    "description": None,
    "display_name": None,
    "manifest_version": None,
    "reach": None,
}
ROSTER_BLANKS: Mapping[str, Callable[[Row], Row]] = {
    "members": lambda row: {
        "type": "user",
        "email": f"{row['id']}@northwind.example",
        "name": row["id"],
        "role": "user",
        "added_at": "2025-12-01T08:00:00Z",
    },
    "invites": lambda row: {
        "type": "invite",
        "email": f"{row['id']}@northwind.example",
        "role": "user",
        "status": "pending",
        "invited_at": "2026-01-01T09:00:00Z",
        "expires_at": "2026-01-22T09:00:00Z",
        "accepted_at": None,
        "rbac_group_ids": [],
    },
    "rbac_groups": lambda row: {
        "type": "rbac_group",
        "name": row["id"],
        "source_type": "direct",
        "role_ids": [],
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "rbac_group_members": lambda row: {
        "type": "rbac_group_member",
        "email": f"{row['user_id']}@northwind.example",
        "created_at": "2025-12-01T08:00:00Z",
    },
    "spend_limits": lambda row: {
        "scope": {"type": "user", "user_id": row["actor"]["user_id"]},
        "actor": filled_actor(row["actor"]),
        "amount": None,
        "currency": "USD",
        "period": "monthly",
        "period_to_date_spend": "0",
        "source": {"type": "organization"},
        "spend_limit_id": f"spl_{row['actor']['user_id']}",
    },
    "rbac_roles": lambda row: {
        "type": "rbac_role",
        "display_name": row["id"],
        "source": {"type": "custom"},
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "rbac_role_permissions": lambda row: {
        "type": "rbac_role_permission",
        "resource": {"type": "all_connectors"},
    },
    "configured_spend_limits": lambda row: {
        "type": "spend_limit",
        "amount": None,
        "currency": "USD",
        "period": "monthly",
        "is_enabled": True,
        "scope": {"type": "organization"},
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "spend_limit_increase_requests": lambda row: {
        "type": "spend_limit_increase_request",
        "actor": filled_actor(row["actor"]),
        "period": "monthly",
        "status": "pending",
        "created_at": "2026-01-05T08:00:00Z",
        "resolved_at": None,
        "resolved_by": filled_actor(row.get("resolved_by")),
        "spend_summary": None,
    },
    "api_keys": lambda row: {
        "type": "api_key",
        "name": row["id"],
        "status": "active",
        "partial_key_hint": None,
        "created_at": "2025-12-01T08:00:00Z",
        "created_by": None,
        "expires_at": None,
        "principal": None,
        "scope": {"type": "workspace", "workspace_id": "wrkspc_default"},
    },
    "workspaces": lambda row: {
        "type": "workspace",
        "name": row["id"],
        "display_color": "#6C5BB9",
        "compartment_id": row["id"],
        "external_key_id": None,
        "user_profile_id": None,
        "tags": {},
        "data_residency": {
            "workspace_geo": "us",
            "default_inference_geo": "global",
            "allowed_inference_geos": "unrestricted",
        },
        "created_at": "2025-12-01T08:00:00Z",
        "archived_at": None,
    },
    "workspace_members": lambda row: {
        "type": "workspace_member",
        "workspace_role": "workspace_user",
    },
    "service_accounts": lambda row: {
        "type": "service_account",
        "name": row["id"],
        "description": None,
        "organization_role": "developer",
        **MADE_BY,
    },
    "service_account_workspaces": lambda row: {
        "type": "service_account_workspace_member",
        "workspace_role": "workspace_user",
        "implicit": False,
        "created_by_actor_id": None,
    },
    "federation_issuers": lambda row: {
        "type": "federation_issuer",
        "name": row["id"],
        "issuer_url": f"https://{row['id']}.example",
        "check_jti": True,
        "max_jwt_lifetime_seconds": 3600,
        "jwks": {"type": "discovery"},
        "poll_status": None,
        **MADE_BY,
    },
    "federation_rules": lambda row: {
        "type": "federation_rule",
        "name": row["id"],
        "description": None,
        "issuer_id": "fdis_ci",
        "issuer_name": None,
        "match": {"subject_prefix": "repo:*"},
        "target": {"type": "service_account", "service_account_id": "svac_ci"},
        "oauth_scope": "workspace:developer",
        "token_lifetime_seconds": 900,
        "applies_to_all_workspaces": False,
        "workspace_ids": [],
        **MADE_BY,
    },
    "plugin_marketplaces": lambda row: {
        "type": "plugin_marketplace",
        "name": row["id"],
        "source": "manual",
        "owner": {"type": "organization"},
        "default_installation_preference": "available",
        "sync_status": None,
        "last_sync_ended_at": None,
        "last_sync_read_sha": None,
        "created_at": "2025-12-01T08:00:00Z",
    },
    "organization_plugins": lambda row: {
        "type": "plugin",
        "name": row["id"],
        "marketplace_id": "marketplace_library",
        "owner": {"type": "organization"},
        "organization_installation_preference": "available",
        "organization_installation_preference_inherited": True,
        "latest_version_id": f"{row['id']}_1",
        "served_version_id": f"{row['id']}_1",
        "served_version_pinned": False,
        "updated_at": "2025-12-01T08:00:00Z",
        **A_VERSION,
    },
    "plugin_versions": lambda row: {
        "type": "plugin_version",
        "release_notes": None,
        **A_VERSION,
    },
    "plugin_installation_settings": lambda row: {
        "type": "plugin_installation_setting",
        "target": {"type": "organization"},
        "installation_preference": "available",
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "plugin_shares": lambda row: {
        "type": "plugin_share",
        "target": {"type": "organization"},
        "granted_at": "2025-12-01T08:00:00Z",
    },
    "claude_code_settings": lambda row: {
        "type": "claude_code_managed_settings_configuration",
        "mode": {"type": "rbac_groups"},
        "mode_updated_at": "2025-12-01T08:00:00Z",
        "rbac_group_order": [],
        "rbac_group_order_version": "1",
    },
    "claude_code_settings_groups": lambda row: {
        "type": "claude_code_rbac_group_managed_settings_summary",
        "rbac_group_status": {"type": "active"},
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "claude_code_group_settings": lambda row: {
        "type": "claude_code_rbac_group_managed_settings",
        "rbac_group_status": {"type": "active"},
        "settings": {},
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "claude_code_default_settings": lambda row: {
        "type": "claude_code_rbac_group_default_managed_settings",
        "settings": {},
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "compliance_settings": lambda row: {
        "type": "compliance_settings",
        "state": {"type": "enabled"},
    },
    "telemetry_destinations": lambda row: {
        "type": "telemetry_destination",
        "display_name": None,
        "endpoint_url": "https://otel.northwind.example",
        "header_names": [],
        "state": {"type": "enabled"},
        "traces": {
            "content_mode": "metadata_only",
            "enabled": True,
            "endpoint_url": None,
            "max_content_bytes": None,
        },
        "workspaces": {"type": "all"},
        "delivery_health": {
            "last_error": None,
            "last_error_at": None,
            "last_success_at": "2026-01-05T08:00:00Z",
        },
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
    "organization_webhooks": lambda row: {
        "name": row["id"],
        "description": "",
        "url": "https://hooks.northwind.example/claude",
        "state": "enabled",
        "disabled_reason": "",
        "enabled_events": ["external_key.failed"],
        "created_at": "2025-12-01T08:00:00Z",
        "updated_at": "2025-12-01T08:00:00Z",
    },
}
"""What a published row of each roster list is filled with, given what names it."""


def merged(blank: Row, row: Row) -> Row:
    """`blank` with the values of `row`, block by block."""
    pairs = {
        name: merged(blank[name], value)
        if isinstance(value, Mapping) and isinstance(blank.get(name), Mapping)
        else value
        for name, value in row.items()
    }
    return {**blank, **pairs}


def filled_roster_row(table: str, row: Row) -> Row:
    return merged(ROSTER_BLANKS[table](row), row)


def filled_actor(actor: Row | None) -> Row | None:
    """An actor with what the API says of a person."""
    if actor is None or actor.get("type", "user_actor") != "user_actor":
        return actor
    user_id = actor["user_id"]
    blank = {"type": "user_actor", "email_address": f"{user_id}@northwind.example", "name": user_id}
    return {**blank, "deleted": False, **actor}


def filled_money_row(family: str, day: date, row: Row) -> Row:
    group = row.get("group") or {}
    cost_only = {"cost_type": "tokens", "token_type": None} if family == "cost" else {}
    blank = {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "group": {**dict.fromkeys(GROUP_FIELDS), **cost_only},
        family: blank_amounts(row) if family == "cost" else blank_counts(row),
    }
    actor = {"actor": filled_actor(group.get("actor"))}
    return merged(blank, {**row, "group": {**group, **actor}})


def blank_amounts(row: Row) -> Row:
    amount = (row.get("cost") or {}).get("amount", "0.000000")
    return {"amount": amount, "list_amount": amount, "currency": "USD", "requests": None}


def blank_counts(row: Row) -> Row:
    usage = row.get("usage") or {}
    cached = usage.get("cache_creation") or {}
    given = [usage.get(name) or 0 for name in TOKENS]
    return {
        **dict.fromkeys(TOKENS, 0),
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "server_tool_use": {"web_search_requests": 0},
        "requests": 1,
        "total_tokens": sum(given) + sum(cached.values()),
    }


def part_key(row: Row) -> str:
    """What rows have in common that are parts of one group."""
    group = row.get("group") or {}
    others = {name: value for name, value in group.items() if name not in FAN_OUT}
    is_somebody = others.get("actor") is not None
    return json.dumps(others, sort_keys=True) if is_somebody else f"nobody {id(row)}"


def money_fact(family: str, day: date, place: int, row: Row) -> dict[str, Any]:
    """A row of /cost or /usage as the fact from which every grouping is summed."""
    group = row.get("group") or {}
    actor = group.get("actor")
    fact = {
        "activity_date": day,
        # Actors without an identity keep a row each.
        "spender": f"nobody {place}" if actor is None else json.dumps(actor, sort_keys=True),
        "actor_type": (actor or {}).get("type"),
        "user_id": (actor or {}).get("user_id"),
        "is_deleted": bool((actor or {}).get("deleted")),
        "actor": None if actor is None else json.dumps(actor, ensure_ascii=False),
        **{name: group.get(name) for name in FACT_DIMENSIONS},
    }
    if family == "cost":
        cost = row.get("cost") or {}
        return {
            **fact,
            "cost_type": group.get("cost_type"),
            "token_type": group.get("token_type"),
            "amount": number(cost.get("amount")),
            "list_amount": number(cost.get("list_amount")),
            "currency": cost.get("currency"),
            "requests": 1 if cost.get("requests") is None else number(cost["requests"]),
        }
    usage = row.get("usage") or {}
    cached = usage.get("cache_creation") or {}
    return {
        **fact,
        **{name: number(usage.get(name)) for name in TOKENS},
        "cache_5m_input_tokens": number(cached.get("ephemeral_5m_input_tokens")),
        "cache_1h_input_tokens": number(cached.get("ephemeral_1h_input_tokens")),
        "web_searches": number((usage.get("server_tool_use") or {}).get("web_search_requests")),
        "requests": number(usage.get("requests")),
    }


def number(value: object) -> Decimal:
    """The value as a number; what is none adds nothing to a sum."""
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return found if found.is_finite() else Decimal(0)
