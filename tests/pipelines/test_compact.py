"""What is dropped to make room, and what stays."""

import subprocess
import sys
from datetime import date
from random import Random
from time import monotonic

import pytest

from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from tests.conftest import Command, Load, Query


@pytest.mark.long
def test_versions_that_no_longer_count_are_dropped_and_nothing_that_counts(
    api: Sandbox, load: Load, command: Command, query: Query, data_dir: DataDir
) -> None:
    for night, name in (("08", "first"), ("09", "second"), ("10", "third")):
        api.publish("skills", "2026-01-05", [{"skill_name": name}])
        load(today=f"2026-01-{night}", only="skills")
    stored = "select skill_name from claude_raw.skills order by version"
    ledger = "select * from claude_raw.loaded_days order by fetch_number"
    fetches = query(ledger)

    told = command("compact --before 2026-01-10 --dry-run")

    assert told.exit_code == 0, told.err
    assert "Would drop 1 rows of versions that have not counted since before 2026-01-10" in told.out
    assert query(stored) == [("first",), ("second",), ("third",)]

    assert command("compact --before 2026-01-10").exit_code == 0
    assert query(stored) == [("second",), ("third",)]
    assert command(f"compact --before {date.max}").exit_code == 0
    assert query(stored) == [("third",)]
    assert query("select skill_name from counting_skills") == [("third",)]
    assert query(ledger) == fetches
    assert "Nothing to drop" in command("compact --before 2026-01-10").out


@pytest.mark.long
def test_a_compaction_killed_at_any_moment_drops_nothing_that_counts(
    api: Sandbox, load: Load, query: Query, data_dir: DataDir
) -> None:
    program = "from pipelines.cli import main; main()"
    words = ["compact", "--before", str(date.max), "--data-dir", str(data_dir.root)]
    command = [sys.executable, "-c", program, *words]
    random, seconds, night = Random(10), 0.0, date(2026, 1, 8)
    kills = 0
    while kills < 12:
        # A revision each time, so that there is something to drop.
        night = date.fromordinal(night.toordinal() + 1)
        api.today = night
        api.publish("skills", "2026-01-05", [{"skill_name": f"of {night}"}])
        load(today=str(night), only="skills", revision_days=100)
        ledger = query("select * from claude_raw.loaded_days order by fetch_number")
        began = monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if seconds:
            try:
                process.wait(random.uniform(0, seconds))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
        told, _ = process.communicate()
        assert process.returncode in (0, -9), told
        seconds = seconds or monotonic() - began

        assert query("select skill_name from counting_skills") == [(f"of {night}",)]
        assert query("select * from claude_raw.loaded_days order by fetch_number") == ledger

    subprocess.run(command, check=True, capture_output=True)
    assert query("select count(*) from claude_raw.skills") == [(1,)]
