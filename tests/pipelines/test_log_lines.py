"""`[logging] format = "json"`: what a run says, an object a line, each with the run."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, REJECTED, TERMINATED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

LOAD = "sync --no-transform --today 2026-01-08"
JSON = {"LOGGING__FORMAT": "json"}


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_of_a_run_is_an_object_with_its_run(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": 7}])
    ended = command(LOAD, **JSON)
    said = lines(ended.err)

    assert ended.exit_code == REJECTED and ended.out == ""
    assert {tuple(line)[:5] for line in said} == {("time", "level", "run_id", "command", "message")}
    [(run_id,)] = query("select distinct run_id from claude_raw.runs")
    assert {line["run_id"] for line in said} == {run_id}
    assert any("1 rows of skills could not be read" in line["message"] for line in said)
    [facts] = [line["run"] for line in said if "run" in line]
    assert (facts["outcome"], facts["exit_code"]) == ("rejected rows", REJECTED)
    assert facts["request_count"] == len(api.requests)


def test_a_run_that_fails_says_so_in_a_line_of_its_own_without_key_or_address(
    api: Sandbox, command: Command
) -> None:
    api.answer(
        "/users", status=403, body={"error": {"message": "ana@example.com may not"}}, times=9
    )
    ended = command(LOAD, **JSON)

    assert ended.exit_code == FAILED
    errors = [line for line in lines(ended.err) if line["level"] == "error"]
    assert errors and all("403" in line["message"] for line in errors)
    assert "ana@" not in ended.err and api.api_key not in ended.err


def test_a_run_that_is_stopped_says_so_in_a_line(
    api: Sandbox, command: Command, data_dir: DataDir
) -> None:
    api.answer("/users", delay_seconds=30, times=100)
    process = subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *LOAD.split()],
        env={**os.environ, **JSON},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not data_dir.runs.exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate()

    assert process.returncode == TERMINATED and out == ""
    assert lines(err)[-1]["level"] == "warning"
    assert lines(err)[-1]["message"].startswith("Stopped.")


def test_other_commands_stay_as_they_are(api: Sandbox, command: Command) -> None:
    command(LOAD, **JSON)
    told = command("status --today 2026-01-08", **JSON)

    assert told.exit_code == DONE and told.out.startswith("\nN") and told.err == ""
