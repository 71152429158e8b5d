"""A member list that lost many people at once is not believed at once."""

from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.conftest import Command, Query

ONLY = "--only claude_admin --only claude_compliance --no-transform"
FIRST, SECOND, THIRD, FOURTH = "2026-01-08", "2026-01-09", "2026-01-10", "2026-01-11"


@pytest.fixture(autouse=True)
def keys(api: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in ("CLAUDE_ADMIN", "CLAUDE_COMPLIANCE"):
        monkeypatch.setenv(f"SOURCES__{source}__BASE_URL", api.url)
        monkeypatch.setenv(f"SOURCES__{source}__API_KEY", api.api_key)
        monkeypatch.setenv(f"SOURCES__{source}__REQUESTS_PER_MINUTE", "100000")


def people(count: int) -> list[dict[str, Any]]:
    return [{"id": f"user_{number:02}"} for number in range(count)]


def night(api: Sandbox, command: Command, day: str, count: int, more: str = "") -> Any:
    api.today = day
    api.publish_roster("members", people(count), since=day)
    return command(f"sync --today {day} {ONLY} {more}")


def members(query: Query) -> int:
    [(count,)] = query("select count(*) from counting_members where valid_to is null")
    return int(count)


def apart(query: Query) -> tuple[int, int]:
    """Snapshots that are stored and do not count, and the rows that any snapshot said are gone."""
    [found] = query(
        """
        select
            (select count(*) from claude_raw.roster_snapshots where outcome = 'kept_apart'),
            (select count(*) from claude_raw.members where is_gone)
        """
    )
    return found[0], found[1]


@pytest.mark.long
def test_half_a_roster_counts_after_a_second_night_that_says_so_too(
    api: Sandbox, command: Command, query: Query
) -> None:
    night(api, command, FIRST, 20)

    ended = night(api, command, SECOND, 8)

    assert ended.exit_code == 4
    assert "members: 8 of 20 are left, and no event tells of 12" in ended.err
    assert "claude-warehouse accept roster" in ended.err
    assert members(query) == 20
    assert apart(query) == (1, 12)
    assert night(api, command, THIRD, 8).exit_code == 0
    assert members(query) == 8
    assert apart(query) == (1, 12)


def test_half_a_roster_does_not_count_while_the_vendor_counts_as_many_seats_as_before(
    api: Sandbox, command: Command, query: Query
) -> None:
    for number in range(1, 12):
        api.publish(
            "summaries", f"2026-01-{number:02}", [{"assigned_seat_count": 20 if number < 8 else 8}]
        )
    night(api, command, FIRST, 20, "--only summaries")

    for day in (SECOND, THIRD):
        ended = night(api, command, day, 8, "--only summaries")
        assert ended.exit_code == 4
        assert "the vendor counts 20 seats" in ended.err
        assert "once the vendor's own count of seats has fallen too" in ended.err
        assert members(query) == 20
    ended = night(api, command, FOURTH, 8, "--only summaries")
    assert ended.exit_code == 0
    assert "Believed from tonight on (roster), because a later day said the same" in ended.text
    assert members(query) == 8


def test_a_whole_roster_after_half_a_one_is_as_if_nothing_had_been(
    api: Sandbox, command: Command, query: Query
) -> None:
    night(api, command, FIRST, 20)
    night(api, command, SECOND, 8)

    assert night(api, command, THIRD, 20).exit_code == 0
    assert members(query) == 20
    assert "roster lost" not in command("status").out


def test_one_word_confirms_that_a_third_has_left(
    api: Sandbox, command: Command, query: Query
) -> None:
    night(api, command, FIRST, 21)
    night(api, command, SECOND, 14)

    assert command(f"accept roster --today {SECOND}").exit_code == 0
    assert night(api, command, SECOND, 14).exit_code == 0
    assert members(query) == 14


@pytest.mark.long
def test_events_of_leaving_are_a_reason(api: Sandbox, command: Command, query: Query) -> None:
    night(api, command, FIRST, 20)
    api.publish_activities(
        [
            {
                "id": f"activity_{number}",
                "created_at": f"{FIRST}T10:00:00Z",
                "type": "org_user_deleted",
                "deleted_user_id": f"user_{number:02}",
                "actor": {"type": "user_actor", "user_id": "user_00"},
            }
            for number in range(8, 20)
        ]
    )

    assert night(api, command, SECOND, 8).exit_code == 0
    assert members(query) == 8


@pytest.mark.long
def test_a_few_who_leave_are_believed(api: Sandbox, command: Command, query: Query) -> None:
    night(api, command, FIRST, 20)

    assert night(api, command, SECOND, 15).exit_code == 0
    assert members(query) == 15


@pytest.mark.long
def test_a_list_without_a_single_row_counts_once_somebody_says_so(
    api: Sandbox, command: Command, query: Query
) -> None:
    night(api, command, FIRST, 20)

    for day in (SECOND, THIRD):
        ended = night(api, command, day, 0)
        assert ended.exit_code == 4
        assert "members: 0 of 20 are left" in ended.err
        assert members(query) == 20
    assert apart(query) == (2, 20)
    command(f"accept roster --today {THIRD}")

    assert night(api, command, THIRD, 0).exit_code == 0
    assert members(query) == 0
