"""Nights in which sources shrink, stall, go back in time or change their owner, at random.

What was true before is never taken away without a word; and after the world is whole again, the
warehouse knows what it would know without those nights.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from tests.compare.differences import Allowed, marts
from tests.faults.proxy import Answer, Asked, Change, Spoiling
from tests.faults.world import World, path, world
from tests.versions import create_views

FIRST = date(2026, 2, 10)
WHOLE_NIGHTS = 3
WORLD: Any = {
    "today": FIRST,
    "seats": 20,
    "days_ahead": 80,
    "page_size": 1000,
    "settings": {"SOURCES__CLAUDE_ANALYTICS__REVISION_DAYS": "7"},
}
ONLY = (
    "--only users --only skills --only summaries --only cost_totals --only costs"
    " --only claude_admin --only claude_compliance"
)


def emptied(asked: Asked, answer: Answer) -> Answer:
    return _with_rows(answer, lambda rows: [])


def cut(asked: Asked, answer: Answer) -> Answer:
    """A third of the rows, as if there were no more."""
    return _with_rows(answer, lambda rows: rows[: len(rows) // 3])


def stalled(asked: Asked, answer: Answer) -> Answer:
    """Nothing of the newest days, and the data ends before them."""
    body = json.loads(answer.body)
    if body.get("data_refreshed_at"):
        ends = date.fromisoformat(body["data_refreshed_at"][:10]) - timedelta(days=20)
        body["data_refreshed_at"] = f"{ends}T00:00:00Z"
        body["data"] = [row for row in body["data"] if row["starting_at"][:10] < str(ends)]
    return answer.with_body(json.dumps(body).encode())


def of_another(asked: Asked, answer: Answer) -> Answer:
    other = "99999999-8d44-4c7a-9a53-2e6f10c4d9aa"
    if asked.path.endswith("/me"):
        body = {"type": "organization", "id": other, "name": "Somebody Else"}
        answer = answer.with_body(json.dumps(body).encode())
    return answer.with_headers(anthropic_organization_id=other)


def _with_rows(answer: Answer, kept: Callable[[list[object]], list[object]]) -> Answer:
    body = json.loads(answer.body)
    if not isinstance(body.get("data"), list):
        return answer
    body |= {"data": kept(body["data"]), "has_more": False}
    if "next_page" in body:
        body["next_page"] = None
    return answer.with_body(json.dumps(body).encode())


@dataclass(frozen=True)
class Bad:
    """A way in which a night is bad."""

    name: str
    aims: Callable[[Asked], bool]
    change: Change
    takes_nothing: bool = False


BAD = (
    Bad("no people", path("/analytics/users"), emptied),
    Bad("few people", path("/analytics/users"), cut),
    Bad("no skills", path("/analytics/skills"), emptied),
    Bad("no cost", path("/analytics/cost"), emptied),
    Bad("a third of the cost", path("/analytics/cost"), cut),
    # Days beyond the end of the data are not taken for read.
    Bad("older cost", path("/analytics/cost"), stalled, takes_nothing=True),
    Bad("a third of the roster", path("/organizations/users"), cut),
    Bad("a third of the groups", path("/rbac_groups"), cut),
    Bad("another owner", lambda asked: "/v1/" in asked.path, of_another),
)
OF_NIGHTS = {"data_coverage_daily", "day_revisions", "focus_billing_periods", "runs"}
"""Marts that tell of the nights themselves, and when something was learnt."""
SINCE_WHEN = {
    "group_memberships": ("valid_", "valid_until is null"),
    "permission_periods": ("valid_", "valid_until is null"),
    "roster_periods": ("valid_", "valid_until_date is null"),
    "people": ("left_date", "true"),
    "seats": ("left_date", "true"),
    "offboarding_check": ("seat_end_date", "true"),
    "seat_utilization_daily": ("inactive_seats", "true"),
}
"""Marts that tell since when something is as it is -> how the names of those columns begin, and the
rows that are compared without them. Who leaves on a night whose list is not believed is known to be
gone on the next one; of groups, which nothing else counts, a loss that comes twice is believed."""
FACTS = {
    "people": "select count(*) from counting_users",
    "active": "select sum(chat_metrics__message_count) from counting_users",
    "skills": "select count(*) from counting_skills",
    "cost": "select sum(cost__amount) from counting_cost_totals",
    "costs": "select sum(cost__amount) from counting_costs",
    "members": "select count(*) from counting_members where valid_to is null",
    "group members": "select count(*) from counting_rbac_group_members where valid_to is null",
    "events": "select count(distinct id) from counting_activities",
}


def known(data_dir: DataDir) -> dict[str, float]:
    """What is known, each as a number that grows with it."""
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        create_views(warehouse)
        return {
            name: float((warehouse.execute(query).fetchone() or (0,))[0] or 0)
            for name, query in FACTS.items()
        }


def standing(data_dir: DataDir) -> dict[str, list[tuple[Any, ...]]]:
    """What marts say, but since when."""
    with duckdb.connect(str(data_dir.served), read_only=True) as served:
        return {
            mart: served.execute(
                f"select columns(lambda name: not starts_with(name, '{dates}'))"
                f" from claude_marts.{mart} where {rows} order by all"
            ).fetchall()
            for mart, (dates, rows) in SINCE_WHEN.items()
        }


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, **WORLD) as found:
        yield found


def night(found: World, data_dir: DataDir, today: date, bad: Bad | None = None) -> tuple[int, str]:
    found.proxy.spoilings = [Spoiling(bad.aims, bad.change, any_of_them=True)] if bad else []
    found.api.today = today
    ended = found.command(f"sync --no-transform --today {today} {ONLY}", data_dir)
    found.proxy.spoilings = []
    return ended.exit_code, ended.text


@pytest.mark.parametrize(
    ("nights", "seed"),
    [(4, 1), (60, 2), (60, 3)],
)
@pytest.mark.long
def test_bad_nights_take_nothing_away_without_a_word_and_leave_no_trace(
    small_world: World, nights: int, seed: int
) -> None:
    chance = random.Random(seed)
    seen, unseen = small_world.new_folder(), small_world.new_folder()
    for folder in (seen, unseen):
        assert night(small_world, folder, FIRST)[0] == 0
    before = known(seen)
    today = FIRST
    for _ in range(nights):
        today += timedelta(days=1)
        bad = chance.choice([*BAD, None])
        night(small_world, unseen, today)
        code, text = night(small_world, seen, today, bad)
        now, true = known(seen), known(unseen)
        # People leave in truth too.
        lost = {name for name in FACTS if now[name] < min(before[name], true[name])}
        assert not lost or "Believed from tonight on" in text, text
        before = now
    for _ in range(WHOLE_NIGHTS):
        today += timedelta(days=1)
        night(small_world, unseen, today)
        code, text = night(small_world, seen, today)
    assert code == 0, text
    for folder in (seen, unseen):
        # Money is revised for longer than these nights ask for it again.
        money = f"backfill --from {FIRST} --to {today} --only costs --only cost_totals"
        assert small_world.command(f"{money} --no-transform", folder).exit_code == 0
    assert known(seen) == known(unseen)
    for folder in (seen, unseen):
        assert small_world.command(f"transform --today {today}", folder).exit_code == 0
    compared = marts(unseen.served, seen.served, Allowed())
    differing = {mart.name: mart.notes for mart in compared if not mart.is_equal}
    assert not differing.keys() - OF_NIGHTS - SINCE_WHEN.keys(), differing
    assert standing(seen) == standing(unseen)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
@pytest.mark.long
def test_each_bad_night_is_said_and_undone(small_world: World, bad: Bad) -> None:
    data_dir = small_world.new_folder()
    assert night(small_world, data_dir, FIRST)[0] == 0
    before = known(data_dir)

    code, text = night(small_world, data_dir, FIRST + timedelta(days=1), bad)

    assert bad.takes_nothing or (code in (1, 4) and "accept" in text), text
    now = known(data_dir)
    assert not {name for name in FACTS if now[name] < before[name]}
    assert night(small_world, data_dir, FIRST + timedelta(days=2))[0] == 0
