"""The whole run against an invented organisation."""

import shutil
from collections.abc import Iterator
from datetime import date

from pipelines.data_dir import REPORT, DataDir
from pipelines.registry import SOURCES
from pipelines.run import Listener, RunResult, sync
from pipelines.warehouse import held, warehouse_of
from sources.errors import ForeseenError
from sources.session import Clock

TODAY = date(2026, 6, 15)
FIRST_NIGHT = date(2026, 3, 31)
"""The night whose whole window is loaded too, so that months can be compared with those before."""
ROSTER_NIGHTS = (date(2026, 4, 30), date(2026, 5, 31))
"""Ends of months of which it is known who had a seat then."""
SEATS = 250
REQUESTS_PER_MINUTE = 6_000


def demo(data_dir: DataDir, listener: Listener) -> RunResult:
    """Load the sandbox's organisation into the folder, where it replaces an earlier demo.

    Raises:
        ForeseenError: The folder holds another warehouse.
    """
    from sources.sandbox import Sandbox

    with (
        held(data_dir, "demo"),
        Sandbox(seats=SEATS, today=TODAY, requests_per_minute=REQUESTS_PER_MINUTE) as sandbox,
    ):
        _clear(data_dir)
        given = {
            source.name: source.demo(sandbox, data_dir.root) for source in SOURCES if source.demo
        }
        for night, only, told in _earlier_nights(listener):
            sandbox.today = night
            loaded = sync(
                data_dir, Clock.at(night), given, only=only, transforms=False, listener=told
            )
            if loaded.problems:
                return loaded
        sandbox.today = TODAY
        return sync(data_dir, Clock.at(TODAY), given, listener=listener)


def _earlier_nights(listener: Listener) -> Iterator[tuple[date, tuple[str, ...], Listener]]:
    """Nights before the last one: their day, which sources they read, and who is told."""
    engagement, rosters = _choices("engagement"), _choices("roster")
    yield FIRST_NIGHT, (*engagement, *rosters), listener
    for night in ROSTER_NIGHTS:
        yield night, rosters, Listener(run_id=listener.run_id)


def _choices(kind: str) -> tuple[str, ...]:
    """What `--only` names for the tables of a kind."""
    found = [
        table.name if source.is_read_by_table else source.name
        for source in SOURCES
        for table in source.tables
        if table.kind == kind
    ]
    return tuple(dict.fromkeys(found))


def next_steps(data_dir: DataDir) -> list[str]:
    """What to do after the demo, in the three lines that it ends with."""
    return [
        f"Open this: {data_dir.root / REPORT}",
        "Look at that: claude-warehouse status",
        "Next, with your key: claude-warehouse init, then doctor, then sync",
    ]


def _clear(data_dir: DataDir) -> None:
    """Remove an earlier demo; files that it did not make stay."""
    if warehouse_of(data_dir).exists() and not (data_dir.root / "org_chart.csv").exists():
        raise ForeseenError(
            f"The demo was not begun: {data_dir.root} holds a warehouse that no demo made.\n"
            "The demo begins with an empty one, and that warehouse would be lost.\n"
            "Name another folder: claude-warehouse demo --data-dir FOLDER (it uses FOLDER/demo)."
        )
    from sources.sandbox import INPUTS

    inputs = [data_dir.root / name for name in INPUTS]
    for path in [*data_dir.written(), *inputs]:
        if path == data_dir.temporary:
            continue  # In use.
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
