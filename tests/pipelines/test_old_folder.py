"""A data folder that an earlier release loaded over four nights, and what becomes of it now."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines import cli
from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE
from sources.sandbox import Sandbox
from tests.compare.differences import Allowed, marts
from tests.compare.old_folder import kept
from tests.compare.stories import FEW_NIGHTS, World, prepare

OLD = "1d19b5d"
UNLIKE = Allowed({"marts.focus_cost_and_usage": "OLD kept no FOCUS rows of the month it closed"})
LAST = FEW_NIGHTS.handed_over or 0

Tell = Callable[[DataDir, int, str], list[int]]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tell]:
    """Run the commands of the nights from this one on, each with these words added."""
    files = tmp_path / "files"
    files.mkdir()
    with Sandbox(seats=FEW_NIGHTS.seats, today=FEW_NIGHTS.today) as api:
        world = World(api, files)
        for name, value in FEW_NIGHTS.environment(world).items():
            monkeypatch.setenv(name, value)

        def run(data_dir: DataDir, first: int, more: str) -> list[int]:
            monkeypatch.setenv("PIPELINE__DATA_DIR", str(data_dir.root))
            prepare(world)
            codes = []
            for number, step in enumerate(FEW_NIGHTS.steps):
                step.before(world)
                if number >= first:
                    words = ["claude-warehouse", *step.words.split(), *more.split()]
                    monkeypatch.setattr("sys.argv", words)
                    with pytest.raises(SystemExit) as ended:
                        cli.main()
                    codes.append(int(ended.value.code or 0))
            return codes

        yield run


@pytest.fixture
def old_folder(tmp_path: Path) -> DataDir:
    with tarfile.open(kept(OLD)) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return DataDir(tmp_path / "old" / "data")


def rows(data_dir: DataDir, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_a_folder_of_an_earlier_release_goes_on_loading(tell: Tell, old_folder: DataDir) -> None:
    fetches = "select count(*) from claude_raw.loaded_days"
    [(before,)] = rows(old_folder, fetches)

    assert tell(old_folder, LAST, "--no-transform") == [DONE]

    assert rows(old_folder, fetches) > [(before,)]


@pytest.mark.long
def test_the_marts_of_an_earlier_releases_folder_equal_those_of_a_fresh_one(
    tell: Tell, old_folder: DataDir, tmp_path: Path
) -> None:
    fresh = DataDir(tmp_path / "fresh")
    tell(fresh, 0, "")

    assert tell(old_folder, LAST, "") == [DONE]

    compared = list(marts(fresh.served, old_folder.served, UNLIKE))
    assert [mart for mart in compared if not mart.is_equal or mart.new] == []
    assert sum(mart.row_count for mart in compared) > 1_000
