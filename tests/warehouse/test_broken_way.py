"""A server that goes away in the middle of a run, and runs that are killed while it stays: the next
run makes it good."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipelines.exit_codes import DONE, FAILED
from pipelines.warehouse.base import identifier
from sources.sandbox import Sandbox
from tests.compare.stories import FEW_NIGHTS, World, prepare
from tests.conftest import Command
from tests.faults.test_kills import COUNTED, PROGRAM
from tests.faults.world import NOT_COMPARED
from tests.warehouse.cluster import Cluster
from tests.warehouse.way import Way

pytest.importorskip("psycopg2", reason='the extra is not installed: pip install -e ".[postgres]"')
pytestmark = pytest.mark.long

SYNC = "sync --only skills --no-transform --today 2026-01-08"
ROWS = "select skill_name, distinct_user_count from claude_raw.skills order by 1"
STORED = [("docx", 1), ("pdf", 3)]


@pytest.fixture
def way(server: Cluster) -> Iterator[Way]:
    with Way(server.port) as way:
        yield way


@pytest.fixture
def database(server: Cluster, way: Way, api: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty one, which the settings name, behind the way."""
    name = server.database()
    for variable, value in server.settings(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("POSTGRES__PORT", str(way.port))
    monkeypatch.setenv("POSTGRES__CONNECT_TIMEOUT_SECONDS", "5")
    skills = [{"skill_name": name, "distinct_user_count": count} for name, count in STORED]
    api.publish("skills", "2026-01-05", skills)
    return name


def test_rows_whose_commit_nobody_answered_end_the_run_and_are_stored_once(
    database: str, server: Cluster, way: Way, command: Command
) -> None:
    way.lose_the_answer(after=b'copy "claude_raw"."skills"', to=b"COMMIT")
    ended = command(SYNC)

    assert way.is_cut
    assert ended.exit_code == FAILED
    assert re.search("connection to the database server failed|connection that held", ended.err)
    assert server.run(ROWS, database) == STORED  # The server had committed them.
    assert command(SYNC).exit_code == DONE
    assert server.run(ROWS, database) == STORED


@pytest.mark.parametrize("stays", [True, False])
def test_wherever_the_way_is_cut_the_run_ends_with_1_and_the_next_one_makes_it_good(
    stays: bool, database: str, server: Cluster, way: Way, command: Command
) -> None:
    assert command(SYNC).exit_code == DONE
    random, whole = Random(11), way.passed

    for day in ("2026-01-03", "2026-01-04"):
        way.cut(random.randrange(1, whole // 2), stays=stays)
        ended = command(f"backfill --from {day} --to {day} --only skills --no-transform")
        # A day that is fetched again sends less than the first run did.
        assert ended.exit_code == (FAILED if way.is_cut else DONE), ended.err
        assert "Traceback" not in ended.err and server.password not in ended.err
        way.mend()
        assert command(SYNC).exit_code == DONE

    assert server.run(ROWS, database) == STORED


KILLS = 4
"""Of each night."""
NIGHTS = ("2026-03-05", "2026-03-06")


def test_runs_that_are_killed_lose_nothing_and_readers_keep_what_they_have(
    server: Cluster, way: Way, tmp_path: Path
) -> None:
    random = Random(7)
    with Sandbox(seats=FEW_NIGHTS.seats, today=FEW_NIGHTS.today) as api:
        world = World(api, tmp_path)
        prepare(world)

        def begin(database: str, night: str) -> subprocess.Popen[str]:
            given = {
                **FEW_NIGHTS.environment(world),
                **server.settings(database),
                "POSTGRES__PORT": str(way.port),
                "PIPELINE__DATA_DIR": str(tmp_path / database),
            }
            return subprocess.Popen(
                [sys.executable, "-c", PROGRAM, "sync", "--today", night],
                env={**os.environ, **given},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        whole, killed = server.database(), server.database()
        for number, night in enumerate(NIGHTS):
            if number:
                FEW_NIGHTS.steps[2].before(world)
            before = published(server, whole)
            way.mend()
            process = begin(whole, night)
            assert process.wait() == DONE, process.communicate()[0]
            sent = way.passed
            for _ in range(KILLS):
                process = begin(killed, night)
                way.call(random.randrange(1, sent), process.kill)
                text, _ = process.communicate()
                # One that goes on from an earlier one may have less to send, and be done.
                assert process.returncode in (DONE, -signal.SIGKILL), text
                if process.returncode:
                    assert published(server, killed) in (before, published(server, whole))
            way.mend()
            process = begin(killed, night)
            text, _ = process.communicate()
            assert process.returncode == DONE, text
            assert published(server, killed) == published(server, whole)


def published(server: Cluster, database: str) -> Mapping[str, Counter[tuple[Any, ...]]]:
    """Every mart that readers have, without when anything was read, and which runs it took."""
    columns = server.run(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'claude_marts' order by 1, 2",
        database,
    )
    kept: dict[str, list[str]] = {}
    for mart, column in columns:
        if mart != "runs" and column not in NOT_COMPARED | COUNTED:
            kept.setdefault(mart, []).append(identifier(column))
    return {
        mart: Counter(
            tuple(map(repr, row))
            for row in server.run(
                f"select {', '.join(names)} from claude_marts.{identifier(mart)}", database
            )
        )
        for mart, names in kept.items()
    }
