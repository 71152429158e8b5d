"""What the official package knows of each path that we read: rows, parameters, methods, words."""

import ast
import hashlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from textwrap import dedent
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import anthropic
from anthropic.types import OrganizationInfo, organization
from anthropic.types.beta import organization as beta_organization
from anthropic.types.beta.organization import analytics as beta_analytics
from anthropic.types.beta.organization import plugins as beta_plugins
from anthropic.types.beta.organization.claude_code import managed_settings
from anthropic.types.organization import (
    analytics,
    federation,
    rbac_groups,
    rbac_roles,
    service_accounts,
    spend_limits,
    workspaces,
)
from anthropic.types.organization.analytics.apps import chat
from pydantic import BaseModel

Method = Callable[[anthropic.Anthropic], Callable[..., object]]


@dataclass(frozen=True)
class Official:
    """What the official package knows of one path: its rows, its parameters and its method.

    Attributes:
        row: One row, or one item whose list `unnest` has the rows.
    """

    row: type[BaseModel]
    params: type
    method: Method
    unnest: str | None = None


OFFICIAL: dict[str, Official] = {
    "users": Official(
        organization.AnalyticsUserActivity,
        analytics.UserListParams,
        lambda api: api.organization.analytics.users.list,
    ),
    "summaries": Official(
        organization.AnalyticsSingleDayActivitySummary,
        analytics.SummaryListParams,
        lambda api: api.organization.analytics.summaries.list,
    ),
    "apps/chat/projects": Official(
        organization.AnalyticsProjectActivity,
        chat.ProjectListParams,
        lambda api: api.organization.analytics.apps.chat.projects.list,
    ),
    "skills": Official(
        organization.AnalyticsSkillActivity,
        analytics.SkillListParams,
        lambda api: api.organization.analytics.skills.list,
    ),
    "connectors": Official(
        organization.AnalyticsConnectorActivity,
        analytics.ConnectorListParams,
        lambda api: api.organization.analytics.connectors.list,
    ),
    "plugins": Official(
        organization.AnalyticsPluginActivity,
        analytics.PluginListParams,
        lambda api: api.organization.analytics.plugins.list,
    ),
    "artifacts": Official(
        organization.AnalyticsArtifactActivity,
        analytics.ArtifactListParams,
        lambda api: api.organization.analytics.artifacts.list,
    ),
    "cost": Official(
        beta_analytics.BetaAnalyticsCostItem,
        beta_analytics.CostListParams,
        lambda api: api.beta.organization.analytics.cost.list,
    ),
    "usage": Official(
        beta_analytics.BetaAnalyticsUsageItem,
        beta_analytics.UsageListParams,
        lambda api: api.beta.organization.analytics.usage.list,
    ),
    "cost_report": Official(
        beta_organization.BetaAnalyticsCostReportTimeBucket,
        beta_analytics.CostReportListParams,
        lambda api: api.beta.organization.analytics.cost_report.list,
        unnest="results",
    ),
    "usage_report": Official(
        beta_organization.BetaAnalyticsUsageReportTimeBucket,
        beta_analytics.UsageReportListParams,
        lambda api: api.beta.organization.analytics.usage_report.list,
        unnest="results",
    ),
    "user_cost_report": Official(
        beta_organization.BetaAnalyticsCostUsersItem,
        beta_analytics.UserCostReportListParams,
        lambda api: api.beta.organization.analytics.user_cost_report.list,
    ),
    "user_usage_report": Official(
        beta_organization.BetaAnalyticsUsageUsersItem,
        beta_analytics.UserUsageReportListParams,
        lambda api: api.beta.organization.analytics.user_usage_report.list,
    ),
}
"""By path below /v1/organizations/analytics/."""


@dataclass(frozen=True)
class OfficialRoster:
    """The same for a roster."""

    row: type[BaseModel]
    params: type | None
    method: Method


OFFICIAL_ROSTERS: dict[str, OfficialRoster] = {
    "members": OfficialRoster(
        organization.OrganizationUser,
        organization.UserListParams,
        lambda api: api.organization.users.list,
    ),
    "invites": OfficialRoster(
        organization.OrganizationInvite,
        organization.InviteListParams,
        lambda api: api.organization.invites.list,
    ),
    "rbac_groups": OfficialRoster(
        organization.RBACGroup,
        organization.RBACGroupListParams,
        lambda api: api.organization.rbac_groups.list,
    ),
    "rbac_group_members": OfficialRoster(
        rbac_groups.RBACGroupMember,
        rbac_groups.MemberListParams,
        lambda api: api.organization.rbac_groups.members.list,
    ),
    "spend_limits": OfficialRoster(
        organization.SpendSummary,
        spend_limits.EffectiveListParams,
        lambda api: api.organization.spend_limits.effective.list,
    ),
    "organizations": OfficialRoster(OrganizationInfo, None, lambda api: api.organization.retrieve),
    "rbac_roles": OfficialRoster(
        organization.RBACRole,
        organization.RBACRoleListParams,
        lambda api: api.organization.rbac_roles.list,
    ),
    "rbac_role_permissions": OfficialRoster(
        rbac_roles.RBACRolePermission,
        rbac_roles.PermissionListParams,
        lambda api: api.organization.rbac_roles.permissions.list,
    ),
    "configured_spend_limits": OfficialRoster(
        beta_organization.BetaSpendLimit,
        beta_organization.SpendLimitListParams,
        lambda api: api.beta.organization.spend_limits.list,
    ),
    "spend_limit_increase_requests": OfficialRoster(
        spend_limits.SpendLimitIncreaseRequest,
        spend_limits.IncreaseRequestListParams,
        lambda api: api.organization.spend_limits.increase_requests.list,
    ),
    "api_keys": OfficialRoster(
        organization.APIKey,
        organization.APIKeyListParams,
        lambda api: api.organization.api_keys.list,
    ),
    "workspaces": OfficialRoster(
        organization.Workspace,
        organization.WorkspaceListParams,
        lambda api: api.organization.workspaces.list,
    ),
    "workspace_members": OfficialRoster(
        organization.WorkspaceMember,
        workspaces.MemberListParams,
        lambda api: api.organization.workspaces.members.list,
    ),
    "service_accounts": OfficialRoster(
        organization.ServiceAccount,
        organization.ServiceAccountListParams,
        lambda api: api.organization.service_accounts.list,
    ),
    "service_account_workspaces": OfficialRoster(
        organization.ServiceAccountWorkspaceMember,
        service_accounts.WorkspaceListParams,
        lambda api: api.organization.service_accounts.workspaces.list,
    ),
    "federation_issuers": OfficialRoster(
        federation.FederationIssuer,
        federation.IssuerListParams,
        lambda api: api.organization.federation.issuers.list,
    ),
    "federation_rules": OfficialRoster(
        federation.FederationRule,
        federation.RuleListParams,
        lambda api: api.organization.federation.rules.list,
    ),
    "plugin_marketplaces": OfficialRoster(
        beta_organization.BetaPluginMarketplace,
        beta_organization.PluginMarketplaceListParams,
        lambda api: api.beta.organization.plugin_marketplaces.list,
    ),
    "organization_plugins": OfficialRoster(
        beta_organization.BetaPlugin,
        beta_organization.PluginListParams,
        lambda api: api.beta.organization.plugins.list,
    ),
    "plugin_versions": OfficialRoster(
        beta_plugins.BetaPluginVersion,
        beta_plugins.VersionListParams,
        lambda api: api.beta.organization.plugins.versions.list,
    ),
    "plugin_installation_settings": OfficialRoster(
        beta_plugins.BetaPluginInstallationSetting,
        beta_plugins.InstallationSettingListParams,
        lambda api: api.beta.organization.plugins.installation_settings.list,
    ),
    "plugin_shares": OfficialRoster(
        beta_plugins.BetaPluginShare,
        beta_plugins.ShareListParams,
        lambda api: api.beta.organization.plugins.shares.list,
    ),
    "claude_code_settings": OfficialRoster(
        managed_settings.BetaClaudeCodeManagedSettingsConfiguration,
        None,
        lambda api: api.beta.organization.claude_code.managed_settings.configuration.retrieve,
    ),
    "claude_code_settings_groups": OfficialRoster(
        managed_settings.BetaClaudeCodeRBACGroupManagedSettingsSummary,
        managed_settings.RBACGroupListParams,
        lambda api: api.beta.organization.claude_code.managed_settings.rbac_groups.list,
    ),
    "claude_code_group_settings": OfficialRoster(
        managed_settings.BetaClaudeCodeRBACGroupManagedSettings,
        None,
        lambda api: api.beta.organization.claude_code.managed_settings.rbac_groups.retrieve,
    ),
    "claude_code_default_settings": OfficialRoster(
        managed_settings.BetaClaudeCodeRBACGroupDefaultManagedSettings,
        None,
        lambda api: api.beta.organization.claude_code.managed_settings.rbac_group_default.retrieve,
    ),
    "compliance_settings": OfficialRoster(
        beta_organization.BetaComplianceSettings,
        None,
        lambda api: api.beta.organization.compliance_settings.retrieve,
    ),
    "telemetry_destinations": OfficialRoster(
        beta_organization.BetaTelemetryDestination,
        beta_organization.TelemetryDestinationListParams,
        lambda api: api.beta.organization.telemetry_destinations.list,
    ),
    "organization_webhooks": OfficialRoster(
        beta_organization.BetaOrganizationWebhookEndpoint,
        beta_organization.WebhookListParams,
        lambda api: api.beta.organization.webhooks.list,
    ),
}
"""By raw table."""


def field_texts(model: type) -> dict[str, str]:
    """What the package says of each field, below its declaration."""
    (found,) = ast.parse(dedent(inspect.getsource(model))).body
    assert isinstance(found, ast.ClassDef)
    texts = {}
    for declared, text in zip(found.body, [*found.body[1:], None], strict=True):
        if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            texts[declared.target.id] = str(text.value.value) if is_text else ""  # type: ignore[union-attr]
    return texts


def variants(kind: Any) -> Iterator[Any]:
    """The types that a field may have, without null and without what only decorates them."""
    if get_origin(kind) is Annotated:
        yield from variants(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            yield from variants(part)
    elif get_origin(kind) is Literal:
        yield from {type(value) for value in get_args(kind)}
    elif kind is not NoneType:
        yield kind


def words_hash(known: Official | OfficialRoster) -> str:
    """A hash of all that the package says of a path: its method, its parameters, its rows."""
    with anthropic.Anthropic(api_key="none") as api:
        said = [inspect.getdoc(known.method(api)) or ""]
    said += list(words_of(known.params)) if known.params else []
    said += list(words_of(known.row))
    plain = "\n".join(" ".join(text.split()) for text in said)
    return hashlib.sha256(plain.encode()).hexdigest()[:16]


def words_of(kind: type) -> Iterator[str]:
    """What is said of a type and of each of its fields, by name, and the same of nested ones."""
    yield f"{kind.__name__}: {inspect.getdoc(kind) or ''}"
    for name, text in sorted(field_texts(kind).items()):
        yield f"{name}: {text}"
    for field in getattr(kind, "model_fields", {}).values():
        for part in variants(field.annotation):
            for inner in chain.from_iterable(map(variants, get_args(part) or (part,))):
                if isinstance(inner, type) and issubclass(inner, BaseModel):
                    yield from words_of(inner)
