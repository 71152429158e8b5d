"""Closes outlive the warehouse: in files of the data folder, from which they come back."""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.closing.closed_months import (
    CHARGE_COLUMNS,
    SETTING_COLUMNS,
    closed_charges,
    closed_months,
    closed_settings,
)
from pipelines.closing.kept_closes import keep_closes
from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from sources.ledger import store
from sources.sandbox import Sandbox
from tests.conftest import Load, Query

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
Keep = Callable[[], list[str]]
Close = Callable[..., None]


@pytest.fixture
def keep(data_dir: DataDir) -> Keep:
    def run() -> list[str]:
        with data_dir.held("test"):
            pipeline = warehouse_pipeline(data_dir)
            create_absent_tables(pipeline)
            return keep_closes(pipeline, data_dir)

    return run


@pytest.fixture
def close(data_dir: DataDir, keep: Keep) -> Close:
    """A close or an undo as a run stores it, with a line of so many covered days, and its files."""

    def run(closing_id: str, month: date, action: str = "closed", covered_days: int = 3) -> None:
        row: dict[str, Any] = {
            "closing_id": closing_id, "action": action, "month": month,
            "closed_at": datetime(2026, 3, 5, tzinfo=UTC), "record_type": "line", "line_number": 1,
            "amount_usd": Decimal("100.00000001"), "covered_days": covered_days, "department": "",
        }  # fmt: skip
        charge = {"closing_id": closing_id, "charge_number": 1, "month": month, "email": "ana@x"}
        kept = {
            "closing_id": closing_id,
            "month": month,
            "setting": "policy",
            "setting_value": "even",
        }
        with data_dir.held("test"):
            pipeline = warehouse_pipeline(data_dir)
            create_absent_tables(pipeline)
            charges = pa.Table.from_pylist([charge], schema=CHARGE_COLUMNS)
            settings = pa.Table.from_pylist([kept], schema=SETTING_COLUMNS)
            frozen = [closed_charges(charges), closed_settings(settings)]
            frozen = frozen if action == "closed" else []
            store(pipeline, [closed_months([row]), *frozen])
        assert keep() == []

    return run


@pytest.fixture
def costs(api: Sandbox, load: Load) -> Callable[[], None]:
    """The cost of three days of January is loaded."""
    day = {
        "group": {"actor": None, "product": "chat", "model": "opus", "cost_type": "tokens"},
        "cost": {"amount": "1", "list_amount": "1", "currency": "USD"},
    }
    for number in (1, 2, 3):
        api.publish("costs", f"2026-01-0{number}", [day])

    def run() -> None:
        load(today="2026-01-04", only=["costs", "cost_totals"])

    return run


def lose_warehouse(data_dir: DataDir) -> None:
    data_dir.warehouse.unlink()
    shutil.rmtree(data_dir.dlt)


CLOSES = """
    select action, strftime(month, '%Y-%m'), closing_id, amount_usd, department
    from claude_raw.closed_months order by all
"""
CHARGES = "select closing_id, email from claude_raw.closed_charges"
SETTINGS = "select closing_id, setting, setting_value from claude_raw.closed_settings"
OF_JANUARY = ("closed", "2026-01", "a", Decimal("100.00000001"), "")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_lost_warehouse_gets_its_closes_back_once_their_days_are_loaded(
    data_dir: DataDir, costs: Callable[[], None], close: Close, keep: Keep, query: Query
) -> None:
    costs()
    close("a", JANUARY)
    lose_warehouse(data_dir)

    [note] = keep()
    assert "the close of 2026-01, but the warehouse lacks days of its cost" in note
    assert query(CLOSES) == []

    costs()
    [note] = keep()
    assert "did not have what was closed or undone of 2026-01. It was taken back from" in note
    assert query(CLOSES) == [OF_JANUARY]
    assert query(CHARGES) == [("a", "ana@x")]
    assert query(SETTINGS) == [("a", "policy", "even")]
    assert keep() == []
    assert query(CLOSES) == [OF_JANUARY]


@pytest.mark.long
def test_a_close_from_before_settings_were_kept_comes_back_without_them(
    data_dir: DataDir, costs: Callable[[], None], close: Close, keep: Keep, query: Query
) -> None:
    costs()
    close("a", JANUARY)
    lose_warehouse(data_dir)
    (data_dir.closed_months / "2026-01_closed_a.settings.parquet").unlink()

    costs()
    keep()

    assert query(CLOSES) == [OF_JANUARY]
    assert query(SETTINGS) == []


def test_each_close_and_undo_is_kept_in_files_of_its_own(data_dir: DataDir, close: Close) -> None:
    close("a", JANUARY)
    close("a", JANUARY, "undone")
    close("b", JANUARY)

    assert names(data_dir.closed_months) == [
        "2026-01_closed_a.charges.parquet",
        "2026-01_closed_a.lines.parquet",
        "2026-01_closed_a.settings.parquet",
        "2026-01_closed_b.charges.parquet",
        "2026-01_closed_b.lines.parquet",
        "2026-01_closed_b.settings.parquet",
        "2026-01_undone_a.lines.parquet",
    ]


@pytest.mark.long
def test_closes_of_an_older_version_or_a_killed_run_are_kept_by_the_next(
    data_dir: DataDir, close: Close, keep: Keep
) -> None:
    close("a", JANUARY)
    shutil.rmtree(data_dir.closed_months)
    keep()
    (data_dir.closed_months / "2026-01_closed_a.charges.parquet").write_bytes(b"PAR1")

    assert keep() == []
    (data_dir.closed_months / "2026-01_closed_a.charges.parquet").unlink()
    assert keep() == []
    lose_warehouse(data_dir)
    assert "lacks days" in keep()[0]


@pytest.mark.parametrize("part", ["lines", "charges", "settings"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_copy_that_is_damaged_or_gone_is_written_anew_while_the_warehouse_has_its_close(
    data_dir: DataDir, close: Close, keep: Keep, part: str, is_gone: bool
) -> None:
    close("a", JANUARY)
    file = data_dir.closed_months / f"2026-01_closed_a.{part}.parquet"
    whole = file.read_bytes()
    file.write_bytes(b"PAR1")
    if is_gone:
        file.unlink()

    assert keep() == []
    assert file.read_bytes() == whole


def test_an_undone_close_does_not_come_back_as_a_close(
    data_dir: DataDir, close: Close, keep: Keep, query: Query
) -> None:
    close("a", JANUARY)
    close("a", JANUARY, "undone")
    lose_warehouse(data_dir)

    assert "taken back" in keep()[0]
    assert [row[:3] for row in query(CLOSES)] == [
        ("closed", "2026-01", "a"), ("undone", "2026-01", "a"),
    ]  # fmt: skip


def test_a_month_that_was_closed_anew_stays_as_the_warehouse_has_it(
    data_dir: DataDir, costs: Callable[[], None], close: Close, keep: Keep, query: Query
) -> None:
    close("a", JANUARY)
    kept = data_dir.root / "kept"
    data_dir.closed_months.rename(kept)
    lose_warehouse(data_dir)
    costs()
    close("b", JANUARY)
    for file in kept.iterdir():
        shutil.copy(file, data_dir.closed_months)

    [note] = keep()
    assert "has a close of 2026-01 that the warehouse does not have" in note
    assert [row[2] for row in query(CLOSES)] == ["b"]


@pytest.mark.parametrize("part", ["lines", "charges", "settings"])
def test_a_damaged_copy_is_named_and_the_others_come_back(
    data_dir: DataDir, close: Close, keep: Keep, query: Query, part: str
) -> None:
    close("a", JANUARY, covered_days=0)
    close("b", FEBRUARY, covered_days=0)
    lose_warehouse(data_dir)
    file = data_dir.closed_months / f"2026-01_closed_a.{part}.parquet"
    file.write_bytes(file.read_bytes()[:100])

    damaged, taken = keep()
    assert f"2026-01_closed_a.{part}.parquet is damaged" in damaged
    assert "of 2026-02. It was taken back" in taken
    assert [row[2] for row in query(CLOSES)] == ["b"]
