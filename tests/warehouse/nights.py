"""Several nights on one engine, with days that are revised and a month that is closed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.dataset

from pipelines.data_dir import DataDir
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import identifier
from tests.commands import command
from tests.compare.stories import FEW_NIGHTS, Step, Story, second_night
from tests.nights import few_nights

TODAY = "2026-03-12"
LOOKS = (
    f"status --json --today {TODAY}",
    f"doctor --today {TODAY}",
    f"check --today {TODAY}",
    f"preview --today {TODAY}",
    "summary",
    "report",
)
FILES = (
    "chargeback --month 2026-01 --format csv",
    "chargeback --month 2026-01 --format xlsx",
    "focus --month 2026-01 --format csv",
    "focus --month 2026-01 --format parquet",
    "focus --month 2026-01 --format xlsx",
    "focus-periods --format csv",
    "evidence --format csv",
    "evidence --format jsonl",
    "marts --format parquet",
)
"""What is exported."""
AS_OF = "2026-03-07"
"""A moment between two nights; its marts are built beside those of the last one."""
OF_THE_RUN = {"runs": {"run_id", "started_at", "ended_at"}}
"""Mart -> its columns that tell of a run itself."""

TWO_NIGHTS = replace(
    FEW_NIGHTS,
    name="two",
    steps=(
        FEW_NIGHTS.steps[0],
        FEW_NIGHTS.steps[1],
        Step("sync --today 2026-03-06", second_night),
    ),
)
"""Those of the nights that a quick look needs: a close, then days of a closed month that move."""


@dataclass(frozen=True)
class Nights:
    """What readers have after them, and what the commands that read it say and write."""

    marts: Mapping[str, pa.Table]
    words: Mapping[str, str]
    files: Mapping[str, object]


def nights(
    folder: Path,
    place: Mapping[str, str],
    story: Story = FEW_NIGHTS,
    looks: Sequence[str] = LOOKS,
    exports: Sequence[str] = FILES,
) -> Nights:
    """Play them on the engine of these settings, one command after the other."""
    data_dir = DataDir(folder / "data")
    given = {**place, "PIPELINE__DATA_DIR": str(data_dir.root)}
    with few_nights(folder, given) as (world, _):
        for number, step in enumerate(story.steps):
            step.before(world)
            # The first night publishes too: the last one then replaces what readers have.
            said(step.words if number else step.words.removesuffix(" --no-transform"))
        words = {look: said(look) for look in looks}
        files: dict[str, object] = {}
        for number, what in enumerate(exports):
            form = what.rpartition(" ")[2]
            out = folder / (f"file_{number}.{form}" if what.split()[0] != "marts" else "lake")
            said(f"export {what} --out {out}")
            files[what] = CONTENT["lake" if out.is_dir() else form](out)
        if exports:
            out = folder / "as_of.duckdb"
            said(f"transform --as-of {AS_OF} --out {out} --today {TODAY}")
            files["as of"] = _database(out)
        with warehouse_of(data_dir).serve() as served:
            marts = {
                mart: served.batches(
                    f"select {', '.join(map(identifier, columns))} from {identifier(mart)}"
                ).read_all()
                for mart, columns in served.columns.items()
            }
    return Nights(marts, words, files)


def said(words: str) -> str:
    """What a command prints, both ways; one that fails raises."""
    ended = command(words)
    # What could not be read in one of the nights has a code of its own, and so has what a monitor
    # sees.
    allowed = (0, 1, 2, 4) if words.startswith("check") else (0, 4)
    assert ended.exit_code in allowed, f"{words}: {ended.text}"
    return ended.text


def rows_of(mart: str, table: pa.Table) -> Counter[tuple[Any, ...]]:
    """The rows of a mart, whatever their order, without what tells of a run itself."""
    names = [name for name in table.column_names if name not in OF_THE_RUN.get(mart, ())]
    columns = [table[name].to_pylist() for name in names]
    return Counter(zip(*columns, strict=True))


def _lines(file: Path) -> list[str]:
    return sorted(file.read_text().splitlines())


def _sheets(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(file)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}


def _parquet(file: Path) -> object:
    return rows_of("", pa.dataset.dataset(file, format="parquet").to_table())


def _lake(folder: Path) -> object:
    return {
        each.name: rows_of(each.name, pa.dataset.dataset(each, format="parquet").to_table())
        for each in folder.iterdir()
    }


def _database(file: Path) -> object:
    with duckdb.connect(str(file), read_only=True) as marts:
        names = marts.execute(
            "select table_name from duckdb_tables() where schema_name = 'claude_marts'"
        ).fetchall()
        return {
            name: rows_of(name, marts.table(f'claude_marts."{name}"').to_arrow_table())
            for (name,) in names
        }


CONTENT: Mapping[str, Callable[[Path], object]] = {
    "csv": _lines,
    "jsonl": _lines,
    "xlsx": _sheets,
    "parquet": _parquet,
    "lake": _lake,
}
