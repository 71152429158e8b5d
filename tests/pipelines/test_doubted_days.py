"""Days that contradict their sisters, or lost what they had, are kept apart and asked for again."""

from collections.abc import Iterator
from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.commands import Ended
from tests.conftest import Command, Query

FIRST, SECOND, THIRD = "2026-02-10", "2026-02-11", "2026-02-12"
EMPTY = {"data": [], "has_more": False, "next_page": None}


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with Sandbox(today=FIRST, seats=20) as sandbox:
        yield sandbox


def night(api: Sandbox, command: Command, day: str, *paths: str) -> Ended:
    """A run; what is asked of these paths is answered with an empty list."""
    api.today = day
    for path in paths:
        api.answer(path, body={**EMPTY, "data_refreshed_at": f"{day}T00:00:00Z"}, times=10_000)
    ended = command(f"sync --no-transform --today {day}")
    api.clear_answers()
    return ended


def days(query: Query, table: str, measure: str = "count(*)") -> list[tuple[Any, ...]]:
    return query(f"select activity_date, {measure} from counting_{table} group by 1 order by 1")


def test_a_day_of_people_that_its_sisters_contradict_is_not_known(
    api: Sandbox, command: Command, query: Query
) -> None:
    assert night(api, command, FIRST).exit_code == 0
    before = days(query, "users")

    ended = night(api, command, SECOND, "/analytics/users")

    assert ended.exit_code == 4
    assert "far fewer people than other answers name on the same days" in ended.err
    assert "claude-warehouse accept people" in ended.err
    assert days(query, "users") == before
    assert not query(
        "select 1 from claude_raw.loaded_days where endpoint = 'users'"
        " and activity_date = '2026-02-08' and outcome = 'empty'"
    )
    assert night(api, command, THIRD).exit_code == 0
    loaded = {day for day, _ in days(query, "users")}
    assert {str(day) for day in loaded} >= {"2026-02-06", "2026-02-09"}


def test_a_night_of_empty_money_takes_no_bill_away(
    api: Sandbox, command: Command, query: Query
) -> None:
    assert night(api, command, FIRST).exit_code == 0
    before = days(query, "cost_totals", "sum(cost__amount)"), days(query, "usage_totals")

    ended = night(api, command, SECOND, "/analytics/cost", "/analytics/usage")

    assert ended.exit_code == 4
    assert "claude-warehouse accept cost" in ended.err
    now = days(query, "cost_totals", "sum(cost__amount)"), days(query, "usage_totals")
    assert all(set(old) <= set(new) for old, new in zip(before, now, strict=True))
    assert night(api, command, THIRD).exit_code == 0


@pytest.mark.long
def test_one_day_may_be_corrected_to_nothing(api: Sandbox, command: Command, query: Query) -> None:
    assert night(api, command, FIRST).exit_code == 0
    api.publish("skills", "2026-02-06", [])

    assert night(api, command, SECOND).exit_code == 0
    assert "2026-02-06" not in {str(day) for day, _ in days(query, "skills")}


@pytest.mark.long
def test_what_somebody_accepts_counts(api: Sandbox, command: Command, query: Query) -> None:
    night(api, command, FIRST)
    night(api, command, SECOND, "/analytics/skills")
    assert command(f"accept use --today {SECOND}").exit_code == 0

    assert night(api, command, SECOND, "/analytics/skills").exit_code == 0
    assert max(str(day) for day, _ in days(query, "skills")) < "2026-02-03"
