"""The roster side of the Admin API as a table. Edit this file to add an endpoint or a field.

None of these has a history: each run takes a snapshot, and the raw tables keep how long a row
was as it was. `__` in a column name is nesting in the API's row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dlt.common.schema.typing import TColumnSchema

Columns = dict[str, TColumnSchema]

TEXT: TColumnSchema = {"data_type": "text"}
FLAG: TColumnSchema = {"data_type": "bool"}
TIMESTAMP: TColumnSchema = {"data_type": "timestamp"}
CENTS: TColumnSchema = {"data_type": "decimal", "precision": 38, "scale": 12}
COUNT: TColumnSchema = {"data_type": "bigint"}
LIST: TColumnSchema = {"data_type": "text", "description": "A JSON list."}
JSON: TColumnSchema = {"data_type": "text", "description": "JSON of any kind."}


@dataclass(frozen=True, kw_only=True, eq=False)
class Roster:
    """One list of the Admin API and the raw table it fills.

    Attributes:
        table: Raw table and dlt resource name; a plural noun.
        path: Whole path from /v1/; `{id}` is that of each row of the table `for_each`.
        grain: What one row is, at any one time.
        key: Columns that identify a row within a snapshot.
        one_of: Columns of the key that may be null, all but one of them.
        may_lack: Columns of the key that may be null.
        columns: Raw columns with their types.
        older_names: Column of an older API edition -> the declared column it fills.
        left_out: Documented fields that are not kept, each with the reason.
        params: Query parameters beside those of the page.
        headers: Sent beside the usual ones.
        paging: By the ids of the rows, by an opaque cursor, or a single object.
        for_each: Table whose rows each have a list of these.
        parent_id: Column of those rows that is the `{id}`.
        parent_column: Takes the id of that row, where the API leaves it out.
        not_for: Column of those rows that, once set, says that there is no list.
        only_for: Column of those rows without which there is none.
        hashed: Columns of JSON that may hold secrets: their texts are hashed, but for those that
            sources/claude_admin/hashed.py names.
        addresses: Columns of web addresses, of which all behind the host may be a secret: hashed.
        of_spend_limits: Counts against the limit of the spend-limit endpoints, not the shared one.
        takes_token: Takes an OAuth token of an administrator, so that a key that it refuses says
            nothing of the others.
    """

    table: str
    path: str
    grain: str
    key: tuple[str, ...]
    one_of: tuple[str, ...] = ()
    may_lack: tuple[str, ...] = ()
    columns: Columns
    older_names: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    paging: Literal["ids", "cursor", "none"]
    for_each: str | None = None
    parent_id: str = "id"
    parent_column: str | None = None
    not_for: str | None = None
    only_for: str | None = None
    hashed: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    of_spend_limits: bool = False
    takes_token: bool = False


HISTORY_OF_ONE = {
    "archived_at": TIMESTAMP, "archived_by_actor_id": TEXT, "created_at": TIMESTAMP,
    "created_by_actor_id": TEXT, "updated_at": TIMESTAMP, "updated_by_actor_id": TEXT,
}  # fmt: skip
"""Who made, changed and archived it, of what machines sign in with."""
PLUGINS = {"anthropic-beta": "ce-plugins-2026-09-01"}
MANAGED_SETTINGS = {"anthropic-beta": "ce-claude-code-managed-settings-2026-10-06"}
OF_A_PLUGIN = {
    "components": LIST, "content_scan__assessment": TEXT, "content_scan__reason": TEXT,
    "content_scan__status": TEXT, "created_at": TIMESTAMP, "created_by__type": TEXT,
    "created_by__user_id": TEXT, "created_by__email_address": TEXT, "created_by__api_key_id": TEXT,
    "description": TEXT, "display_name": TEXT, "manifest_version": TEXT, "reach": TEXT,
}  # fmt: skip
"""What is said of the version of a plugin that is served, and of each one."""
OF_TARGET = {"target__type": TEXT, "target__rbac_group_id": TEXT, "target__user_id": TEXT}
"""Whom a plugin is for: everybody, a group, or a member."""
ARCHIVED_TOO = {"include_archived": "true"}

OF_CONSOLE = frozenset({"members", "api_keys", "workspaces"})
"""What a further organisation of the Console is asked for: whose its keys and workspaces are."""

ROSTERS = (
    Roster(
        table="members",
        path="/v1/organizations/users",
        grain="One row per member of the organisation.",
        key=("id",),
        columns={
            "id": TEXT, "email": TEXT, "name": TEXT, "role": TEXT, "added_at": TIMESTAMP,
            "type": TEXT,
        },
        paging="ids",
    ),
    Roster(
        table="invites",
        path="/v1/organizations/invites",
        grain="One row per invite, whatever became of it.",
        key=("id",),
        columns={
            "id": TEXT, "email": TEXT, "role": TEXT, "status": TEXT, "invited_at": TIMESTAMP,
            "expires_at": TIMESTAMP, "accepted_at": TIMESTAMP, "rbac_group_ids": LIST,
            "type": TEXT,
        },
        paging="ids",
    ),
    Roster(
        table="rbac_groups",
        path="/v1/organizations/rbac_groups",
        grain="One row per group.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "source_type": TEXT, "role_ids": LIST,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        older_names={"roles": "role_ids"},
        paging="cursor",
    ),
    Roster(
        table="rbac_group_members",
        path="/v1/organizations/rbac_groups/{id}/members",
        grain="One row per group and member of it.",
        key=("rbac_group_id", "user_id"),
        columns={
            "rbac_group_id": TEXT, "user_id": TEXT, "email": TEXT, "created_at": TIMESTAMP,
            "type": TEXT,
        },
        older_names={"group_id": "rbac_group_id"},
        paging="cursor",
        for_each="rbac_groups",
    ),
    Roster(
        table="spend_limits",
        path="/v1/organizations/spend_limits/effective",
        grain="One row per member and period: the spend limit that counts for them.",
        key=("actor__type", "actor__user_id", "actor__scoped_api_key_id", "period"),
        one_of=("actor__user_id", "actor__scoped_api_key_id"),
        columns={
            "actor__type": TEXT, "actor__user_id": TEXT, "actor__scoped_api_key_id": TEXT,
            "actor__name": TEXT, "actor__email_address": TEXT, "actor__deleted": FLAG,
            "scope__type": TEXT, "scope__user_id": TEXT,
            "source__type": TEXT, "source__user_id": TEXT, "source__seat_tier": TEXT,
            "source__rbac_group_id": TEXT, "source__service": TEXT, "source__workspace_id": TEXT,
            "amount": CENTS, "currency": TEXT, "period": TEXT, "spend_limit_id": TEXT,
        },
        left_out={"period_to_date_spend": "It changes with every use; spend_daily has it by day."},
        paging="cursor",
        of_spend_limits=True,
    ),
    Roster(
        table="organizations",
        path="/v1/organizations/me",
        grain="One row: the organisation of the key.",
        key=("id",),
        columns={"id": TEXT, "name": TEXT, "type": TEXT},
        paging="none",
    ),
    Roster(
        table="rbac_roles",
        path="/v1/organizations/rbac_roles",
        grain="One row per role that members may have through their groups.",
        key=("id",),
        columns={
            "id": TEXT, "display_name": TEXT, "source__type": TEXT, "created_at": TIMESTAMP,
            "updated_at": TIMESTAMP, "type": TEXT,
        },
        older_names={"name": "display_name"},
        paging="cursor",
    ),
    Roster(
        table="rbac_role_permissions",
        path="/v1/organizations/rbac_roles/{id}/permissions",
        grain="One row per role and thing that it permits.",
        key=(
            "rbac_role_id", "action", "resource__type", "resource__organization_id",
            "resource__connector_id", "resource__tool_name", "resource__scope",
        ),
        may_lack=(
            "resource__organization_id", "resource__connector_id", "resource__tool_name",
            "resource__scope",
        ),
        columns={
            "rbac_role_id": TEXT, "action": TEXT, "resource__type": TEXT,
            "resource__organization_id": TEXT, "resource__connector_id": TEXT,
            "resource__tool_name": TEXT, "resource__scope": TEXT, "type": TEXT,
        },
        paging="cursor",
        for_each="rbac_roles",
        parent_column="rbac_role_id",
    ),
    Roster(
        table="configured_spend_limits",
        path="/v1/organizations/spend_limits",
        grain="One row per limit that somebody set, whatever it applies to.",
        key=("id",),
        columns={
            "id": TEXT, "amount": CENTS, "currency": TEXT, "period": TEXT, "is_enabled": FLAG,
            "scope__type": TEXT, "scope__user_id": TEXT, "scope__seat_tier": TEXT,
            "scope__rbac_group_id": TEXT, "scope__service": TEXT, "scope__workspace_id": TEXT,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        headers={"anthropic-beta": "spend-limit-reads-2026-09-26"},
        paging="cursor",
        of_spend_limits=True,
    ),
    Roster(
        table="spend_limit_increase_requests",
        path="/v1/organizations/spend_limit_increase_requests",
        grain="One row per request of a member for a higher limit.",
        key=("id",),
        columns={
            "id": TEXT, "status": TEXT, "period": TEXT,
            "actor__type": TEXT, "actor__user_id": TEXT, "actor__scoped_api_key_id": TEXT,
            "actor__name": TEXT, "actor__email_address": TEXT, "actor__deleted": FLAG,
            "resolved_by__type": TEXT, "resolved_by__user_id": TEXT,
            "resolved_by__scoped_api_key_id": TEXT, "resolved_by__name": TEXT,
            "resolved_by__email_address": TEXT, "resolved_by__deleted": FLAG,
            "created_at": TIMESTAMP, "resolved_at": TIMESTAMP, "type": TEXT,
        },
        left_out={"spend_summary": "It changes with every use; spend_limits has the limit."},
        paging="cursor",
        of_spend_limits=True,
    ),
    Roster(
        table="api_keys",
        path="/v1/organizations/api_keys",
        grain="One row per API key of the Console, whatever became of it.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "status": TEXT,
            "created_by__id": TEXT, "created_by__type": TEXT,
            "principal__type": TEXT, "principal__user_id": TEXT,
            "principal__service_account_id": TEXT,
            "scope__type": TEXT, "scope__workspace_id": TEXT,
            "created_at": TIMESTAMP, "expires_at": TIMESTAMP, "type": TEXT,
        },
        older_names={"workspace_id": "scope__workspace_id"},
        left_out={"partial_key_hint": "A part of the secret; the id names the key."},
        paging="ids",
    ),
    Roster(
        table="workspaces",
        path="/v1/organizations/workspaces",
        grain="One row per workspace of the Console, archived ones and the default one too.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "display_color": TEXT, "compartment_id": TEXT,
            "external_key_id": TEXT, "user_profile_id": TEXT, "tags": JSON,
            "data_residency__workspace_geo": TEXT, "data_residency__default_inference_geo": TEXT,
            "data_residency__allowed_inference_geos": JSON,
            "created_at": TIMESTAMP, "archived_at": TIMESTAMP, "type": TEXT,
        },
        params={**ARCHIVED_TOO, "include_default": "true"},
        paging="ids",
    ),
    Roster(
        table="workspace_members",
        path="/v1/organizations/workspaces/{id}/members",
        grain="One row per workspace and member of it.",
        key=("workspace_id", "user_id"),
        columns={"workspace_id": TEXT, "user_id": TEXT, "workspace_role": TEXT, "type": TEXT},
        paging="ids",
        for_each="workspaces",
        not_for="archived_at",
    ),
    Roster(
        table="service_accounts",
        path="/v1/organizations/service_accounts",
        grain="One row per service account, archived ones too.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "description": TEXT, "organization_role": TEXT,
            **HISTORY_OF_ONE, "type": TEXT,
        },
        params=ARCHIVED_TOO,
        paging="cursor",
        takes_token=True,
    ),
    Roster(
        table="service_account_workspaces",
        path="/v1/organizations/service_accounts/{id}/workspaces",
        grain="One row per service account and workspace that it is in.",
        key=("service_account_id", "workspace_id"),
        columns={
            "service_account_id": TEXT, "workspace_id": TEXT, "workspace_role": TEXT,
            "implicit": FLAG, "created_by_actor_id": TEXT, "type": TEXT,
        },
        paging="cursor",
        for_each="service_accounts",
        not_for="archived_at",
        takes_token=True,
    ),
    Roster(
        table="federation_issuers",
        path="/v1/organizations/federation_issuers",
        grain="One row per identity provider whose tokens are taken, archived ones too.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "issuer_url": TEXT, "check_jti": FLAG,
            "max_jwt_lifetime_seconds": COUNT,
            "jwks__type": TEXT, "jwks__url": TEXT, "jwks__discovery_base": TEXT,
            "jwks__ca_cert_pem": TEXT, "jwks__keys": LIST, "jwks_polling_disabled_at": TIMESTAMP,
            **HISTORY_OF_ONE, "type": TEXT,
        },
        params=ARCHIVED_TOO,
        left_out={"poll_status": "It changes with every look at the provider's keys."},
        paging="cursor",
        takes_token=True,
    ),
    Roster(
        table="federation_rules",
        path="/v1/organizations/federation_rules",
        grain="One row per rule by which a token becomes a service account, archived ones too.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "description": TEXT, "issuer_id": TEXT, "issuer_name": TEXT,
            "match__audience": TEXT, "match__claims": JSON, "match__condition": TEXT,
            "match__subject_prefix": TEXT,
            "target__type": TEXT, "target__service_account_id": TEXT,
            "target__service_account_name": TEXT,
            "oauth_scope": TEXT, "token_lifetime_seconds": COUNT,
            "applies_to_all_workspaces": FLAG, "workspace_ids": LIST,
            **HISTORY_OF_ONE, "type": TEXT,
        },
        params=ARCHIVED_TOO,
        paging="cursor",
        takes_token=True,
    ),
    Roster(
        table="plugin_marketplaces",
        path="/v1/organizations/plugin_marketplaces",
        grain="One row per place from which plugins come, of the organisation or of a member.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "source": TEXT, "owner__type": TEXT, "owner__user_id": TEXT,
            "default_installation_preference": TEXT, "sync_status": TEXT, "created_at": TIMESTAMP,
            "type": TEXT,
        },
        left_out={
            "last_sync_ended_at": "It changes with every synchronisation.",
            "last_sync_read_sha": "It changes with every synchronisation.",
        },
        headers=PLUGINS,
        paging="cursor",
    ),
    Roster(
        table="organization_plugins",
        path="/v1/organizations/plugins",
        grain="One row per plugin of the organisation, and of its members' own marketplaces.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "marketplace_id": TEXT, "owner__type": TEXT,
            "owner__user_id": TEXT, "organization_installation_preference": TEXT,
            "organization_installation_preference_inherited": FLAG, "latest_version_id": TEXT,
            "served_version_id": TEXT, "served_version_pinned": FLAG, **OF_A_PLUGIN,
            "updated_at": TIMESTAMP, "type": TEXT,
        },
        params={"limit": "100"},
        headers=PLUGINS,
        paging="cursor",
    ),
    Roster(
        table="plugin_versions",
        path="/v1/organizations/plugins/{id}/versions",
        grain="One row per plugin of the organisation and version of it.",
        key=("id",),
        columns={
            "id": TEXT, "plugin_id": TEXT, **OF_A_PLUGIN, "release_notes": TEXT, "type": TEXT,
        },
        headers=PLUGINS,
        paging="cursor",
        for_each="organization_plugins",
        not_for="owner__user_id",
    ),
    Roster(
        table="plugin_installation_settings",
        path="/v1/organizations/plugins/{id}/installation_settings",
        grain="One row per plugin of the organisation and target that has a setting of its own.",
        key=("plugin_id", "target__type", "target__rbac_group_id"),
        may_lack=("target__rbac_group_id",),
        columns={
            "plugin_id": TEXT, **OF_TARGET, "installation_preference": TEXT,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        params={"limit": "100"},
        headers=PLUGINS,
        paging="cursor",
        for_each="organization_plugins",
        not_for="owner__user_id",
    ),
    Roster(
        table="plugin_shares",
        path="/v1/organizations/plugins/{id}/shares",
        grain="One row per plugin of a member and target that it is shared with.",
        key=("plugin_id", "target__type", "target__rbac_group_id", "target__user_id"),
        may_lack=("target__rbac_group_id", "target__user_id"),
        columns={"plugin_id": TEXT, **OF_TARGET, "granted_at": TIMESTAMP, "type": TEXT},
        params={"limit": "100"},
        headers=PLUGINS,
        paging="cursor",
        for_each="organization_plugins",
        only_for="owner__user_id",
    ),
    Roster(
        table="claude_code_settings",
        path="/v1/organizations/claude_code/managed_settings/configuration",
        grain="One row: whether managed settings are the organisation's or those of groups.",
        key=("type",),
        columns={
            "mode__type": TEXT, "mode_updated_at": TIMESTAMP, "rbac_group_order": LIST,
            "rbac_group_order_version": TEXT, "type": TEXT,
        },
        headers=MANAGED_SETTINGS,
        paging="none",
    ),
    Roster(
        table="claude_code_settings_groups",
        path="/v1/organizations/claude_code/managed_settings/rbac_groups",
        grain="One row per group that has managed settings.",
        key=("rbac_group_id",),
        columns={
            "rbac_group_id": TEXT, "rbac_group_status__type": TEXT, "created_at": TIMESTAMP,
            "updated_at": TIMESTAMP, "type": TEXT,
        },
        params={"limit": "100"},
        headers=MANAGED_SETTINGS,
        paging="cursor",
    ),
    Roster(
        table="claude_code_group_settings",
        path="/v1/organizations/claude_code/managed_settings/rbac_groups/{id}",
        grain="One row per group that has managed settings: the settings, their texts hashed.",
        key=("rbac_group_id",),
        columns={
            "rbac_group_id": TEXT, "rbac_group_status__type": TEXT, "settings": JSON,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        headers=MANAGED_SETTINGS,
        paging="none",
        for_each="claude_code_settings_groups",
        parent_id="rbac_group_id",
        hashed=("settings",),
    ),
    Roster(
        table="claude_code_default_settings",
        path="/v1/organizations/claude_code/managed_settings/rbac_group_default",
        grain="One row: the managed settings of who is in no group that has some, texts hashed.",
        key=("type",),
        columns={"settings": JSON, "updated_at": TIMESTAMP, "type": TEXT},
        headers=MANAGED_SETTINGS,
        paging="none",
        hashed=("settings",),
    ),
    Roster(
        table="compliance_settings",
        path="/v1/organizations/compliance_settings",
        grain="One row: whether the Compliance API is on for the organisation.",
        key=("type",),
        columns={"state__type": TEXT, "access_transparency__type": TEXT, "type": TEXT},
        paging="none",
    ),
    Roster(
        table="telemetry_destinations",
        path="/v1/organizations/telemetry_destinations",
        grain="One row per place that traces of the Claude API are sent to.",
        key=("id",),
        columns={
            "id": TEXT, "display_name": TEXT, "endpoint_url": TEXT, "header_names": LIST,
            "state__type": TEXT, "state__reason__type": TEXT, "traces__content_mode": TEXT,
            "traces__enabled": FLAG, "traces__endpoint_url": TEXT,
            "traces__max_content_bytes": COUNT, "workspaces__type": TEXT,
            "created_at": TIMESTAMP, "updated_at": TIMESTAMP, "type": TEXT,
        },
        left_out={"delivery_health": "It changes with every delivery."},
        headers={"anthropic-beta": "telemetry-destinations-2026-08-11"},
        paging="cursor",
        addresses=("endpoint_url", "traces__endpoint_url"),
    ),
    Roster(
        table="organization_webhooks",
        path="/v1/organizations/webhooks",
        grain="One row per address that the vendor sends the organisation's events to.",
        key=("id",),
        columns={
            "id": TEXT, "name": TEXT, "description": TEXT, "url": TEXT, "state": TEXT,
            "disabled_reason": TEXT, "enabled_events": LIST, "created_at": TIMESTAMP,
            "updated_at": TIMESTAMP,
        },
        params={"limit": "100"},
        headers={"anthropic-beta": "webhooks-2026-10-07"},
        paging="ids",
        addresses=("url",),
    ),
)  # fmt: skip
