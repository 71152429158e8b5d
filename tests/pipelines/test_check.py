"""`check`: one line for a monitor, from what readers have."""

import json

import pytest

from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from tests.conftest import Command

FINE, STALE, WRONG = range(3)


@pytest.fixture
def night(api: Sandbox, command: Command) -> Command:
    """The command, after a night in which everything was fine."""
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    assert command("sync --today 2026-01-08").exit_code == 0
    return command


def test_what_a_monitor_hears_of_fine_stale_and_wrong_data(
    night: Command, api: Sandbox, data_dir: DataDir
) -> None:
    fine = night("check --today 2026-01-08")
    assert fine.exit_code == FINE
    assert fine.out.startswith("fine: data to 2026-01-05 (3 days old)") and fine.err == ""
    assert len(fine.out.splitlines()) == 1

    later = night("check --today 2026-01-12")
    assert later.exit_code == STALE
    assert "the last run began 96 hours ago; 36 are allowed" in later.out
    assert "2026-01-05, 7 days ago; 5 are allowed" in later.out

    lenient = {"CHECK__MAX_AGE_DAYS": "7", "CHECK__MAX_RUN_HOURS": "96"}
    assert night("check --today 2026-01-12", **lenient).exit_code == FINE

    told = json.loads(night("check --json --today 2026-01-13").out)
    assert (told["state"], told["exit_code"]) == ("stale", STALE)
    assert {reason["rule"] for reason in told["reasons"]} == {"max_age_days", "max_run_hours"}
    assert told["last_run"]["command"] == "sync"

    # Beside a run, which has the warehouse to itself.
    with data_dir.held("sync"):
        assert night("check --today 2026-01-08").exit_code == FINE

    api.answer("skills", status=500, times=100)
    night("sync --today 2026-01-09")
    failed = night("check --today 2026-01-09")
    assert failed.exit_code == WRONG
    assert "wrong: the last run (sync of 2026-01-09) failed: " in failed.out
    assert "1 endpoint day missing of the last 90 (skills: 2026-01-06); 0 are allowed" in failed.out
    assert len(failed.out.splitlines()) == 1
    allowed = night("check --json --today 2026-01-09", CHECK__MAX_MISSING_DAYS="1")
    assert [reason["rule"] for reason in json.loads(allowed.out)["reasons"]] == ["last_run"]


def test_a_row_that_could_not_be_read_is_wrong_until_it_is_allowed(
    night: Command, api: Sandbox
) -> None:
    api.publish("skills", "2026-01-06", [{"skill_name": 7}, {"skill_name": "a"}])
    night("sync --today 2026-01-09")

    told = night("check --today 2026-01-09").out
    assert told == "wrong: 1 row of skills could not be read; 0 are allowed\n"
    assert night("check --today 2026-01-09", CHECK__MAX_REJECTED_ROWS="1").exit_code == FINE


def test_what_others_left_beside_the_published_file_is_wrong(
    night: Command, data_dir: DataDir
) -> None:
    data_dir.served.with_name("serving.duckdb.wal").write_bytes(b"")

    ended = night("check --today 2026-01-08")

    assert ended.exit_code == WRONG
    assert "another program wrote to the published marts" in ended.out


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("CHECK__MAX_AGE_DAYS", "soon", "[check] max_age_days is 'soon'"),
        ("PIPELINE__DESTINATION", "oracle", "[pipeline] destination is 'oracle'"),
        ("CHECK__MAX_AGE", "5", "The variable CHECK__MAX_AGE is no setting"),
    ],
)
def test_where_nothing_can_be_known_is_wrong_in_one_line(
    command: Command, setting: str, value: str, told: str
) -> None:
    ended = command("check", **{setting: value})

    assert ended.exit_code == WRONG
    assert told in ended.out and len(ended.out.splitlines()) == 1


def test_an_empty_folder_is_wrong_and_says_what_to_run(command: Command) -> None:
    ended = command("check")

    assert ended.exit_code == WRONG
    assert "no run is known of; run: claude-warehouse sync" in ended.out
