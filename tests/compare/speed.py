"""What commands cost beside another commit: CPU seconds, peak memory and the folder's size.

Both commits read the same served organisation, run after run in turn, each command in a process of
its own. A ratio below 1 is less than the other commit takes. Run: make compare-speed BASE=<commit>
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from sources.sandbox import Sandbox
from tests.bench import write_pages
from tests.compare.lanes import REPOSITORY, Lane, checked_out, libraries_of

FIRST = date(2026, 6, 1)
STORED_DAYS = 30
SETTINGS = {
    "SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS": str(STORED_DAYS),
    "SOURCES__CLAUDE_ANALYTICS__COST_WINDOW_DAYS": str(STORED_DAYS),
}


USERS, DAYS = 20_000, 5
"""Of the pages on disk."""


class Cost(NamedTuple):
    """Of one process: CPU and wall seconds, and peak memory in MiB."""

    cpu: float
    wall: float
    memory: float


Costs = dict[str, dict[str, list[Cost]]]
"""By what was done, and by base or new."""


def measured(lane: Lane, words: str, environment: Mapping[str, str]) -> Cost:
    """What a command costs; it has to succeed."""
    return cost_of(lane, words, lambda: lane.start(words, environment))


def cost_of(lane: Lane, words: str, start: Callable[[], subprocess.Popen[str]]) -> Cost:
    started = time.monotonic()
    process = start()
    # Its words fit into the pipes.
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if code := os.waitstatus_to_exitcode(status):
        said = process.stderr.read() if process.stderr else ""
        raise SystemExit(f"{lane.checkout}: {words}: exit code {code}\n{said}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def load_pages(lanes: Mapping[str, Lane], folder: Path, runs: int, costs: Costs) -> None:
    """Load 20,000 users x 5 days from pages on disk, as `make bench` does, in turn."""
    folder.mkdir()
    write_pages(folder, USERS // 1_000)
    for number in range(runs):
        for name in sorted(lanes, reverse=bool(number % 2)):
            lane, work = lanes[name], folder / f"{name}{number}"
            work.mkdir()
            words = ["-m", "tests.bench", "ours", str(folder), str(DAYS), str(work)]
            cost = cost_of(lane, " ".join(words), partial(lane.run, words, {}))
            costs[f"{USERS:,} users x {DAYS} days"][name].append(cost)
            shutil.rmtree(work)
            print(".", end="", flush=True)


def commands(night: date) -> Iterator[tuple[str, str]]:
    """Each command that is measured: its title, and its words in the night of this date."""
    yield "night with one new day", f"sync --today {night}"
    yield "night with nothing new", f"sync --today {night}"
    yield "transform with nothing new", "transform"
    yield "status", "status"
    yield "--help", "--help"


def play(lanes: Mapping[str, Lane], seats: int, runs: int, costs: Costs) -> None:
    """Nights of one organisation in both commits, in turn; then the past, in the new one."""
    with Sandbox(seats=seats, today=FIRST + timedelta(days=runs + 1)) as api:
        keys = ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE")
        environment = {
            **SETTINGS,
            **{f"SOURCES__{name}__BASE_URL": api.url for name in keys},
            **{f"SOURCES__{name}__API_KEY": api.api_key for name in keys},
            **{f"SOURCES__{name}__REQUESTS_PER_MINUTE": "1000000" for name in keys},
        }
        for name, lane in lanes.items():
            cost = measured(lane, f"sync --today {FIRST}", environment)
            costs[f"first connect, {STORED_DAYS} days"][name].append(cost)
        for number in range(runs):
            night = FIRST + timedelta(days=number + 1)
            for title, words in commands(night):
                for name in sorted(lanes, reverse=bool(number % 2)):
                    costs[title][name].append(measured(lanes[name], words, environment))
                    print(".", end="", flush=True)
        for number in range(runs):
            then = FIRST + timedelta(days=number)
            # Beside no other commit: none before could do it.
            for name, words in (
                ("base", "transform --full"),
                ("new", f"transform --as-of {then} --out {{out}}/{then}.duckdb"),
            ):
                cost = measured(lanes["new"], words, environment)
                costs["as of a past night, beside transform --full"][name].append(cost)
                print(".", end="", flush=True)


def compare(base: Path, folder: Path, seats: int, runs: int) -> None:
    """Without seats, no night is played."""
    lanes = {
        "base": Lane(base, folder / "base", libraries_of(base)),
        "new": Lane(REPOSITORY, folder / "new"),
    }
    for lane in lanes.values():
        lane.make()
    costs: Costs = defaultdict(lambda: defaultdict(list))
    load_pages(lanes, folder / "pages", runs, costs)
    if seats:
        play(lanes, seats, runs, costs)
    print()
    show(costs, f"{seats} seats, {runs} runs in turn, medians; {machine()}")
    for name, lane in lanes.items():
        size = sum(file.stat().st_size for file in lane.data.rglob("*") if file.is_file())
        print(f"data folder, {name}: {size / 2**20:.1f} MiB")


def show(costs: Mapping[str, Mapping[str, list[Cost]]], title: str) -> None:
    table = Table(title=title)
    for name in ("command", "CPU base", "CPU new", "CPU ratio", "wall ratio", "memory ratio"):
        table.add_column(name, justify="left" if name == "command" else "right")
    for command, by_lane in costs.items():
        base, new = (
            Cost(*(statistics.median(part) for part in zip(*by_lane[name], strict=True)))
            for name in ("base", "new")
        )
        ratios = (new.cpu / base.cpu, new.wall / base.wall, new.memory / base.memory)
        table.add_row(
            command, f"{base.cpu:.2f} s", f"{new.cpu:.2f} s", *(f"{part:.2f}" for part in ratios)
        )
    Console(width=100).print(table)


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make compare-speed", description=__doc__)
    parser.add_argument("base", help="commit to compare with")
    parser.add_argument("--seats", type=int, default=300, help="0: loading pages alone")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        with checked_out(options.base, folder / "checkout") as base:
            compare(base, folder, options.seats, options.runs)


if __name__ == "__main__":
    main()
