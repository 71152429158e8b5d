"""Where a run happens: other tools' variables, strange folders, copies, and no network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, HELD, WRONG_USAGE
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

STRANGE = "o'brien {{ 50% }} ü #1 [a] month=5 *"
FIRST, SECOND = "sync --today 2026-01-08", "sync --today 2026-01-09"

FOREIGN = {
    "DBT_EMPTY": "true",
    "DBT_TARGET": "prod",
    "DBT_PROFILE": "other",
    "DBT_PROFILES_DIR": "/nowhere",
    "DBT_PROJECT_DIR": "/nowhere",
    "DBT_TARGET_PATH": "/nowhere",
    "DBT_LOG_PATH": "/nowhere",
    "DBT_FULL_REFRESH": "true",
    "DBT_VARS": "{min_group_size: 1000}",
    "DBT_INDIRECT_SELECTION": "empty",
    "DBT_EXCLUDE_RESOURCE_TYPES": "model",
    "DBT_RESOURCE_TYPES": "seed",
    "DBT_WARN_ERROR": "true",
    "DBT_STORE_FAILURES": "true",
    "DBT_FAIL_FAST": "true",
    "DBT_DEFER": "true",
    "DBT_STATE": "/nowhere",
    "DBT_SAMPLE": "1 day",
    "DBT_INTROSPECT": "false",
    "DBT_CACHE_SELECTED_ONLY": "true",
    "DBT_ENGINE_EMPTY": "true",
    "DLT_PROJECT_DIR": "/nowhere",
    "DLT_DATA_DIR": "/nowhere",
    "DLT_LOCAL_DIR": "/nowhere",
    "DLT_CONFIG_FOLDER": "elsewhere",
    "DLT_DEFAULT_NAMING_MODULE": "direct",
    "DLT_USE_JSON": "simplejson",
    "DLT_INTERVAL_START": "2026-01-01T00:00:00Z",
    "DLT_ALLOW_EXTERNAL_SCHEDULERS": "true",
    "API_KEY": "of another",
    "BASE_URL": "https://other.example",
    "WINDOW_DAYS": "1",
    "ONLY": "costs",
    "OVERLAPS": "nonsense",
    "DATA_DIR": "/nowhere",
    "MIN_GROUP_SIZE": "1000",
    "POLICY": "none",
    "CLAUDE_WAREHOUSE__SEATS__GRACE_DAYS": "1",
    "SOURCES__GITHUB__ACCESS_TOKEN": "of another",
    "SOURCES__DATA_WRITER__FILE_MAX_ITEMS": "1",
    "DESTINATION__DUCKDB__CREDENTIALS": "/nowhere/other.duckdb",
    "DESTINATION__CREDENTIALS": "duckdb:////nowhere/other.duckdb",
    "CREDENTIALS": "duckdb:////nowhere/other.duckdb",
    "CREDENTIALS__DATABASE": "/nowhere/other.duckdb",
    "DESTINATION_TYPE": "postgres",
    "DATASET_NAME": "other",
    "DATASET_NAME_LAYOUT": "other_%s",
    "PIPELINES_DIR": "/nowhere",
    "PIPELINE_NAME": "other",
    "SCHEMA__NAMING": "direct",
    "NORMALIZE__WORKERS": "3",
    "NORMALIZE__LOADER_FILE_FORMAT": "jsonl",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "false",
    "DATA_WRITER__DISABLE_COMPRESSION": "true",
    "DATA_WRITER__FILE_MAX_ITEMS": "1",
    "EXTRACT__WORKERS": "1",
    "LOAD__WORKERS": "1",
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__RAISE_ON_FAILED_JOBS": "false",
    "RESTORE_FROM_DESTINATION": "false",
    "DEV_MODE": "true",
    "RUNTIME__DLTHUB_TELEMETRY": "true",
    "RUNTIME__SENTRY_DSN": "https://key@sentry.example/1",
    "RUNTIME__SLACK_INCOMING_HOOK": "https://slack.example/hook",
    "RUNTIME__LOG_LEVEL": "DEBUG",
    "RUNTIME__LOG_FORMAT": "JSON",
    "PYTHONWARNINGS": "error",
    "TZ": "Pacific/Kiritimati",
    "LC_ALL": "C",
}
OTHER_PROJECT = """\
[runtime]
dlthub_telemetry = true
[normalize]
workers = 3
[load]
workers = 1
[destination]
credentials = "/nowhere/other.duckdb"
dataset_name = "other"
[sources.github]
access_token = "of another"
"""
NO_NAMES = """\
import os, socket

def refuse(host, *_, **__):
    with open(os.environ["LOOK_UPS"], "a") as file:
        file.write(f"{host}\\n")
    raise OSError(f"name look-up of {host}")

look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *given, **named: (
    look_up if host in ("127.0.0.1", "localhost", None, "") else refuse
)(host, *given, **named)
socket.gethostbyname = refuse
"""

WITHOUT_HOME = """
import os, pathlib
os.getuid = lambda: 1_234_567_890
try:
    pathlib.Path.home()
except RuntimeError:
    print("nobody")
from pipelines.report import page
assert "HOME" not in os.environ
"""

Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def process(api: Sandbox, tmp_path: Path, home: Path) -> Iterator[Process]:
    """The command as a process of its own, which may look up no name and finds a strange home."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(NO_NAMES)
    (tmp_path / "tmp").mkdir()
    look_ups = tmp_path / "look_ups"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(tmp_path / "site"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LOOK_UPS": str(look_ups),
        "SOURCES__CLAUDE_ANALYTICS__BASE_URL": api.url,
        "SOURCES__CLAUDE_ANALYTICS__API_KEY": api.api_key,
        "SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE": "100000",
    }
    program = Path(sys.executable).with_name("claude-warehouse")

    def run(words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *words.split()],
            cwd=folder,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    assert not look_ups.exists(), look_ups.read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


def marts(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every mart but `runs`, whose ids and moments are each run's own."""
    with duckdb.connect(str(file), read_only=True) as served:
        names = served.execute(
            "select table_name from duckdb_tables() where table_name <> 'runs'"
        ).fetchall()
        return {
            name: sorted(served.execute(f"from claude_marts.{name}").fetchall(), key=repr)
            for (name,) in names
        }


def test_nothing_that_other_tools_were_told_changes_a_run(
    api: Sandbox, process: Process, home: Path, tmp_path: Path
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    plain, strange = tmp_path / "plain", tmp_path / "strange"
    for folder in (plain, strange):
        folder.mkdir()
    assert process(FIRST, plain).returncode == DONE

    assert list(home.iterdir()) == []
    (home / ".dbt").mkdir()
    (home / ".dbt/profiles.yml").write_text("config: {send_anonymous_usage_stats: true}\n")
    for project in (home, strange):
        (project / ".dlt").mkdir()
        (project / ".dlt/config.toml").write_text(OTHER_PROJECT)
        (project / ".dlt/.workspace").touch()
    ended = process(FIRST + f" --data-dir {tmp_path}/data", strange, **FOREIGN)

    assert ended.returncode == DONE, ended.stdout + ended.stderr
    assert marts(tmp_path / "data/serving.duckdb") == marts(plain / "data/serving.duckdb")
    used, said = ended.stderr.split("\n", 1)
    assert used.startswith("Project ")
    assert "Traceback" not in said and "dlt" not in said
    assert list(strange.iterdir()) == [strange / ".dlt"]
    assert sorted(path.name for path in home.rglob("*")) == [
        ".dbt",
        ".dlt",
        ".workspace",
        "config.toml",
        "profiles.yml",
    ]
    assert process(f"report --data-dir {tmp_path}/data", strange, **FOREIGN).returncode == DONE
    assert process(f"status --data-dir {tmp_path}/data", strange, **FOREIGN).returncode == DONE


def test_a_folder_may_have_any_name(api: Sandbox, command: Command, tmp_path: Path) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    data = DataDir(tmp_path / STRANGE)
    (tmp_path / STRANGE.replace("*", "another")).mkdir()
    exports = data.root / "exports [1]"
    exports.mkdir(parents=True)
    chart = data.root / "org chart #2.csv"
    chart.write_text("email,department,cost_center,manager_email,valid_from\nada@x.org,R&D,1,,\n")

    ended = command(
        "sync --today 2026-01-08",
        PIPELINE__DATA_DIR=str(data.root),
        REPORT__ENABLED="true",
        SOURCES__REFERENCE_FILES__ORG_CHART=str(chart),
        SOURCES__LANGDOCK__FILES=str(exports),
    )

    assert ended.exit_code == DONE, ended.err
    assert (data.root / "report.html").exists()
    assert len(marts(data.served)["skill_usage_daily"]) == 1
    assert command("status --today 2026-01-08").exit_code == DONE


@pytest.mark.parametrize("char", ["?", "\\"])
def test_a_folder_that_duckdb_mistakes_for_another_is_refused(
    char: str, command: Command, tmp_path: Path
) -> None:
    ended = command("sync", PIPELINE__DATA_DIR=f"{tmp_path}/what{char}")

    assert ended.exit_code == FAILED
    assert f"it has {char} in it" in ended.err
    assert list(tmp_path.glob("*")) == []


def test_help_and_a_mistake_call_nobody(process: Process, tmp_path: Path) -> None:
    helped, mistaken = process("sync --help", tmp_path), process("sink", tmp_path)

    assert helped.returncode == DONE and "Usage: claude-warehouse sync" in helped.stdout
    assert mistaken.returncode == WRONG_USAGE and "sink" in mistaken.stderr


@pytest.mark.parametrize("linked", ["", "warehouse.duckdb", "serving.duckdb"])
def test_a_link_to_such_a_folder_is_refused_too(
    command: Command, tmp_path: Path, linked: str
) -> None:
    there = tmp_path / "what?"
    there.mkdir()
    data = tmp_path / "data"
    if linked:
        data.mkdir()
    (data / linked).symlink_to(there / linked)

    ended = command(f"sync --only skills --no-transform --today 2026-01-08 --data-dir {data}")

    assert ended.exit_code == 1
    assert f"{there}" in ended.err and "it has ? in it" in ended.err
    assert not list(there.iterdir())


def test_a_copied_or_moved_project_writes_into_itself(process: Process, tmp_path: Path) -> None:
    first, copy, moved = tmp_path / "first", tmp_path / "copy", tmp_path / "moved"
    first.mkdir()
    only = " --only skills --no-transform"
    assert process(FIRST + only, first).returncode == DONE

    shutil.copytree(first, copy)
    before = (first / "data/warehouse.duckdb").read_bytes()
    ended = process(SECOND + only, copy)
    assert ended.returncode == DONE, ended.stderr
    assert (first / "data/warehouse.duckdb").read_bytes() == before

    first.rename(moved)
    assert process(SECOND + only, moved).returncode == DONE
    assert not first.exists()
    for folder in (copy, moved):
        with duckdb.connect(str(folder / "data/warehouse.duckdb")) as warehouse:
            [(newest,)] = warehouse.execute(
                "select cast(max(activity_date) as text) from claude_raw.loaded_days"
            ).fetchall()
            assert newest == "2026-01-06"


@pytest.mark.parametrize(
    "way", ["~/data", *(pytest.param(way, marks=pytest.mark.long) for way in ("../data", "link"))]
)
def test_a_folder_is_the_same_by_every_way_to_it(
    way: str, process: Process, home: Path, tmp_path: Path
) -> None:
    data = home / "data"
    data.mkdir()
    below = home / "below"
    below.mkdir()
    (below / "link").symlink_to(data)

    for words in (FIRST, SECOND):
        ended = process(f"{words} --only skills --no-transform --data-dir={way}", below)
        assert ended.returncode == DONE, ended.stderr

    assert (data / "warehouse.duckdb").exists()
    assert sorted(path.name for path in below.iterdir()) == ["link"]


def test_a_link_to_a_disk_that_is_not_mounted_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "disk/data")
    ended = command("sync", PIPELINE__DATA_DIR=f"{tmp_path}/link")

    assert ended.exit_code == FAILED
    assert f"{tmp_path}/link leads to {tmp_path}/disk/data, which does not exist" in ended.err
    assert not (tmp_path / "disk").exists()


@pytest.mark.parametrize("holder", ["theirs", "ours"])
def test_a_warehouse_that_is_a_link_is_held_for_both_folders(
    command: Command, data_dir: DataDir, tmp_path: Path, holder: str
) -> None:
    """Each folder has its own lock; whoever writes holds both."""
    theirs = DataDir(tmp_path / "theirs")
    theirs.root.mkdir()
    data_dir.root.mkdir()
    data_dir.warehouse.symlink_to(theirs.warehouse)
    held, other = (theirs, data_dir) if holder == "theirs" else (data_dir, theirs)

    with held.held("backfill"):
        ended = command("sync --no-transform", PIPELINE__DATA_DIR=str(other.root))
        assert "backfill, process" in str(other.held_by())
    assert other.held_by() is None

    assert ended.exit_code == HELD
    assert "Another run holds the warehouse" in ended.err and "backfill, process" in ended.err


def test_a_folder_that_is_gone_a_file_or_a_circle_is_told(process: Process, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    long = tmp_path / ("x" * 300)
    for words, told in {
        f"sync --data-dir {tmp_path}/file": "cannot be written to (it is a file)",
        f"sync --data-dir {tmp_path}/circle": "does not exist",
        f"sync --data-dir {tmp_path}/below/../circle": "lead in a circle",
        f"sync --data-dir {long}": "File name too long",
        f"doctor --data-dir {tmp_path}/file": "it is a file",
    }.items():
        ended = process(words, tmp_path)
        assert ended.returncode == FAILED and told in ended.stdout + ended.stderr, words
        assert "Traceback" not in ended.stderr, words

    # A shell of its own, because no process can be started in a folder that is gone.
    program = Path(sys.executable).with_name("claude-warehouse")
    gone = subprocess.run(
        ["sh", "-c", f'mkdir gone && cd gone && rmdir ../gone && "{program}" status'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert gone.returncode == FAILED
    assert "does not exist any more" in gone.stderr and "Traceback" not in gone.stderr


def test_letters_that_the_machine_cannot_write_are_told(process: Process, tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    ended = process("sync --data-dir dätä", tmp_path, **ascii_only)

    assert ended.returncode == FAILED
    assert "character set is ascii" in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize("mask", [0o077, pytest.param(0o022, marks=pytest.mark.long)])
def test_without_a_home_and_in_a_read_only_folder_a_run_needs_only_its_own(
    mask: int, process: Process, tmp_path: Path
) -> None:
    data, nowhere = tmp_path / "data", tmp_path / "read only"
    nowhere.mkdir(mode=0o555)
    before = os.umask(mask)
    try:
        ended = process(
            f"{FIRST} --only skills --no-transform --data-dir {data}",
            nowhere,
            HOME="/nonexistent",
            TMPDIR="/nonexistent",
        )
    finally:
        os.umask(before)

    assert ended.returncode == DONE, ended.stderr
    assert list(nowhere.iterdir()) == []
    assert {path.stat().st_mode & mask for path in data.rglob("*")} == {0}


def test_a_user_whom_the_machine_does_not_know_has_charts_without_a_home() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_HOME],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "nobody\n"


def test_a_demo_leaves_another_that_runs_alone(command: Command, data_dir: DataDir) -> None:
    running = DataDir(data_dir.root / "demo")
    running.create()
    running.served.touch()
    (running.root / "org_chart.csv").touch()
    with running.held("demo"):
        ended = command("demo")

    assert ended.exit_code == HELD
    assert running.served.exists() and (running.root / "org_chart.csv").exists()


def test_a_demo_does_not_replace_what_no_demo_made(
    command: Command, data_dir: DataDir, query: Query
) -> None:
    real = DataDir(data_dir.root / "demo")
    command(f"sync --today 2026-01-08 --only skills --no-transform --data-dir {real.root}")
    loaded = real.warehouse.read_bytes()

    ended = command("demo")

    assert ended.exit_code == FAILED
    assert "holds a warehouse that no demo made" in ended.err
    assert real.warehouse.read_bytes() == loaded
