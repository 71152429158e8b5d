"""The mart and table of runs: what each one did, and how it ended, also if nobody could say so."""

import os
import re
import signal
import subprocess
import sys
import time

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, REJECTED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

LOAD = "sync --no-transform --today 2026-01-08"
RUNS = "select command, outcome, exit_code from claude_marts.runs order by started_at, run_id"


def test_a_run_is_one_row_with_what_it_did(
    api: Sandbox, command: Command, query: Query, data_dir: DataDir
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    api.requests.clear()
    assert command("sync --today 2026-01-08").exit_code == DONE
    first_requests = len(api.requests)
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}, {"user": {"id": "user_2"}}])
    assert command("sync --today 2026-01-09").exit_code == DONE

    first, second = query(
        """
        select
            as_of_date::text, outcome, exit_code, request_count, retry_count, row_count,
            revision_count, problem_count, ended_at >= started_at,
            regexp_matches(run_id, '^\\d{8}T')
        from claude_marts.runs order by as_of_date
        """,
        served=True,
    )
    assert first == ("2026-01-08", "done", 0, first_requests, 0, 1, 0, 0, True, True)
    assert second[:3] == ("2026-01-09", "running", None)
    assert second[5:7] == (2, 1)
    # The table knows the end at once; readers get it with the next publication.
    assert query(
        "select outcome from claude_raw.runs where as_of_date = '2026-01-09' order by outcome"
    ) == [("done",), ("running",)]
    assert not data_dir.runs.exists()


def test_every_way_to_end_is_told_apart(api: Sandbox, command: Command, query: Query) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": 7}])
    assert command(LOAD).exit_code == REJECTED
    assert command(LOAD, SOURCES__CLAUDE_ANALYTICS__API_KEY="sk-ant-api01-no").exit_code == FAILED
    command("sync --today 2026-01-08", SOURCES__CLAUDE_ANALYTICS__API_KEY=api.api_key)

    assert query(RUNS, served=True) == [
        ("sync", "rejected rows", REJECTED),
        ("sync", "failed", FAILED),
        ("sync", "running", None),
    ]


def test_waits_and_further_attempts_are_counted(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.answer("skills", status=503, times=2)
    api.requests.clear()
    command(LOAD)

    assert query("select retry_count, request_count from claude_raw.runs") == [
        (2, len(api.requests))
    ]


def test_a_killed_run_is_named_by_status_and_stays_in_the_table(
    api: Sandbox, command: Command, query: Query, data_dir: DataDir
) -> None:
    command(LOAD)
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *LOAD.split()],
        env={**os.environ, "SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS": "7"},
        stderr=subprocess.PIPE,
    )
    while not (data_dir.runs.exists() and data_dir.runs.read_text().endswith("\n")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    told = command("status --today 2026-01-08").out
    assert re.search(r"The last run \(sync, begun .*\) never ended: it was killed", told)
    command("sync --today 2026-01-08")
    assert [row[1] for row in query(RUNS)] == ["done", "killed", "running"]
    assert "was killed" not in command("status --today 2026-01-08").out


def test_a_line_that_was_cut_off_costs_no_other(
    api: Sandbox, command: Command, query: Query, data_dir: DataDir
) -> None:
    command(LOAD)
    data_dir.runs.write_text('{"run_id": "20260108T030000Z-ab", "comm')
    assert command("sync --today 2026-01-08").exit_code == DONE

    assert query("select count(*) from claude_marts.runs") == [(2,)]
