"""The Admin API: who is a member, invited, in which group, and who may do and spend what."""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal, check_offered
from sources.sandbox.organisation import Organisation
from sources.sandbox.paging import page_of, page_size
from sources.sandbox.published import Row

ORGANIZATION = {
    "type": "organization",
    "id": "5b2f7c1e-8d44-4c7a-9a53-2e6f10c4d9aa",
    "name": "Northwind Enterprise",
}
START = "/v1/organizations/"
MOST_USER_IDS = 100
ENTERPRISE, CONSOLE = "enterprise", "console"


@dataclass(frozen=True, kw_only=True)
class List:
    """One list of the API.

    Attributes:
        path: Below START; `{id}` is that of the row of another list to which the list belongs.
        scope: What a key needs for it.
        filters: Parameters beside those of pages.
        cursor_by: Field whose value leads to the next page; None: an opaque cursor does.
        parent: The other list, and the field that names its row; None: the row does not.
        kind: The organisations that have it.
        is_short: A page may hold fewer than asked for though more follow.
        beta: What the header `anthropic-beta` has to name; without it, nothing is there.
        owned_by: The parents that have such a list, by the type of their owner.
        single: It is one object and no list: what it is where nothing was invented or published.
    """

    path: str
    scope: str = "read:members"
    filters: frozenset[str] = frozenset()
    cursor_by: str | None = None
    parent: tuple[str, str | None] | None = None
    kind: str = ""
    is_short: bool = False
    beta: str | None = None
    owned_by: str | None = None
    single: Row | None = None

    @property
    def is_of_spend_limits(self) -> bool:
        return self.path.startswith("spend_limit")


ARCHIVED = frozenset({"include_archived"})


def of_plugins(path: str, **given: Any) -> List:
    return List(
        path=path, scope="read:plugins", kind=ENTERPRISE, beta="ce-plugins-2026-09-01", **given
    )


def of_managed_settings(path: str, **given: Any) -> List:
    return List(
        path=f"claude_code/managed_settings/{path}",
        scope="read:claude_code_managed_settings",
        kind=ENTERPRISE,
        beta="ce-claude-code-managed-settings-2026-10-06",
        **given,
    )


OF_A_PLUGIN = ("organization_plugins", "plugin_id")
LISTS = {
    "members": List(path="users", filters=frozenset({"email", "roles[]"}), cursor_by="id"),
    "invites": List(
        path="invites", filters=frozenset({"email", "roles[]", "statuses[]"}), cursor_by="id"
    ),
    "rbac_groups": List(path="rbac_groups", scope="read:rbac_groups", kind=ENTERPRISE),
    "rbac_group_members": List(
        path="rbac_groups/{id}/members",
        scope="read:rbac_groups",
        parent=("rbac_groups", "rbac_group_id"),
        kind=ENTERPRISE,
        is_short=True,
    ),
    "rbac_roles": List(path="rbac_roles", kind=ENTERPRISE),
    "rbac_role_permissions": List(
        path="rbac_roles/{id}/permissions",
        parent=("rbac_roles", None),
        kind=ENTERPRISE,
        is_short=True,
    ),
    "spend_limits": List(
        path="spend_limits/effective",
        scope="read:spend_limits",
        filters=frozenset({"period[]", "user_ids[]"}),
        kind=ENTERPRISE,
    ),
    "configured_spend_limits": List(path="spend_limits", scope="read:spend_limits"),
    "spend_limit_increase_requests": List(
        path="spend_limit_increase_requests", scope="read:spend_limits", kind=ENTERPRISE
    ),
    "api_keys": List(path="api_keys", cursor_by="id", kind=CONSOLE),
    "workspaces": List(
        path="workspaces", filters=ARCHIVED | {"include_default"}, cursor_by="id", kind=CONSOLE
    ),
    "workspace_members": List(
        path="workspaces/{id}/members",
        cursor_by="user_id",
        parent=("workspaces", "workspace_id"),
        kind=CONSOLE,
    ),
    "service_accounts": List(
        path="service_accounts", scope="org:admin", filters=ARCHIVED, kind=CONSOLE
    ),
    "service_account_workspaces": List(
        path="service_accounts/{id}/workspaces",
        scope="org:admin",
        parent=("service_accounts", "service_account_id"),
        kind=CONSOLE,
    ),
    "federation_issuers": List(
        path="federation_issuers", scope="org:admin", filters=ARCHIVED, kind=CONSOLE
    ),
    "federation_rules": List(
        path="federation_rules", scope="org:admin", filters=ARCHIVED, kind=CONSOLE
    ),
    "plugin_marketplaces": of_plugins("plugin_marketplaces"),
    "organization_plugins": of_plugins("plugins"),
    "plugin_versions": of_plugins("plugins/{id}/versions", parent=OF_A_PLUGIN),
    "plugin_installation_settings": of_plugins(
        "plugins/{id}/installation_settings", parent=OF_A_PLUGIN, owned_by="organization"
    ),
    "plugin_shares": of_plugins("plugins/{id}/shares", parent=OF_A_PLUGIN, owned_by="user"),
    "claude_code_settings": of_managed_settings(
        "configuration",
        single={
            "type": "claude_code_managed_settings_configuration",
            "mode": {"type": "organization"},
            "mode_updated_at": None,
            "rbac_group_order": [],
            "rbac_group_order_version": "0",
        },
    ),
    "claude_code_settings_groups": of_managed_settings("rbac_groups"),
    "claude_code_group_settings": of_managed_settings(
        "rbac_groups/{id}", parent=("claude_code_settings_groups", "rbac_group_id"), single={}
    ),
    "claude_code_default_settings": of_managed_settings(
        "rbac_group_default",
        single={
            "type": "claude_code_rbac_group_default_managed_settings",
            "settings": None,
            "updated_at": None,
        },
    ),
    "compliance_settings": List(
        path="compliance_settings",
        single={"type": "compliance_settings", "state": {"type": "enabled"}},
    ),
    "telemetry_destinations": List(
        path="telemetry_destinations", beta="telemetry-destinations-2026-08-11", kind=CONSOLE
    ),
    "organization_webhooks": List(path="webhooks", beta="webhooks-2026-10-07", cursor_by="id"),
}
PATTERNS = {
    table: re.compile(START + each.path.replace("{id}", "([^/]+)")) for table, each in LISTS.items()
}


class Roster:
    """The organisation's people, keys and limits as of the request's day."""

    def __init__(
        self, organisation: Organisation, owner: Callable[[], Row], kinds: Collection[str]
    ) -> None:
        """`owner`: what `/me` says whose all of this is; `kinds`: of which lists it has those."""
        self._organisation = organisation
        self._owner = owner
        self._kinds = {"", *kinds}

    def knows(self, path: str) -> bool:
        return path == f"{START}me" or table_of(path) is not None

    def scopes(self, path: str) -> tuple[str, ...]:
        table = table_of(path)
        return () if table is None else (LISTS[table].scope,)

    def budget(self, path: str) -> str:
        table = table_of(path)
        return "spend_limits" if table and LISTS[table].is_of_spend_limits else "admin"

    def answer(self, call: Call) -> str:
        table = table_of(call.path)
        if table is None:
            return json.dumps(self._owner())
        each = LISTS[table]
        check_offered(each.kind in self._kinds)
        if each.beta and each.beta not in call.headers.get("anthropic-beta", ""):
            raise Refusal(404)
        if table == "spend_limits":
            return self._spend_limits(call)
        rows = self._rows(table, call)
        found = PATTERNS[table].fullmatch(call.path)
        if each.parent and found:
            parent, field = each.parent
            parents = {
                row.get("id") or row.get(str(field)): row for row in self._rows(parent, call)
            }
            if found[1] not in parents:
                raise Refusal(404)
            if each.owned_by and parents[found[1]]["owner"]["type"] != each.owned_by:
                raise Refusal(404)
            rows = [
                row
                for id, row in self._organisation.roster(table, call.today)
                if (row[field] if field else row.get("rbac_role_id", id)) == found[1]
            ]
            rows = [{k: v for k, v in row.items() if field or k != "rbac_role_id"} for row in rows]
        if each.single is not None:
            return json.dumps(rows[0] if rows else each.single, ensure_ascii=False)
        if "include_archived" in each.filters and call.params.get("include_archived") != "true":
            rows = [row for row in rows if row["archived_at"] is None]
        if statuses := call.values("statuses[]"):
            rows = [row for row in rows if row["status"] in statuses]
        if each.cursor_by:
            return page_by_id(call, each, rows)
        return page_by_cursor(call, [[row] for row in rows], each)

    def _spend_limits(self, call: Call) -> str:
        user_ids = call.values("user_ids[]")
        if len(user_ids) > MOST_USER_IDS:
            raise Refusal(400, f"user_ids[]: at most {MOST_USER_IDS} entries.")
        periods = call.values("period[]")
        by_member: dict[str, list[Row]] = {}
        for row in self._rows("spend_limits", call):
            if periods and row["period"] not in periods:
                continue
            user_id = str(row["actor"].get("user_id"))
            if not user_ids or user_id in user_ids:
                by_member.setdefault(user_id, []).append(row)
        return page_by_cursor(call, list(by_member.values()), LISTS["spend_limits"])

    def _rows(self, table: str, call: Call) -> list[Row]:
        return [row for _, row in self._organisation.roster(table, call.today)]


def table_of(path: str) -> str | None:
    """The list that is at this path."""
    return next((table for table, known in PATTERNS.items() if known.fullmatch(path)), None)


def check_params(call: Call, known: set[str]) -> None:
    for name in sorted(call.params.keys() - known):
        raise Refusal(400, f"{name}: not supported by the sandbox on this endpoint.")


def address(email: object) -> str:
    """What e-mails are compared by: in any case, and without a plus address."""
    name, _, domain = str(email).casefold().partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def page_by_id(call: Call, each: List, rows: list[Row]) -> str:
    """The page after or before an id of a list that stands newest first."""
    params = call.params
    check_params(call, {"limit", "after_id", "before_id", *each.filters})
    if {"after_id", "before_id"} <= params.keys():
        raise Refusal(400, "after_id: use either `after_id` or `before_id`, not both.")
    if "email" in params:
        rows = [row for row in rows if address(row["email"]) == address(params["email"])]
    if roles := call.values("roles[]"):
        rows = [row for row in rows if row["role"] in roles]
    size = page_size(params, usual=20)
    field = each.cursor_by or "id"
    ids = [row[field] for row in rows]
    if "before_id" in params:
        end = place_of(params["before_id"], ids)
        page, has_more = rows[max(0, end - size) : end], end > size
    else:
        start = place_of(params["after_id"], ids) + 1 if "after_id" in params else 0
        page, has_more = rows[start : start + size], start + size < len(rows)
    return json.dumps(
        {
            "data": page,
            "has_more": has_more,
            "first_id": page[0][field] if page else None,
            "last_id": page[-1][field] if page else None,
        },
        ensure_ascii=False,
    )


def place_of(id: str, ids: Sequence[str]) -> int:
    try:
        return ids.index(id)
    except ValueError:
        raise Refusal(400, f"{id}: there is no such object in this list.") from None


def page_by_cursor(call: Call, groups: Sequence[Sequence[Row]], each: List) -> str:
    """A page of groups of rows that stay together; a short one has fewer than asked for."""
    check_params(call, {"limit", "page", *each.filters})
    size = page_size(call.params, usual=20)
    page, next_page = page_of(call, groups, size - size // 3 if each.is_short else size)
    rows = [row for group in page for row in group]
    return json.dumps({"data": rows, "next_page": next_page}, ensure_ascii=False)
