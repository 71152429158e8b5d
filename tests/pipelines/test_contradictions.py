"""Two sentences that cannot both be true are not told; the invented organisations have none."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.reading.contradictions import CONTRADICTIONS, contradictions
from pipelines.reading.findings import findings
from pipelines.reading.headlines import headlines
from pipelines.reading.summary import summary
from pipelines.warehouse.base import Reading
from pipelines.warehouse.duckdb import served
from sources.sandbox import Sandbox
from tests.conftest import Command

MARTS = """
    create schema claude_marts;
    use claude_marts;
    create table active_users_daily as
        select date '2026-06-10' as activity_date, 15 as reported_monthly_active_users,
            null::bigint as computed_monthly_active_users;
    create table seats as
        select 'user_' || range as user_id, 'active' as seat_status, null::date as left_date,
            date '2026-06-10' as as_of_date, 60::decimal(38, 8) as seat_cost_usd_per_month
        from range(20);
    create table seat_recommendations as
        select user_id, 'keep' as recommendation, 0::decimal(38, 8) as monthly_saving_usd
        from seats;
    create table dormant_accounts as
        select user_id, as_of_date, date '2026-04-11' as dormant_since_date,
            60 as days_since_active
        from seats where false;
    create table spend_daily as
        select 'user_1' as user_id, date '2026-06-09' as activity_date,
            5::decimal(38, 8) as spend_usd;
    create table user_activity_daily as
        select 'user_2' as user_id, date '2026-06-08' as activity_date, true as is_active;
    create table roster_periods as
        select 'user_3' as user_id, null::date as valid_until_date, 'group' as rbac_group_ids;
"""
IDLE = """
    insert into dormant_accounts
    select user_id, as_of_date, date '2026-04-11', 60 from seats where user_id = '{}';
    update seat_recommendations set recommendation = 'reclaim' where user_id = '{}';
"""
CASES = {
    "more people are active than would keep a seat": (
        "update seat_recommendations set recommendation = 'reclaim'"
    ),
    "idle and used": IDLE.replace("{}", "user_1"),
    "idle and active": IDLE.replace("{}", "user_2"),
    "left and still holding a seat that is recommended to keep": (
        "update seats set seat_status = 'removed' where user_id = 'user_4'"
    ),
    "removed and in a group": """
        update seats set seat_status = 'removed' where user_id = 'user_3';
        delete from seat_recommendations where user_id = 'user_3';
    """,
}


@pytest.fixture
def marts(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "serving.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(MARTS)
    yield file


def names(reading: Reading) -> list[str]:
    return [each.contradiction.name for each in contradictions(reading)]


def test_every_contradiction_has_a_case() -> None:
    assert CASES.keys() == {each.name for each in CONTRADICTIONS}


def test_marts_that_agree_have_none(marts: Path) -> None:
    with served(marts) as reading:
        assert names(reading) == []


@pytest.mark.parametrize("name", CASES)
def test_of_two_sentences_that_cannot_both_be_true_neither_is_told(marts: Path, name: str) -> None:
    with duckdb.connect(str(marts)) as connection:
        connection.execute(f"use claude_marts; {CASES[name]}")

    with served(marts) as reading:
        assert names(reading) == [name]
        [found] = contradictions(reading)
        assert not set(found.contradiction.silences) & headlines(reading).keys()
        assert findings(reading, None)[0].text == found.text
        assert "reclaim" not in summary(reading, None)


@pytest.mark.long
@pytest.mark.parametrize(("seats", "seed"), [(20, 1), (9, 4), (40, 7)])
def test_the_invented_organisations_contradict_themselves_nowhere(
    seats: int, seed: int, command: Command, data_dir: DataDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sandbox(today="2026-05-20", seats=seats, seed=seed) as sandbox:
        for source in ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE"):
            monkeypatch.setenv(f"SOURCES__{source}__BASE_URL", sandbox.url)
            monkeypatch.setenv(f"SOURCES__{source}__REQUESTS_PER_MINUTE", "100000")
            monkeypatch.setenv(f"SOURCES__{source}__API_KEY", sandbox.api_key)
        assert command("sync --today 2026-05-20").exit_code == 0
    with served(data_dir.served) as reading:
        assert {*reading.columns} >= {mart for each in CONTRADICTIONS for mart in each.facts}
        for each in CONTRADICTIONS:
            assert all(reading.has(mart, *columns) for mart, columns in each.facts.items())
        assert names(reading) == []
