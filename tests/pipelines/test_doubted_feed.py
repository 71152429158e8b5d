"""Days of the activity feed that came without much of what they had are read again until whole."""

from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.commands import Ended
from tests.conftest import Command, Query

FIRST, SECOND, THIRD = "2026-01-08", "2026-01-09", "2026-01-10"


@pytest.fixture(autouse=True)
def key(api: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCES__CLAUDE_COMPLIANCE__BASE_URL", api.url)
    monkeypatch.setenv("SOURCES__CLAUDE_COMPLIANCE__API_KEY", api.api_key)
    monkeypatch.setenv("SOURCES__CLAUDE_COMPLIANCE__REQUESTS_PER_MINUTE", "100000")


def events(numbers: range) -> list[dict[str, Any]]:
    return [
        {
            "id": f"activity_{number}",
            "created_at": f"2026-01-07T10:{number:02}:00Z",
            "type": "sso_login_succeeded",
            "actor": {"type": "user_actor", "user_id": "user_00"},
        }
        for number in numbers
    ]


def night(api: Sandbox, command: Command, day: str, numbers: range) -> Ended:
    """A night in which the feed has these events, whatever was published before."""
    api.today = day
    found = events(numbers)
    ids = [each["id"] for each in found] or [None]
    answer = {"data": found, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}
    api.answer("compliance/activities", body=answer, when=lambda params: "created_at.gte" in params)
    return command(f"sync --no-transform --only claude_compliance --today {day}")


def known(query: Query) -> int:
    [(count,)] = query("select count(*) from counting_activities")
    return int(count)


def outcomes(query: Query) -> list[str]:
    return [
        outcome
        for (outcome,) in query(
            "select outcome from claude_raw.activity_windows"
            " where to_at > '2026-01-07' and from_at < '2026-01-08' order by fetch_number"
        )
    ]


@pytest.mark.parametrize("left", [range(0), range(18, 22)])
def test_a_day_of_the_feed_that_shrank_is_said_loses_nothing_and_is_read_again(
    api: Sandbox, command: Command, query: Query, left: range
) -> None:
    night(api, command, FIRST, range(20))

    ended = night(api, command, SECOND, left)

    assert ended.exit_code == 4
    assert f"came with {len(left) // 2} of 20 events" in ended.err
    assert "claude-warehouse accept feed" in ended.err
    assert known(query) == 20 + len(left) // 2, "what is new counts, and what was known stays"
    assert outcomes(query)[-1] == "broken_off"
    ended = night(api, command, THIRD, range(22))
    assert ended.exit_code == 0
    assert known(query) == 22
    assert "The activity feed came with" not in command("status").out


def test_a_later_day_that_says_the_same_is_enough(
    api: Sandbox, command: Command, query: Query
) -> None:
    night(api, command, FIRST, range(20))
    night(api, command, SECOND, range(2))

    ended = night(api, command, THIRD, range(2))

    assert ended.exit_code == 0
    assert "Believed from tonight on (feed)" in ended.out
    assert known(query) == 20


def test_a_feed_that_ends_long_before_people_do_is_named(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.publish_activities(events(range(20)))
    api.today = "2026-01-25"
    api.publish("users", "2026-01-20", [{"user": {"id": "ana", "email_address": "ana@x.org"}}])

    ended = command("sync --no-transform --only users --only claude_compliance --today 2026-01-25")

    assert ended.exit_code == 0
    assert "activities of the feed ends at 2026-01-07" in ended.err
