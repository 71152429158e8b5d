"""What commands cost beside another commit: CPU seconds, memory, waiting and the folder's size.

Both commits read the same served organisation, run after run in turn, each command in a process of
its own. A ratio below 1 is less than the other commit takes; beside it stands what it should be.

Unless parts are named, it is `nights` and `pages`. `connect` waits as long as 60 requests a minute
make it; `roster` is of 60,000 seats; `years` (20,000 seats, 365 days) and `folder` (365 nights)
take many hours.
Run: make compare-speed BASE=<commit> PARTS="nights pages connect"
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from sources.days import FIRST_DAY
from sources.sandbox import Sandbox
from tests.bench import write_pages
from tests.compare.lanes import REPOSITORY, Lane, checked_out, libraries_of

FIRST = date(2026, 6, 1)
STORED_DAYS = 30
USERS, DAYS = 20_000, 5
"""Of the pages on disk."""
KEYS = ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE")
NO_LIMIT = 1_000_000
YEAR = 365
SEATS = {"roster": 60_000, "years": 20_000}
"""Of parts that are about very many; the others have 300."""


MEASURE = """
import os, sys
_, status, used = os.wait4(os.spawnv(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small program that runs another one: the peak of a process is at least that of the one which
started it, and this one holds a served organisation."""


class Cost(NamedTuple):
    """Of one process: CPU and wall seconds, and peak memory in MiB."""

    cpu: float
    wall: float
    memory: float


Costs = dict[str, dict[str, list[Cost]]]
"""By what was done, and by base or new."""

CPU_TARGETS = {
    "night with one new day": 1 / 3,
    "night with nothing new": 1 / 6,
    "status": 1 / 3,
    "--help": 1 / 3,
    "transform of one new day, years": 1 / 6,
    "transform --full, years": 1 / 2,
    "first connect, years": 1 / 3,
    "roster and two days": 1 / 2,
}
MEMORY_TARGETS = {"transform of one new day, years": 1 / 2, "roster and two days": 1 / 8}
"""Beside the other commit, at most."""


class Fact(NamedTuple):
    """What is no cost of a process: its values, and the most that the new one or their ratio should
    be, if more is asked than to know it."""

    title: str
    unit: str
    base: float
    new: float
    most: float | None = None
    is_ratio: bool = True


def measured(lane: Lane, words: str, environment: Mapping[str, str]) -> Cost:
    """What a command costs; it has to succeed."""
    return cost_of(lane, words, partial(lane.start, words, environment))


def cost_of(lane: Lane, words: str, start: Callable[..., subprocess.Popen[str]]) -> Cost:
    started = time.monotonic()
    process = start(through=[sys.executable, "-I", "-S", "-c", MEASURE])
    _, said = process.communicate()
    wall = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"{lane.checkout}: {words}: exit code {process.returncode}\n{said}")
    cpu, memory = said.split()[-2:]
    return Cost(float(cpu), wall, int(memory) / 1024)


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


@contextmanager
def served(
    seats: int, last: date, limit: int = NO_LIMIT, days: int = STORED_DAYS
) -> Iterator[tuple[Sandbox, Mapping[str, str]]]:
    """An organisation, and the settings with which a command reads it."""
    asked = None if limit == NO_LIMIT else limit
    with Sandbox(seats=seats, today=last, requests_per_minute=asked) as api:
        yield (
            api,
            {
                "SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS": str(days),
                "SOURCES__CLAUDE_ANALYTICS__COST_WINDOW_DAYS": str(days),
                **{f"SOURCES__{name}__BASE_URL": api.url for name in KEYS},
                **{f"SOURCES__{name}__API_KEY": api.api_key for name in KEYS},
                **{f"SOURCES__{name}__REQUESTS_PER_MINUTE": str(limit) for name in KEYS},
            },
        )


class Comparison:
    """Both commits, and what was measured of them so far."""

    def __init__(self, base: Path, folder: Path, runs: int) -> None:
        self._commits = {"base": (base, libraries_of(base)), "new": (REPOSITORY, None)}
        self._folder, self._runs = folder, runs
        self.costs: Costs = defaultdict(lambda: defaultdict(list))
        self.facts: list[Fact] = []

    def lanes(self, part: str) -> dict[str, Lane]:
        """A fresh folder of each commit."""
        lanes = {
            name: Lane(commit, self._folder / part / name, libraries)
            for name, (commit, libraries) in self._commits.items()
        }
        for lane in lanes.values():
            lane.make()
        return lanes

    def in_turn(
        self,
        title: str,
        lanes: Mapping[str, Lane],
        words: str,
        settings: Mapping[str, str],
        number: int,
    ) -> None:
        for name in sorted(lanes, reverse=bool(number % 2)):
            self.costs[title][name].append(measured(lanes[name], words, settings))
            print(".", end="", flush=True)

    def nights(self, seats: int) -> None:
        """Nights of one organisation; then what starting costs; then the past, in the new one."""
        lanes = self.lanes("nights")
        with served(seats, FIRST + timedelta(days=self._runs + 1)) as (_, settings):
            first = f"first connect, {STORED_DAYS} days"
            self.in_turn(first, lanes, f"sync --today {FIRST}", settings, 0)
            for number in range(self._runs):
                night = FIRST + timedelta(days=number + 1)
                for title, words in (
                    ("night with one new day", f"sync --today {night}"),
                    ("night with nothing new", f"sync --today {night}"),
                    ("transform with nothing new", "transform"),
                    ("status", "status"),
                    ("--help", "--help"),
                ):
                    self.in_turn(title, lanes, words, settings, number)
            title = f"data folder after {self._runs + 1} runs with new days"
            self.facts.append(Fact(title, "MiB", *_sizes(lanes)))
            for number in range(self._runs):
                then = FIRST + timedelta(days=number)
                # Beside no other commit: none before could do it.
                for name, words in (
                    ("base", "transform --full"),
                    ("new", f"transform --as-of {then} --out {{out}}/{then}.duckdb"),
                ):
                    cost = measured(lanes["new"], words, settings)
                    self.costs["as of a past night, beside transform --full"][name].append(cost)

    def pages(self, _: int) -> None:
        load_pages(self.lanes("pages"), self._folder / "bodies", self._runs, self.costs)

    def connect(self, _: int) -> None:
        """A first connect of 60 seats at 60 requests a minute: what it takes beyond the limit."""
        beyond = {}
        for name, lane in self.lanes("connect").items():
            with served(60, FIRST, limit=60) as (api, settings):
                cost = measured(lane, f"sync --today {FIRST}", settings)
                beyond[name] = cost.wall - max(len(api.requests) - 60, 0)
        self.facts.append(
            Fact("first connect at 60 requests a minute, beyond the limit", "s",
                 beyond["base"], beyond["new"], 12, is_ratio=False)
        )  # fmt: skip

    def roster(self, seats: int) -> None:
        """A first connect of very many seats: their roster, and the two days that the API has."""
        day = FIRST_DAY + timedelta(days=4)
        with served(seats, day) as (_, settings):
            for number in range(self._runs):
                lanes = self.lanes(f"roster{number}")
                self.in_turn("roster and two days", lanes, f"sync --today {day}", settings, number)

    def years(self, seats: int) -> None:
        """A first connect of very many days; then nights with one new day, and a whole build."""
        lanes = self.lanes("years")
        last = FIRST + timedelta(days=self._runs + 1)
        with served(seats, last, days=YEAR) as (_, settings):
            self.in_turn("first connect, years", lanes, f"sync --today {FIRST}", settings, 0)
            for number in range(self._runs):
                night = FIRST + timedelta(days=number + 1)
                load = f"sync --no-transform --today {night}"
                self.in_turn("load of one new day, years", lanes, load, settings, number)
                title = "transform of one new day, years"
                self.in_turn(title, lanes, f"transform --today {night}", settings, number)
            for name, words in (("base", "transform"), ("new", "transform --full")):
                cost = measured(lanes[name], words, settings)
                self.costs["transform --full, years"][name].append(cost)

    def folder(self, seats: int) -> None:
        """What a year of nights leaves."""
        lanes = self.lanes("folder")
        with served(seats, FIRST + timedelta(days=YEAR), days=STORED_DAYS) as (_, settings):
            for number in range(YEAR):
                night = FIRST + timedelta(days=number)
                self.in_turn("night of a year", lanes, f"sync --today {night}", settings, number)
        title = f"data folder after {YEAR} nights"
        self.facts.append(Fact(title, "MiB", *_sizes(lanes), 1 / 3))

    def show(self, title: str) -> None:
        print()
        if self.costs:
            show(self.costs, title)
        for fact in self.facts:
            ratio = fact.new / fact.base
            asked = _asked("", ratio if fact.is_ratio else fact.new, fact.most)
            print(
                f"{fact.title}: {fact.base:.1f} {fact.unit}, now {fact.new:.1f} {fact.unit}, "
                f"ratio {ratio:.2f} {asked}"
            )


PARTS: dict[str, Callable[[Comparison, int], None]] = {
    "nights": Comparison.nights,
    "pages": Comparison.pages,
    "connect": Comparison.connect,
    "roster": Comparison.roster,
    "years": Comparison.years,
    "folder": Comparison.folder,
}


def show(costs: Mapping[str, Mapping[str, list[Cost]]], title: str) -> None:
    """Medians and ratios, and for which of them more is asked."""
    table = Table(title=title)
    for name in ("command", "CPU base", "CPU new", "CPU ratio", "wall ratio", "memory ratio", ""):
        table.add_column(name, justify="left" if name in ("command", "") else "right")
    for command, by_lane in costs.items():
        base, new = (
            Cost(*(statistics.median(part) for part in zip(*by_lane[name], strict=True)))
            for name in ("base", "new")
        )
        ratios = (new.cpu / base.cpu, new.wall / base.wall, new.memory / base.memory)
        asked = [
            _asked("CPU ", ratios[0], CPU_TARGETS.get(command)),
            _asked("memory ", ratios[2], MEMORY_TARGETS.get(command)),
        ]
        table.add_row(
            command,
            f"{base.cpu:.2f} s",
            f"{new.cpu:.2f} s",
            *(f"{part:.2f}" for part in ratios),
            " ".join(asked),
        )
    Console(width=130).print(table)


def _asked(name: str, value: float, most: float | None) -> str:
    if most is None:
        return ""
    return f"{name}≤ {most:.2f} {'holds' if value <= most else 'does not hold'}"


def _sizes(lanes: Mapping[str, Lane]) -> tuple[float, float]:
    """MiB of both data folders."""
    base, new = (
        sum(file.stat().st_size for file in lanes[name].data.rglob("*") if file.is_file()) / 2**20
        for name in ("base", "new")
    )
    return base, new


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="make compare-speed", description=__doc__)
    parser.add_argument("base", help="commit to compare with")
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; else the first two")
    parser.add_argument("--seats", type=int, help="300; of roster 60,000, of years 20,000")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    if unknown := {*options.parts} - PARTS.keys():
        parser.error(f"{', '.join(unknown)}: parts are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        with checked_out(options.base, folder / "checkout") as base:
            comparison = Comparison(base, folder, options.runs)
            for part in options.parts or [*PARTS][:2]:
                PARTS[part](comparison, options.seats or SEATS.get(part, 300))
            seats = f"{options.seats} seats" if options.seats else "300 seats, or of very many"
            comparison.show(f"{seats}; {options.runs} runs in turn, medians; {machine()}")


if __name__ == "__main__":
    main()
