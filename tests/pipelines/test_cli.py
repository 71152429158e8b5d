"""The commands: what they print, and the code they end with."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, HELD, REJECTED, WRONG_USAGE
from pipelines.foreseen import foreseen
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

LOAD = "sync --no-transform --today 2026-01-08"


def test_a_run_in_which_everything_is_fine_ends_with_0(api: Sandbox, command: Command) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    ended = command(LOAD)

    assert ended.exit_code == DONE
    assert "Loaded 77 endpoint days (1 rows) with 39 requests." in ended.out


def test_rejected_rows_end_a_run_with_4(api: Sandbox, command: Command) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": 7}])
    ended = command(LOAD)

    assert ended.exit_code == REJECTED
    assert "1 rows of skills could not be read" in ended.out


def test_a_new_field_is_named_once(api: Sandbox, command: Command) -> None:
    for day in ("2026-01-04", "2026-01-05"):
        api.publish("skills", day, [{"skill_name": "pdf", "mood": "good"}])
    ended = command(LOAD)

    assert ended.exit_code == DONE
    assert ended.out.count("mood") == 1
    assert "mood" in command("status").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("backfill --from 2026-01-05 --to 2026-01-04", "--from 2026-01-05 is after --to"),
        ("backfill --from 2025-12-01 --to 2026-01-04", "before 2026-01-01"),
        ("sync --today 2025-12-30", "before 2026-01-01"),
        ("sync --today yesterday", "write it as 2026-06-15"),
        ("sync --only invoices", "invoices"),
        ("sink", "sink"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, words: str, message: str) -> None:
    ended = command(words)

    assert ended.exit_code == WRONG_USAGE
    assert message in " ".join(ended.err.replace("│", " ").split())


def test_a_wrong_key_is_told_without_showing_it(api: Sandbox, command: Command) -> None:
    ended = command(LOAD, SOURCES__CLAUDE_ANALYTICS__API_KEY="sk-ant-api01-not-this-one")

    assert ended.exit_code == FAILED
    assert "The API does not accept the key (401" in ended.err
    assert "SOURCES__CLAUDE_ANALYTICS__API_KEY" in ended.err
    assert "not-this-one" not in ended.out + ended.err


def test_without_a_key_nothing_is_asked(api: Sandbox, command: Command) -> None:
    ended = command(LOAD, SOURCES__CLAUDE_ANALYTICS__API_KEY=" ")

    assert ended.exit_code == FAILED
    assert "There is no API key" in ended.err
    assert api.requests == []


def test_one_endpoint_that_fails_leaves_the_others_loaded(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    api.answer("/skills", status=529, times=1_000)
    ended = command(LOAD)

    assert ended.exit_code == FAILED
    assert "skills" in ended.err and "529" in ended.err
    assert query("select count(*) from claude_raw.users") == [(1,)]


def test_an_endpoint_that_is_not_offered_does_not_fail_the_run(
    api: Sandbox, command: Command
) -> None:
    api.answer("/connectors", status=404, times=1_000)
    ended = command(LOAD)

    assert ended.exit_code == DONE
    assert "Unavailable: connectors" in ended.out
    state = json.loads(command("status --json").out)
    outcomes = {endpoint["endpoint"]: endpoint["outcome"] for endpoint in state["endpoints"]}
    assert outcomes["connectors"] == "unavailable"
    assert outcomes["users"] == "ok"


def test_a_web_page_instead_of_json_is_told(api: Sandbox, command: Command) -> None:
    api.answer("/", body="<html><body>Sign in</body></html>", times=10_000)
    ended = command(LOAD)

    assert ended.exit_code == FAILED
    assert "web page" in ended.err


def test_a_folder_that_cannot_be_written_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = command(LOAD + f" --data-dir {tmp_path}/file/data")

    assert ended.exit_code == FAILED
    assert "cannot be written to" in ended.err


def test_a_broken_org_chart_is_told_before_anything_is_loaded_and_loses_no_day(
    api: Sandbox, command: Command, query: Query, tmp_path: Path
) -> None:
    chart = tmp_path / "org_chart.csv"
    chart.write_text(
        "email,department,cost_center,manager_email,valid_from\n"
        "ada@x.example,Research,00420,,2026-13-01\n"
    )
    ended = command(LOAD, SOURCES__REFERENCE_FILES__ORG_CHART=str(chart))

    assert ended.exit_code == FAILED
    assert f"{chart}" in ended.err and "valid_from" in ended.err and "line 2" in ended.err
    assert api.requests == []

    chart.write_text(chart.read_text().replace("2026-13-01", "2026-01-03"))
    assert command(LOAD).exit_code == DONE
    assert query("select count(*) from claude_raw.loaded_days") == [(77,)]
    assert query("select cost_center from claude_raw.org_chart") == [("00420",)]


def test_a_wrong_setting_is_told(command: Command) -> None:
    ended = command(LOAD, SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS="many")

    assert ended.exit_code == FAILED
    assert "window_days" in ended.err


@contextmanager
def another_run(data_dir: DataDir) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the warehouse until it is killed."""
    code = (
        "import sys, time; from pathlib import Path; from pipelines.data_dir import DataDir\n"
        "with DataDir(Path(sys.argv[1])).held('sync'): print('held', flush=True); time.sleep(1_800)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(data_dir.root)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_run_says_who_holds_the_warehouse_and_ends_with_3(
    command: Command, data_dir: DataDir
) -> None:
    with another_run(data_dir) as process:
        ended = command(LOAD)

    assert ended.exit_code == HELD
    assert f"sync, process {process.pid}, since 20" in ended.err


def test_a_crashed_runs_lock_needs_no_person(command: Command, data_dir: DataDir) -> None:
    with another_run(data_dir):
        pass

    assert command(LOAD).exit_code == DONE


def test_a_full_disk_is_told() -> None:
    error = RuntimeError("the load failed")
    error.__cause__ = OSError(28, os.strerror(28))

    assert "The disk is full" in str(foreseen(error))


def test_status_before_the_first_load_says_what_to_run(command: Command) -> None:
    ended = command("status")

    assert ended.exit_code == FAILED
    assert "claude-warehouse sync" in ended.err


def test_status_names_the_days_that_are_missing(api: Sandbox, command: Command) -> None:
    api.answer("/skills", status=500, times=100, when=lambda asked: asked["date"] == "2026-01-03")
    command(LOAD)
    ended = command("status")

    assert "Missing in skills: 2026-01-03" in ended.out


def test_doctor_finds_everything_in_order(command: Command) -> None:
    ended = command("doctor --today 2026-01-08")

    assert ended.exit_code == DONE
    assert "✗" not in ended.out
    assert "accepts the key" in ended.out


def test_doctor_checks_each_optional_source_that_has_a_key(api: Sandbox, command: Command) -> None:
    without = command("doctor --today 2026-01-08").out
    api.scopes = ("read:analytics", "read:members")
    ended = command(
        "doctor --today 2026-01-08",
        SOURCES__CLAUDE_ADMIN__API_KEY=api.api_key,
        SOURCES__CLAUDE_ADMIN__BASE_URL=api.url,
    )

    assert "Set SOURCES__CLAUDE_ADMIN__API_KEY to load them" in without
    assert ended.exit_code == DONE
    assert "/v1/organizations/analytics/cost" in ended.out
    assert "/v1/organizations/users" in ended.out
    assert "this API needs read:spend_limits" in ended.out


def test_status_says_how_old_the_roster_is_and_what_of_it_is_not_there(
    api: Sandbox, command: Command
) -> None:
    command(f"{LOAD} --only users")
    assert "Set SOURCES__CLAUDE_ADMIN__API_KEY to load them" in command("status").out

    api.scopes = ("read:analytics", "read:members")
    api.publish_roster("members", [{"id": "user_ada"}, {"id": "user_ben"}])
    command(
        LOAD,
        SOURCES__CLAUDE_ADMIN__API_KEY=api.api_key,
        SOURCES__CLAUDE_ADMIN__BASE_URL=api.url,
    )

    shown = command("status").out
    assert "2 members, as of 2026-01-08 00:00 UTC" in shown
    assert "this API needs read:spend_limits" in shown
    assert json.loads(command("status --json").out)["roster"]["row_counts"]["members"] == 2


def test_doctor_knows_a_key_of_langdock_without_a_folder(command: Command) -> None:
    ended = command("doctor --today 2026-01-08", SOURCES__LANGDOCK__API_KEY="ld-key")

    assert "langdock API" in ended.out
    assert "langdock: not set" not in ended.out


def test_status_shows_that_nothing_ran_for_days_and_that_something_is_no_longer_there(
    api: Sandbox, command: Command
) -> None:
    command(f"{LOAD} --only skills --only users")
    before = command("status --today 2026-01-08").out
    api.answer("/v1/organizations/analytics/skills", status=403, times=100)
    command("sync --no-transform --only skills --only users --today 2026-01-09")
    after = command("status --today 2026-01-20").out

    assert "Nothing needs attention" in before
    assert "; the API has no newer one" in before
    assert "The last run was 11 days ago" in after
    assert "(403 for skills, day " in after
    assert "the API had, when it was asked, no newer one" in after


def test_a_backfill_of_a_source_without_days_is_wrong_usage(command: Command) -> None:
    ended = command("backfill --from 2026-01-01 --to 2026-01-02 --only langdock")

    assert ended.exit_code == WRONG_USAGE
    assert "it has no days to fetch again" in " ".join(ended.err.split())


def test_doctor_says_what_is_wrong_with_the_key(api: Sandbox, command: Command) -> None:
    api.scopes = ("read:members",)
    ended = command("doctor --today 2026-01-08")

    assert ended.exit_code == FAILED
    assert "this API needs read:analytics" in ended.out


def test_a_host_that_does_not_answer_is_told(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr("sources.http.UNREACHABLE_SECONDS", 0)
        ended = command(LOAD, SOURCES__CLAUDE_ANALYTICS__BASE_URL=url)

    assert ended.exit_code == FAILED
    assert f"{url} cannot be reached" in ended.err


def test_the_key_is_in_no_file_and_in_no_output(
    api: Sandbox, command: Command, data_dir: DataDir
) -> None:
    api.answer("/skills", status=500, times=1_000, body={"error": {"message": api.api_key}})
    ended = command(LOAD)

    key = api.api_key.encode()
    files = [file for file in data_dir.root.rglob("*") if file.is_file()]
    assert [file for file in files if key in file.read_bytes()] == []
    assert api.api_key not in ended.out + ended.err


def test_events_before_an_expired_cursor_are_counted_as_what_they_are_stored(
    api: Sandbox, command: Command, query: Query
) -> None:
    event = {"id": "activity_1", "type": "x", "created_at": "2026-01-05T00:00:00Z"}
    page = {"data": [event], "has_more": True, "last_id": "a"}
    path = "compliance/activities"
    api.answer(path, times=1_000, status=410, when=lambda params: "after_id" in params)
    api.answer(path, times=1_000, body=page)
    ended = command(
        "sync --only claude_compliance --no-transform --today 2026-01-08",
        SOURCES__CLAUDE_COMPLIANCE__BASE_URL=api.url,
        SOURCES__CLAUDE_COMPLIANCE__API_KEY=api.api_key,
        SOURCES__CLAUDE_COMPLIANCE__FIRST_DAY="2026-01-02",
    )

    assert ended.exit_code == FAILED
    assert "Read 1 events of the activity feed" in ended.out
    assert "Events that were read stay, but their days do not count as read" in ended.err
    assert query("select id from claude_raw.activities") == [("activity_1",)]
    assert query("select outcome from claude_raw.activity_windows") == [("broken_off",)]


@pytest.mark.parametrize("words", ["--help", "sync --help", "export focus --help"])
def test_help_waits_for_no_library_that_only_a_run_needs(words: str) -> None:
    program = f"""
import sys
from pipelines.cli.app import run
sys.argv[1:] = {words.split()}
try:
    run()
finally:
    print(*{{name.partition(".")[0] for name in sys.modules}}, file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ended.returncode == DONE
    assert not {"dlt", "dbt", "duckdb", "pyarrow", "httpx"} & {*ended.stderr.split()}
