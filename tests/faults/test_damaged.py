"""Files of the data folder that are damaged, gone, or something else, and every command on them."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.run import Listener, RunResult, build
from tests.faults.tally import Tally
from tests.faults.world import BY_NAME, TODAY, TRACE, World, leaks

PEOPLE = BY_NAME["days of people"]
MARTS = ("+active_users_daily", "+data_coverage_daily", "+access_evidence")


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def cut_in_half(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])


def overwritten(file: Path) -> None:
    """200 kB in the middle, or a third of a smaller file."""
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 3)
        opened.write(b"\x5a" * min(200_000, size // 3))


def another_file(file: Path) -> None:
    file.write_text("Dear colleague,\nthis is not what you think.\n")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def gone(file: Path) -> None:
    file.unlink()


DAMAGES: dict[str, Callable[[Path], None]] = {
    "emptied": emptied,
    "cut in half": cut_in_half,
    "overwritten": overwritten,
    "another file": another_file,
    "a folder": a_folder,
    "gone": gone,
}
COMMANDS = {
    "status": "status",
    "doctor": "doctor",
    "summary": "summary",
    "report": "report --out {out}/report.html",
    "chart": "report --format png --chart active-people --out {out}/chart.png",
    "evidence": "export evidence --out {out}/evidence.csv",
    "publish": "publish",
    "sync": f"sync --no-transform --today {TODAY} {PEOPLE.words}",
}


@dataclass(frozen=True)
class Kept:
    """A file that the product keeps.

    Attributes:
        name: In the data folder; the first that matches.
        happens, sees, does: Columns of the table in docs/failures.md.
        fails: Commands that cannot do without it: they say so and end with 1.
        is_missed: Where it is gone, it is not taken for one that was never there.
    """

    name: str
    happens: str
    sees: str
    does: str
    fails: frozenset[str] = frozenset()
    is_missed: bool = False


READING = frozenset({"summary", "report", "chart", "evidence"})
ANEW = "nothing; the file is made anew"
FILES = (
    Kept(
        "warehouse.duckdb", "The warehouse is damaged, or gone",
        "which file it is, exit code 1; readers keep what is published",
        "restore it from a backup", frozenset({"status", "doctor", "publish", "sync"}),
        is_missed=True,
    ),
    Kept(
        "serving.duckdb", "The published marts are damaged", "which file it is, exit code 1",
        "`claude-warehouse publish`", READING | {"doctor"},
    ),
    Kept(
        "serving_anonymous.duckdb", "The published marts without people are damaged",
        "which file it is, by `doctor` and `check`", "`claude-warehouse publish`",
        frozenset({"doctor"}),
    ),
    Kept("rate_budget.sqlite", "The rate budget is damaged", ANEW, "nothing"),
    Kept("last_run.json", "The record of the last run is damaged", ANEW, "nothing"),
    Kept("status.json", "What `status` last saw is damaged", ANEW, "nothing"),
    Kept("dlt/claude_warehouse/state.json", "dlt's state is damaged", ANEW, "nothing"),
    Kept("dlt/claude_warehouse/schemas/*.json", "dlt's schema is damaged", ANEW, "nothing"),
)  # fmt: skip


@pytest.fixture(scope="session")
def loaded(shared: World) -> Iterator[DataDir]:
    """A folder with everything that a run leaves, built from few models."""
    shared.proxy.spoilings.clear()
    data_dir = shared.new_folder()
    ended = shared.night(PEOPLE, data_dir, TODAY)
    assert ended.exit_code == 0, ended.text
    result = RunResult()
    with data_dir.held("test"):
        build(data_dir, result, Listener(), MARTS)
    assert result.publish, result.problems
    assert shared.command(f"status --today {TODAY}", data_dir).exit_code == 0
    yield data_dir


def cases() -> Iterator[object]:
    """Every file, damage and command; the short form has each file and damage once."""
    names = list(COMMANDS)
    for number, kept in enumerate(FILES):
        for turn, damage in enumerate(DAMAGES):
            for place, command in enumerate(names):
                is_short = place == (number + turn) % len(names)
                marks = [] if is_short else [pytest.mark.long]
                yield pytest.param(
                    kept, damage, command, marks=marks, id=f"{kept.name}-{damage}-{command}"
                )


@pytest.mark.parametrize(("kept", "damage", "command"), list(cases()))
def test_a_damaged_file_is_made_anew_or_named(
    here: World,
    tally: Tally,
    loaded: DataDir,
    tmp_path: Path,
    kept: Kept,
    damage: str,
    command: str,
) -> None:
    data_dir = here.new_folder()
    shutil.copytree(loaded.root, data_dir.root)
    file = next(data_dir.root.glob(kept.name))
    DAMAGES[damage](file)
    ended = here.command(COMMANDS[command].format(out=tmp_path), data_dir)
    tally.tried("damaged files")

    if TRACE in ended.text or "nobody foresaw" in ended.text:
        tally.find("traces", ended.text)
    for place in leaks(data_dir, [ended]):
        tally.find("leaked", place)
    assert ended.exit_code in (0, 1), ended.text
    # Nobody's folder is removed to make room for a file.
    if ended.exit_code and command != "doctor" and damage != "a folder":
        assert command in kept.fails, ended.text
    # An overwritten part may be one that the command does not read; doctor reads all.
    if command not in kept.fails:
        return
    named = [line for line in ended.text.splitlines() if Path(kept.name).name in line]
    if command == "doctor":
        # Clocks are apart here, which it says too: what counts is its line about this file.
        wrong = [line for line in named if line.lstrip().startswith("✗")]
        assert bool(wrong) == (damage != "gone" or kept.is_missed), ended.text
    elif damage == "another file" or (damage == "gone" and kept.is_missed and command != "sync"):
        assert ended.exit_code == 1, ended.text
        assert named
