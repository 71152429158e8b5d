"""The marts as they would have been at a moment, and what was dropped to make room."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED
from tests.compare.differences import Allowed, marts
from tests.compare.stories import second_night, third_night
from tests.nights import few_nights

OF_RUNS = Allowed({"marts.runs": "how a run ended is noted after the marts were built"})
NIGHTS = ("2026-03-05", "2026-03-06", "2026-03-09")

Run = Callable[[str], int]


@pytest.fixture(scope="module")
def three_nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DataDir, Run, Path]]:
    """A warehouse of three nights with revisions, and what was served after the first."""
    folder = tmp_path_factory.mktemp("nights")
    data_dir, first = DataDir(folder / "data"), folder / "first.duckdb"
    with few_nights(folder) as (world, run_on):
        run = partial(run_on, data_dir)
        assert run(f"sync --today {NIGHTS[0]}") == DONE
        shutil.copy(data_dir.served, first)
        second_night(world)
        # A part of it is not believed, and kept apart.
        run(f"sync --today {NIGHTS[1]} --no-transform")
        chart = (world.files / "org_chart.csv").read_text()
        third_night(world)
        # Reference files are replaced, and so are no part of what was known.
        (world.files / "org_chart.csv").write_text(chart)
        run(f"sync --today {NIGHTS[2]} --no-transform")
        yield data_dir, run, first


def rows_of(data_dir: DataDir, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def test_the_marts_as_of_the_first_night_are_those_that_were_served_then(
    three_nights: tuple[DataDir, Run, Path], tmp_path: Path
) -> None:
    data_dir, run, first = three_nights
    out = tmp_path / "then.duckdb"
    before = data_dir.served.read_bytes()

    assert run(f"transform --as-of {NIGHTS[0]} --out {out}") == DONE

    compared = list(marts(first, out, OF_RUNS))
    assert [mart.name for mart in compared if not mart.is_equal or mart.new] == []
    assert sum(mart.row_count for mart in compared) > 1_000
    assert data_dir.served.read_bytes() == before


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-03-04", "nothing was loaded then"),
        ("2199-01-01", "that moment has not come yet"),
    ],
)
def test_a_moment_that_nothing_is_known_of_is_refused(
    three_nights: tuple[DataDir, Run, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    moment: str,
    words: str,
) -> None:
    _, run, _ = three_nights
    out = tmp_path / "then.duckdb"

    assert run(f"transform --as-of {moment} --out {out}") == FAILED

    assert words in " ".join(capsys.readouterr().err.split())
    assert not out.exists()
