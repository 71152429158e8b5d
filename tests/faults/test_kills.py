"""Runs that are killed or stopped at random moments, and what the run after them makes of it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from random import Random
from time import monotonic
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import INTERRUPTED, TERMINATED
from pipelines.stopping import NOTHING_CHANGED, RUN_GOES_ON
from tests.commands import Ended
from tests.faults.tally import Tally
from tests.faults.world import NOT_COMPARED, TRACE, World, leaks

PROGRAM = "from pipelines.cli import main; main()"
NIGHTS = (date(2026, 1, 9), date(2026, 1, 10))
KILLS, STOPS = 10, 6
"""Of each night."""
LONGEST_SECONDS = 3_600
LONGEST_END_SECONDS = 2
"""That a process takes to end once its run is done."""
STOPPED = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
COUNTED = {"revision_count"}
"""Of the fetches of a day; one that a killed run had stored may come again."""

Marts = Mapping[str, Counter[tuple[Any, ...]]]


class Runs:
    """The whole run, from the API to the report, in processes of their own."""

    def __init__(self, here: World) -> None:
        self._here = here
        self.seconds: dict[date, float] = {}
        self.expected: list[Marts] = []
        whole = here.new_folder()
        for night in NIGHTS:
            began = monotonic()
            ended = self.finish(self.begin(whole, night))
            self.seconds[night] = monotonic() - began
            assert ended.exit_code == 0, ended.text
            self.expected.append(published(whole))

    def begin(self, data_dir: DataDir, night: date) -> subprocess.Popen[str]:
        self._here.api.today = night
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "sync", "--today", str(night)],
            env={
                **os.environ,
                **self._here.environment(),
                "PIPELINE__DATA_DIR": str(data_dir.root),
                "REPORT__ENABLED": "true",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def finish(process: subprocess.Popen[str]) -> Ended:
        out, err = process.communicate(timeout=LONGEST_SECONDS)
        return Ended(process.returncode, out, err)

    def disturb(self, random: Random, data_dir: DataDir, night: date, number: int) -> Ended | None:
        """How a run ended that got the signal at a random moment; None if it was done before."""
        process = self.begin(data_dir, night)
        try:
            process.wait(random.uniform(0, self.seconds[night]))
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            sent = monotonic()
            ended = self.finish(process)
            # All was done when it came, but for the end of the process.
            is_over = ended.exit_code == 0 and monotonic() - sent < LONGEST_END_SECONDS
            return None if is_over else ended
        self.finish(process)
        return None


@pytest.fixture(scope="session")
def runs(shared: World) -> Runs:
    shared.proxy.spoilings.clear()
    return Runs(shared)


def published(data_dir: DataDir) -> Marts:
    """Every mart that readers have, without when anything was read, and which runs there were."""
    with duckdb.connect(str(data_dir.served), read_only=True) as served:
        found: dict[str, Counter[tuple[Any, ...]]] = {}
        names = "select table_name from duckdb_tables() where table_name <> 'runs'"
        for (mart,) in served.execute(names).fetchall():
            answer = served.execute(f'select * from claude_marts."{mart}"')
            kept = [
                place
                for place, column in enumerate(answer.description or ())
                if column[0] not in NOT_COMPARED | COUNTED
            ]
            found[mart] = Counter(
                tuple(repr(row[place]) for place in kept) for row in answer.fetchall()
            )
    return found


def check_readers(tally: Tally, data_dir: DataDir, expected: Marts) -> None:
    """What readers find at any moment is one whole publication, and a whole page."""
    if data_dir.served.exists():
        marts = published(data_dir)
        if marts.keys() != expected.keys():
            tally.find("wrong", f"only a part is published: {sorted(marts)}")
    page = data_dir.root / "report.html"
    if page.exists() and not page.read_text().rstrip().endswith("</html>"):
        tally.find("wrong", "the report is half a page")


def check_end(tally: Tally, data_dir: DataDir, ended: Ended, expected: Marts) -> None:
    """After the disturbed runs, one that is left alone makes everything as if nothing happened."""
    assert ended.exit_code == 0, ended.text
    for mart, rows in published(data_dir).items():
        lost, more = expected[mart] - rows, rows - expected[mart]
        if lost or more:
            kind = "lost" if lost and not more else "wrong"
            tally.find(kind, f"{mart}: lacks {dict(lost)}, has {dict(more)}")
    left = [
        str(file.relative_to(data_dir.root))
        for ending in ("*.part", "*.new*", "*.unfinished", "run.json")
        for file in data_dir.root.glob(ending)
    ]
    if left:
        tally.find("wrong", f"left behind: {left}")


def disturbed_nights(
    runs: Runs,
    tally: Tally,
    data_dir: DataDir,
    seed: str,
    what: str,
    count: int,
    signals: list[signal.Signals],
    check: Callable[[Ended, signal.Signals], None],
) -> None:
    random = Random(seed)
    for number, night in enumerate(NIGHTS):
        done = 0
        before = runs.expected[max(number - 1, 0)]
        while done < count:
            sent = random.choice(signals)
            ended = runs.disturb(random, data_dir, night, sent)
            if ended is None:
                continue
            done += 1
            check(ended, sent)
            check_readers(tally, data_dir, before)
            for place in leaks(data_dir, [ended]):
                tally.find("leaked", f"{seed}: {place}")
        tally.tried(what, done)
        ended = runs.finish(runs.begin(data_dir, night))
        check_end(tally, data_dir, ended, runs.expected[number])


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_runs_killed_at_random_moments_lose_nothing(
    here: World, runs: Runs, tally: Tally, seed: int
) -> None:
    def check(ended: Ended, _: signal.Signals) -> None:
        assert ended.exit_code == -signal.SIGKILL

    disturbed_nights(
        runs, tally, here.new_folder(), f"kills {seed}", "kills", KILLS, [signal.SIGKILL], check
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_runs_stopped_at_random_moments_say_one_sentence_and_lose_nothing(
    here: World, runs: Runs, tally: Tally, seed: int
) -> None:
    def check(ended: Ended, sent: signal.Signals) -> None:
        # Before the command line listens, and after it is done, Python ends in its own way.
        is_told = RUN_GOES_ON in ended.text or NOTHING_CHANGED in ended.text
        if ended.exit_code not in (STOPPED[sent], -sent) or (not is_told and TRACE in ended.text):
            tally.find("traces", f"{sent}: {ended.exit_code} {ended.text}")

    disturbed_nights(
        runs, tally, here.new_folder(), f"stops {seed}", "stops", STOPS, list(STOPPED), check
    )
