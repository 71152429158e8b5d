"""The report of Claude Code in organisations of the Console (admin.md 7)."""

import json
from datetime import date
from typing import Any
from zlib import crc32

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal, check_invented, check_offered
from sources.sandbox.organisation import Organisation
from sources.sandbox.paging import page_of, page_size

PATH = "/v1/organizations/usage_report/claude_code"
TOOLS = ("edit_tool", "multi_edit_tool", "notebook_edit_tool", "write_tool")
MODELS = ("claude-opus-5-5", "claude-sonnet-5")
PEOPLE = """
    select user_id, email_on(kind, local_part, turned_on, $day) as email from people
    order by n
"""


class ClaudeCode:
    """Who worked with Claude Code on a day, by person and terminal, and one API key."""

    def __init__(self, organisation: Organisation, *, is_console: bool) -> None:
        self._organisation = organisation
        self._is_console = is_console

    def knows(self, path: str) -> bool:
        return path == PATH

    def scopes(self, path: str) -> tuple[str, ...]:
        return ()

    def budget(self, path: str) -> str:
        return "admin"

    def answer(self, call: Call) -> str:
        check_offered(self._is_console)
        check_invented(call.today, self._organisation.last_day)
        try:
            day = date.fromisoformat(call.params["starting_at"])
        except (KeyError, ValueError):
            raise Refusal(400, "starting_at: must be a date in YYYY-MM-DD format.") from None
        rows = self.rows(day) if day < call.today else []
        page, next_page = page_of(call, rows, page_size(call.params, usual=20))
        return json.dumps(
            {"data": page, "has_more": next_page is not None, "next_page": next_page},
            ensure_ascii=False,
        )

    def rows(self, day: date) -> list[dict[str, Any]]:
        """What is answered for that day."""
        found = self._organisation.facts(PEOPLE, {"day": day})
        actors: list[dict[str, str]] = [
            {"type": "user_actor", "email_address": person["email"]} for person in found
        ]
        actors.append({"type": "api_actor", "api_key_name": "build machine"})
        rows = []
        for number, actor in enumerate(actors):
            noise = crc32(f"{day} {number}".encode())
            if noise % 3 == 0:
                continue
            for is_remote in (False, True)[: 1 + noise % 2]:
                rows.append(row(day, actor, noise >> is_remote, is_remote=is_remote))
        return rows


def row(day: date, actor: dict[str, str], noise: int, *, is_remote: bool) -> dict[str, Any]:
    return {
        "date": f"{day}T00:00:00Z",
        "actor": actor,
        "organization_id": "5b2f7c1e-8d44-4c7a-9a53-2e6f10c4d9aa",
        "customer_type": "api",
        "subscription_type": None,
        "terminal_type": "web" if is_remote else "vscode",
        "is_remote": is_remote,
        "core_metrics": {
            "num_sessions": 1 + noise % 5,
            "lines_of_code": {"added": noise % 1000, "removed": noise % 400},
            "commits_by_claude_code": noise % 7,
            "pull_requests_by_claude_code": noise % 3,
        },
        "tool_actions": {
            tool: {"accepted": noise % (10 + place), "rejected": noise % (2 + place)}
            for place, tool in enumerate(TOOLS)
        },
        "model_breakdown": [
            {
                "model": model,
                "tokens": {
                    "input": noise % 90_000,
                    "output": noise % 30_000,
                    "cache_read": noise % 400_000,
                    "cache_creation": noise % 20_000,
                },
                "estimated_cost": {"currency": "USD", "amount": noise % 3000 + 0.5 * place},
            }
            for place, model in enumerate(MODELS)
        ],
    }
