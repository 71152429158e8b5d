"""A year of nights of 50 seats: nothing lost, nothing wrong, and no night dearer than the first."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

pytestmark = pytest.mark.long

FIRST, NIGHTS = date(2026, 4, 15), 365
COMPARED = 30
"""Nights at the beginning and at the end."""
MARTS_EVERY = 61
"""Nights; the marts are all built from what is loaded, whichever night builds them."""


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with Sandbox(seats=50, today=FIRST, days_ahead=NIGHTS + 10) as sandbox:
        yield sandbox


def others_bytes(data_dir: DataDir) -> int:
    """Everything but what has to grow: the warehouse and the marts."""
    return sum(
        path.stat().st_size
        for path in data_dir.root.rglob("*")
        if path.is_file() and not path.name.startswith(("warehouse.duckdb", "serving.duckdb"))
    )


def test_a_year_of_nights_loses_nothing_and_costs_no_more_at_its_end(
    api: Sandbox, command: Command, query: Query, data_dir: DataDir
) -> None:
    seconds: list[float] = []
    sizes: list[int] = []
    others: list[int] = []
    for number in range(NIGHTS):
        api.today = FIRST + timedelta(days=number)
        is_built = number % MARTS_EVERY == 0 or number == NIGHTS - 1
        began = time.process_time()
        words = f"sync --today {api.today} {'' if is_built else '--no-transform'}"
        ended = command(words)
        assert ended.exit_code == DONE, (api.today, ended.err)
        if not is_built:
            seconds.append(time.process_time() - began)
            sizes.append(data_dir.warehouse.stat().st_size)
            others.append(others_bytes(data_dir))

    # A night of the last month costs what one of the first did, and adds no more to the warehouse.
    assert median(seconds[-COMPARED:]) < 1.5 * median(seconds[:COMPARED])
    assert others[-1] < 1.2 * others[COMPARED]
    added = [after - before for before, after in pairwise(sizes)]
    assert sum(added[-COMPARED:]) < 1.5 * sum(added[:COMPARED])
    # 0 lost, 0 wrong.
    known: dict[str, int] = dict(
        query(
            "select status, count(*) from claude_marts.data_coverage_daily group by 1", served=True
        )
    )
    assert known.keys() <= {"loaded", "empty"} and known["loaded"] > NIGHTS * len(ENDPOINTS) / 2
    assert query("select count(*), count(distinct run_id) from claude_marts.runs", served=True) == [
        (NIGHTS, NIGHTS)
    ]
    truth = {row["activity_date"]: row for row in api.truth("active_users_daily", "2026-01-15")}
    found = query(
        "select activity_date, computed_daily_active_users, reported_daily_active_users"
        " from claude_marts.active_users_daily",
        served=True,
    )
    assert len(found) >= NIGHTS
    for day, computed, reported in found:
        expected = truth[day]
        assert computed == expected["computed_daily_active_users"], day
        assert reported in (None, expected["reported_daily_active_users"]), day
    assert command(f"check --today {api.today}").exit_code == 0
