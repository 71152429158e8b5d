"""A data folder that an earlier release loaded over four nights, and what becomes of it now."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from tests.compare.differences import Allowed, marts
from tests.compare.old_folder import kept
from tests.compare.stories import BELIEVED, FEW_NIGHTS, prepare
from tests.nights import few_nights

OLD = "1d19b5d"
UNLIKE = Allowed(
    {
        "marts.focus_cost_and_usage": "OLD kept no FOCUS rows of the month it closed",
        "marts.data_coverage_daily.*_count": "OLD asked for cost without its token types",
        "marts.day_revisions": "OLD replaced the rows of a day, so what changed in it is not known",
        "marts.configuration_periods.valid_from_at": "OLD read no settings: known since it is gone",
        "rows.configuration_periods not is_current": "OLD read no settings",
        "marts.permission_periods.valid_from": "OLD read no roles: they are known since it is gone",
        "rows.data_coverage_daily endpoint in ('region_costs', 'region_usage')": "OLD did not ask",
        "marts.spend_by_region_daily": "OLD did not ask where and how fast models answered",
        "marts.spend_drivers_daily": "OLD did not ask for what prices a token beside its model",
        "marts.spend_changes_monthly": "OLD did not ask for what prices a token beside its model",
        "marts.organizations.first_read_at": "OLD did not ask whose key it had",
        "marts.runs": "OLD kept no table of its runs",
        "marts.workflow_usage": "OLD kept these cells as fields that it did not know",
    }
)
LAST = FEW_NIGHTS.handed_over or 0

Tell = Callable[[DataDir, int, str], list[int]]


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Tell]:
    """Run the commands of the nights from this one on, each with these words added."""
    with few_nights(tmp_path, BELIEVED) as (world, run):

        def told(data_dir: DataDir, first: int, more: str) -> list[int]:
            prepare(world)
            codes = []
            for number, step in enumerate(FEW_NIGHTS.steps):
                step.before(world)
                if number >= first:
                    codes.append(run(data_dir, f"{step.words} {more}"))
            return codes

        yield told


@pytest.fixture
def old_folder(tmp_path: Path) -> DataDir:
    with tarfile.open(kept(OLD)) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return DataDir(tmp_path / "old" / "data")


def rows(data_dir: DataDir, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


def declared_types(folder: Path) -> dict[tuple[object, ...], object]:
    """Those of raw tables that no row has come for."""
    declared = DataDir(folder / "declared")
    with declared.held("test"):
        create_absent_tables(warehouse_pipeline(declared))
    return raw_types(declared)


def raw_types(data_dir: DataDir) -> dict[tuple[object, ...], object]:
    found = rows(
        data_dir,
        "select table_name, column_name, data_type from duckdb_columns()"
        " where schema_name = 'claude_raw' and table_name not like '\\_dlt%' escape '\\'",
    )
    return {(table, column): kind for table, column, kind in found}


def test_a_folder_of_an_earlier_release_goes_on_loading(
    tell: Tell, old_folder: DataDir, tmp_path: Path
) -> None:
    fetches = "select count(*) from claude_raw.loaded_days"
    [(before,)] = rows(old_folder, fetches)

    assert tell(old_folder, LAST, "--no-transform") == [DONE]

    assert rows(old_folder, fetches) > [(before,)]
    # No release before decides what a column is.
    assert declared_types(tmp_path).items() <= raw_types(old_folder).items()


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
    # No value that came decides what a column is.
    declared, tables = declared_types(tmp_path), raw_types(fresh)
    known = {table for table, _ in declared}
    assert {name: kind for name, kind in tables.items() if name[0] in known} == declared
