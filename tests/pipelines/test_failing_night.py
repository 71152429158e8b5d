"""A night that fails, as whoever operates this hears of it: log, chat, monitor, status."""

import json

import pytest

from pipelines.exit_codes import DONE, FAILED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query
from tests.pipelines.test_summary import Chat, chat

__all__ = ["chat"]

pytestmark = pytest.mark.long


def test_a_night_that_fails_is_heard_of_everywhere_and_made_up_for_by_the_next(
    api: Sandbox, command: Command, query: Query, chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY__WEBHOOK_URL", chat.url)
    monkeypatch.setenv("NOTIFY__HEARTBEAT_URL", chat.url)
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    assert command("sync --today 2026-01-08").exit_code == DONE
    assert command("check --today 2026-01-08").exit_code == 0
    heartbeats = len(chat.calls)

    api.answer("/skills", status=500, times=1_000)
    night = command("sync --today 2026-01-09", LOGGING__FORMAT="json")
    said = [json.loads(line) for line in night.err.splitlines()]

    assert night.exit_code == FAILED
    [failed] = [line["message"] for line in said if line["level"] == "error"]
    assert "skills" in failed and "500" in failed and len(failed.splitlines()) >= 3
    assert said[-1]["message"] == "failed"
    assert said[-1]["run"]["outcome"] == "failed" and said[-1]["run"]["day_count"] > 0
    # The chat hears why; the dead man's switch hears nothing.
    assert chat.told[-1].startswith("✗ claude-warehouse sync: failed\n• ")
    assert "skills" in chat.told[-1].splitlines()[1]
    assert len(chat.calls) == heartbeats
    monitor = command("check --today 2026-01-09")
    assert monitor.exit_code == 2 and len(monitor.out.splitlines()) == 1
    assert monitor.out.startswith("wrong: the last run (sync of 2026-01-09) failed: ")
    assert "1 endpoint day missing of the last 90 (skills: 2026-01-06)" in monitor.out
    status = command("status --today 2026-01-09").out
    assert status.splitlines()[1] == "Needs attention" and "skills" in status.splitlines()[2]

    # Readers have all else of that night, and the next one makes up for it.
    served = (
        "select count(*) from claude_marts.data_coverage_daily where activity_date = '2026-01-06'"
    )
    assert query(f"{served} and endpoint = 'users' and status = 'empty'", served=True) == [(1,)]
    assert query(f"{served} and endpoint = 'skills' and status = 'missing'", served=True) == [(1,)]
    api.clear_answers()
    assert command("sync --today 2026-01-10").exit_code == DONE
    assert command("check --today 2026-01-10").exit_code == 0
    assert len(chat.calls) == heartbeats + 1
    assert query("select outcome from claude_marts.runs order by as_of_date", served=True) == [
        ("done",),
        ("failed",),
        ("running",),
    ]
