"""From the lists of the Admin API to what a reviewer reads, through the command."""

from pathlib import Path
from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.conftest import Command, Query

OLD = "2025-12-01T08:00:00Z"


@pytest.fixture
def nights(api: Sandbox, command: Command, tmp_path: Path) -> Any:
    """Runs a night on that day, reviewed as of January 8."""
    reviews = tmp_path / "access_reviews.csv"
    reviews.write_text("email,reviewed_at,reviewer\n,2026-01-08,kim\n")

    def run(day: str) -> None:
        ended = command(
            f"sync --today {day}",
            SOURCES__CLAUDE_ADMIN__API_KEY=api.api_key,
            SOURCES__CLAUDE_ADMIN__BASE_URL=api.url,
            SOURCES__REFERENCE_FILES__ACCESS_REVIEWS=str(reviews),
        )
        assert ended.exit_code == 0, ended.err

    return run


def permit(api: Sandbox, *tools: str) -> None:
    api.publish_roster(
        "rbac_role_permissions",
        [
            {
                "rbac_role_id": "role_code",
                "action": "use",
                "resource": {"type": "connector", "connector_id": tool},
            }
            for tool in tools
        ],
    )


def test_a_review_says_what_a_person_may_do_and_what_changed(
    api: Sandbox, nights: Any, query: Query
) -> None:
    api.publish_roster("members", [{"id": "user_ada", "role": "managed"}, {"id": "user_bob"}])
    api.publish_roster("rbac_groups", [{"id": "group_code", "role_ids": ["role_code"]}])
    api.publish_roster(
        "rbac_group_members", [{"rbac_group_id": "group_code", "user_id": "user_ada"}]
    )
    api.publish_roster("rbac_roles", [{"id": "role_code", "display_name": "Code tools"}])
    permit(api, "github")
    api.publish_roster("workspaces", [{"id": "wrkspc_a"}])
    api.publish_roster(
        "workspace_members",
        [
            {
                "workspace_id": "wrkspc_a",
                "user_id": "user_ada",
                "workspace_role": "workspace_admin",
            }
        ],
    )
    api.publish_roster(
        "api_keys",
        [{"id": "apikey_1", "created_at": OLD, "created_by": {"id": "user_ada", "type": "user"}}],
    )
    nights("2026-01-08")
    permit(api, "github", "jira")
    nights("2026-01-09")

    assert query(
        "select user_id, role, rbac_role_names, permissions, permission_count, api_key_count,"
        " workspace_count, workspace_admin_count, changes_since_review"
        " from claude_marts.access_review order by user_id",
        served=True,
    ) == [
        (
            "user_ada",
            "managed",
            "Code tools",
            "use on connector github; use on connector jira",
            2,
            1,
            1,
            1,
            "permissions use on connector github to use on connector github; use on connector jira",
        ),
        ("user_bob", "user", None, None, 0, 0, 0, 0, None),
    ]
    assert query(
        "select api_key_id, key_type, status, owner_user_id, has_no_expiry, has_owner_left"
        " from claude_marts.api_key_hygiene",
        served=True,
    ) == [("apikey_1", "console", "active", "user_ada", True, False)]


def test_what_the_organisation_lacks_is_unknown_and_no_error(
    api: Sandbox, nights: Any, query: Query
) -> None:
    api.publish_roster("members", [{"id": "user_ada"}])
    for path in ("rbac_roles", "api_keys", "workspaces", "service_accounts", "federation_"):
        api.answer(path, status=404, times=1000)
    nights("2026-01-08")

    assert query(
        "select permissions, permission_count, api_key_count, workspace_count"
        " from claude_marts.access_review",
        served=True,
    ) == [(None, None, None, None)]
    assert query("select count(*) from claude_marts.api_key_hygiene", served=True) == [(0,)]
    unavailable = query(
        "select distinct endpoint from claude_raw.endpoint_runs where outcome = 'unavailable'"
    )
    assert {
        "api_keys", "federation_issuers", "federation_rules", "rbac_role_permissions",
        "rbac_roles", "service_account_workspaces", "service_accounts", "workspace_members",
        "workspaces",
    } <= {endpoint for (endpoint,) in unavailable}  # fmt: skip
