"""The Admin API: who is a member, invited, in which group, and what they may spend (admin.md)."""

import json
import re
from collections.abc import Sequence

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal
from sources.sandbox.organisation import Organisation
from sources.sandbox.paging import page_of, page_size
from sources.sandbox.published import Row

ORGANIZATION = {
    "type": "organization",
    "id": "5b2f7c1e-8d44-4c7a-9a53-2e6f10c4d9aa",
    "name": "Northwind Enterprise",
}
START = "/v1/organizations/"
GROUP_MEMBERS = re.compile(f"{START}rbac_groups/([^/]+)/members")
ROLE_PERMISSIONS = re.compile(f"{START}rbac_roles/([^/]+)/permissions")
FILTERS = {
    "members": {"email", "roles[]"},
    "invites": {"email", "roles[]", "statuses[]"},
    "spend_limits": {"period[]", "user_ids[]"},
}
MOST_USER_IDS = 100


class Roster:
    """The organisation's people as of the request's day."""

    def __init__(self, organisation: Organisation) -> None:
        self._organisation = organisation
        self._lists = {
            f"{START}me": self._me,
            f"{START}users": self._members,
            f"{START}invites": self._invites,
            f"{START}rbac_groups": self._groups,
            f"{START}rbac_roles": self._roles,
            f"{START}spend_limits/effective": self._spend_limits,
        }

    def knows(self, path: str) -> bool:
        return path in self._lists or bool(
            GROUP_MEMBERS.fullmatch(path) or ROLE_PERMISSIONS.fullmatch(path)
        )

    def scopes(self, path: str) -> tuple[str, ...]:
        if path == f"{START}me":
            return ()
        if path.startswith(f"{START}rbac_groups"):
            return ("read:rbac_groups",)
        return ("read:spend_limits",) if "/spend_limits/" in path else ("read:members",)

    def budget(self, path: str) -> str:
        return "spend_limits" if "/spend_limits/" in path else "admin"

    def answer(self, call: Call) -> str:
        if found := GROUP_MEMBERS.fullmatch(call.path):
            return self._group_members(call, found[1])
        if found := ROLE_PERMISSIONS.fullmatch(call.path):
            return self._role_permissions(call, found[1])
        return self._lists[call.path](call)

    def _me(self, call: Call) -> str:
        return json.dumps(ORGANIZATION)

    def _members(self, call: Call) -> str:
        return page_by_id(call, "members", self._rows("members", call))

    def _invites(self, call: Call) -> str:
        rows = self._rows("invites", call)
        if statuses := call.values("statuses[]"):
            rows = [row for row in rows if row["status"] in statuses]
        return page_by_id(call, "invites", rows)

    def _groups(self, call: Call) -> str:
        return page_by_cursor(call, [[row] for row in self._rows("rbac_groups", call)])

    def _group_members(self, call: Call, group_id: str) -> str:
        if group_id not in [row["id"] for row in self._rows("rbac_groups", call)]:
            raise Refusal(404)
        rows = [
            row
            for row in self._rows("rbac_group_members", call)
            if row["rbac_group_id"] == group_id
        ]
        return page_by_cursor(call, [[row] for row in rows], is_short=True)

    def _roles(self, call: Call) -> str:
        return page_by_cursor(call, [[row] for row in self._rows("rbac_roles", call)])

    def _role_permissions(self, call: Call, role_id: str) -> str:
        found = self._organisation.roster("rbac_role_permissions", call.today)
        rows = [[row] for id, row in found if id == role_id]
        if not rows:
            raise Refusal(404)
        return page_by_cursor(call, rows, is_short=True)

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
        return page_by_cursor(call, list(by_member.values()), "spend_limits")

    def _rows(self, table: str, call: Call) -> list[Row]:
        return [row for _, row in self._organisation.roster(table, call.today)]


def check_params(call: Call, known: set[str]) -> None:
    for name in sorted(call.params.keys() - known):
        raise Refusal(400, f"{name}: not supported by the sandbox on this endpoint.")


def address(email: object) -> str:
    """What e-mails are compared by: in any case, and without a plus address."""
    name, _, domain = str(email).casefold().partition("@")
    return f"{name.partition('+')[0]}@{domain}"


def page_by_id(call: Call, table: str, rows: list[Row]) -> str:
    """The page after or before an id of a list that stands newest first."""
    params = call.params
    check_params(call, {"limit", "after_id", "before_id", *FILTERS[table]})
    if {"after_id", "before_id"} <= params.keys():
        raise Refusal(400, "after_id: use either `after_id` or `before_id`, not both.")
    if "email" in params:
        rows = [row for row in rows if address(row["email"]) == address(params["email"])]
    if roles := call.values("roles[]"):
        rows = [row for row in rows if row["role"] in roles]
    size = page_size(params, usual=20)
    ids = [row["id"] for row in rows]
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
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
        },
        ensure_ascii=False,
    )


def place_of(id: str, ids: Sequence[str]) -> int:
    try:
        return ids.index(id)
    except ValueError:
        raise Refusal(400, f"{id}: there is no such object in this list.") from None


def page_by_cursor(
    call: Call, groups: Sequence[Sequence[Row]], table: str = "", *, is_short: bool = False
) -> str:
    """A page of groups of rows that stay together; a short one has fewer than asked for."""
    check_params(call, {"limit", "page", *FILTERS.get(table, ())})
    size = page_size(call.params, usual=20)
    page, next_page = page_of(call, groups, size - size // 3 if is_short else size)
    rows = [row for group in page for row in group]
    return json.dumps({"data": rows, "next_page": next_page}, ensure_ascii=False)
