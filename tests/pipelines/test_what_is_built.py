"""What a night builds: the models that read something new; the rest is as if it had been built."""

import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.warehouse.dbt import transform
from pipelines.warehouse.duckdb import target
from pipelines.warehouse.duckdb.publish import publish
from tests.compare.differences import Allowed, marts
from tests.compare.stories import World, second_night, third_night
from tests.nights import few_nights
from tests.transforms.raw_tables import RawWarehouse

DAY = "2026-01-05"
SKILL = {"skill_name": "pdf", "distinct_user_count": 3, "invocation_count": 5}
OF_RUNS = Allowed({"marts.runs": "how the full transform ended is noted after it"})


def test_a_model_is_built_again_only_where_something_that_it_reads_has_changed(
    tmp_path: Path,
) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.fetch("skills", DAY, [SKILL])
    raw.fetch("users", DAY)
    built = target(raw.path, tmp_path)
    everything = transform(built).models

    assert transform(built).models == 0
    raw.fetch("skills", DAY, [SKILL])  # The same rows again: the ledger alone is new.
    unchanged = transform(built).models
    raw.fetch("skills", DAY, [{**SKILL, "invocation_count": 6}])
    changed = transform(built).models

    assert 0 < unchanged < changed < everything / 2
    with duckdb.connect(str(raw.path)) as warehouse:
        assert warehouse.execute(
            "select invocation_count from claude_marts.skill_usage_daily"
        ).fetchall() == [(6,)]
        warehouse.execute("drop table claude_marts.skill_usage_daily")
    assert transform(built).models == 1


def test_a_test_that_failed_goes_on_failing_though_nothing_changed(tmp_path: Path) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.fetch("skills", DAY, [SKILL, {**SKILL, "invocation_count": 6}])
    built = target(raw.path, tmp_path)

    first, second = transform(built), transform(built)

    assert second.models == 0
    assert [warning.name for warning in first.warnings] != []
    assert first.warnings == second.warnings


def test_of_published_marts_those_that_did_not_change_stay_as_they_are_published(
    tmp_path: Path,
) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.fetch("skills", DAY, [SKILL])
    built, served = target(raw.path, tmp_path), tmp_path / "serving.duckdb"
    transform(built)
    publish(raw.path, served, accept_loss=True)
    with duckdb.connect(str(raw.path)) as warehouse:
        # What nothing builds is seen only where all is copied.
        warehouse.execute("insert into claude_marts.setting_changes default values")

    raw.fetch("skills", DAY, [{**SKILL, "invocation_count": 6}])
    transform(built)
    publish(raw.path, served, accept_loss=True)
    shutil.copy(served, tmp_path / "parts.duckdb")
    publish(raw.path, served, accept_loss=True, afresh=True)

    by_parts = {
        each.name: each.is_equal for each in marts(tmp_path / "parts.duckdb", served, OF_RUNS)
    }
    assert [name for name, is_equal in by_parts.items() if not is_equal] == ["setting_changes"]
    with duckdb.connect(str(tmp_path / "parts.duckdb")) as parts:
        assert parts.execute(
            "select invocation_count from claude_marts.skill_usage_daily"
        ).fetchall() == [(6,)]


def test_a_published_file_that_somebody_wrote_to_is_made_afresh(tmp_path: Path) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.fetch("skills", DAY, [SKILL])
    served = tmp_path / "serving.duckdb"
    transform(target(raw.path, tmp_path))
    publish(raw.path, served, accept_loss=True)
    with duckdb.connect(str(served)) as written:
        written.execute("delete from claude_marts.skill_usage_daily")

    publish(raw.path, served, accept_loss=True)

    with duckdb.connect(str(served)) as read:
        assert read.execute("select count(*) from claude_marts.skill_usage_daily").fetchall() == [
            (1,)
        ]


def test_what_dbt_compiled_is_compiled_again_where_it_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.warehouse.compiled._compiled", {})
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    models = transform(target(raw.path, tmp_path)).models
    [kept] = (tmp_path / "dbt").glob("compiled-*.json")
    content = kept.read_text()
    (tmp_path / "other").mkdir()
    other = RawWarehouse(tmp_path / "other" / "warehouse.duckdb")

    monkeypatch.setattr("pipelines.warehouse.compiled._compiled", {})
    kept.write_text(content.replace("select", "selekt", 1))

    assert transform(target(other.path, tmp_path)).models == models
    assert kept.read_text() == content


Happen = Callable[[World], str]
"""Something happens in the world; what is run then."""


def _chart(world: World) -> str:
    chart = world.files / "org_chart.csv"
    lines = chart.read_text().splitlines()
    lines[1:] = [line.replace("Engineering", "Sales", 1) for line in lines[1:2]] + lines[2:]
    chart.write_text("\n".join(lines) + "\n")
    return "transform"


def _second(world: World) -> str:
    second_night(world)
    return "sync --today 2026-03-06"


def _third(world: World) -> str:
    third_night(world)
    return "sync --today 2026-03-09"


HAPPENINGS: dict[str, Happen] = {
    "revisions": _second,
    "more revisions": _third,
    "another org chart": _chart,
    "a close": lambda world: "close-month 2026-01 --force",
    "a backfill": lambda world: "backfill --from 2026-01-08 --to 2026-01-12",
    "a belief": lambda world: "accept roster",
    "nothing": lambda world: "sync --today 2026-03-09",
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[DataDir, World, Callable[[str], int]]]:
    data_dir = DataDir(tmp_path / "data")
    with few_nights(tmp_path) as (world, run_on):
        run = partial(run_on, data_dir)
        assert run("sync --today 2026-03-05") == 0
        yield data_dir, world, run


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))]
)
def test_marts_after_any_schedule_of_nights_equal_those_that_are_built_anew(
    folder: tuple[DataDir, World, Callable[[str], int]], tmp_path: Path, seed: int
) -> None:
    data_dir, world, run = folder
    chance = random.Random(seed)

    for name in chance.choices([*HAPPENINGS], k=4):
        run(HAPPENINGS[name](world))
    as_it_is = run("transform")
    shutil.copy(data_dir.served, tmp_path / "step by step.duckdb")
    assert run("transform --full") == as_it_is

    compared = list(marts(tmp_path / "step by step.duckdb", data_dir.served, OF_RUNS))
    assert len(compared) > 40
    assert [mart for mart in compared if not mart.is_equal] == []
