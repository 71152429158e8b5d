"""Backups: consistent beside readers, compared before they return, and never over a warehouse."""

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from pipelines import data_dir as data_dir_module
from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, HELD
from pipelines.warehouse.duckdb.beside import LOGS, left_beside
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

LOAD = "sync --no-transform --today 2026-01-08"
USERS = "select count(*) from claude_raw.users"
READER = """
import sys, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as served:
    print(served.execute("select count(*) from claude_marts.seats").fetchall(), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def loaded(api: Sandbox, command: Command) -> Command:
    """The command, after a load of one person's day."""
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    assert command(LOAD).exit_code == DONE
    return command


def kept(folder: Path) -> Path:
    [place] = folder.iterdir()
    return place


def test_a_backup_beside_a_reader_brings_a_lost_folder_back_whole(
    api: Sandbox, command: Command, query: Query, data_dir: DataDir, tmp_path: Path
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}])
    command("sync --today 2026-01-08")
    data_dir.closed_months.mkdir()
    (data_dir.closed_months / "2026-01_closed_one.lines.parquet").write_bytes(b"a close")
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(data_dir.served)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None and reader.stdout.readline()
    ended = command(f"backup --to {tmp_path / 'kept'}")
    reader.communicate("\n")

    assert ended.exit_code == DONE, ended.err
    before = query("from claude_raw.loaded_days order by all")
    shutil.rmtree(data_dir.root)
    restored = command(f"restore {tmp_path / 'kept'}")
    assert restored.exit_code == DONE and restored.err == ""
    assert query("from claude_raw.loaded_days order by all") == before
    assert query("select count(*) from claude_marts.seats", served=True) == [(1,)]
    assert [file.read_bytes() for file in data_dir.closed_months.iterdir()] == [b"a close"]
    assert command("sync --no-transform --today 2026-01-09").exit_code == DONE


def test_a_folder_that_holds_a_warehouse_is_restored_only_by_force(
    loaded: Command, api: Sandbox, query: Query, data_dir: DataDir, tmp_path: Path
) -> None:
    loaded(f"backup --to {tmp_path / 'kept'}")
    api.publish("users", "2026-01-05", [{"user": {"id": "user_1"}}, {"user": {"id": "user_2"}}])
    loaded("sync --no-transform --today 2026-01-09")

    refused = loaded(f"restore {tmp_path / 'kept'}")
    assert refused.exit_code == FAILED and "holds a warehouse" in refused.err
    assert query(USERS) != [(1,)]
    # Left by a program that was killed; DuckDB would take them for a part of the restored file.
    for ending in LOGS:
        data_dir.warehouse.with_name(f"{data_dir.warehouse.name}{ending}").write_bytes(b"a log")
    assert loaded(f"restore {tmp_path / 'kept'} --force").exit_code == DONE
    assert query(USERS) == [(1,)]
    assert left_beside(data_dir.warehouse) == []
    assert stat.S_IMODE(data_dir.warehouse.stat().st_mode) == 0o600


def test_an_object_store_takes_a_backup_and_gives_it_back(
    loaded: Command, query: Query, data_dir: DataDir
) -> None:
    assert loaded("backup --to memory://bucket/kept").exit_code == DONE
    shutil.rmtree(data_dir.root)

    assert loaded("restore memory://bucket/kept").exit_code == DONE
    assert query(USERS) == [(1,)]


def test_of_several_backups_the_newest_whole_one_comes_back(
    loaded: Command, api: Sandbox, query: Query, data_dir: DataDir, tmp_path: Path
) -> None:
    for day in ("2026-01-09", "2026-01-10"):
        loaded(f"backup --to {tmp_path / 'kept'}")
        loaded(f"sync --no-transform --today {day}")
    unfinished = tmp_path / "kept" / "claude-warehouse-20990101T000000000000Z"
    unfinished.mkdir()
    shutil.rmtree(data_dir.root)
    loaded(f"restore {tmp_path / 'kept'}")

    newest = query("select max(fetched_at)::date::text from claude_raw.loaded_days")
    assert newest == [("2026-01-09",)]


def test_a_backup_that_somebody_changed_is_refused_and_nothing_is_lost(
    loaded: Command, query: Query, data_dir: DataDir, tmp_path: Path
) -> None:
    loaded(f"backup --to {tmp_path / 'kept'}")
    with (kept(tmp_path / "kept") / "warehouse.duckdb").open("r+b") as file:
        file.seek(5_000)
        file.write(b"changed")
    ended = loaded(f"restore {tmp_path / 'kept'} --force")

    assert ended.exit_code == FAILED
    assert "warehouse.duckdb of the backup" in ended.err and "Nothing was restored" in ended.err
    assert query(USERS) == [(1,)]


def test_beside_a_run_there_is_no_backup(
    loaded: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    with data_dir.held("sync"):
        assert loaded(f"backup --to {tmp_path / 'kept'}").exit_code == HELD
    assert not (tmp_path / "kept").exists()


def test_a_place_that_is_none_is_told(loaded: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    for words in (f"backup --to {tmp_path}/file/there", f"restore {tmp_path}", "restore /nowhere"):
        ended = loaded(words)
        assert ended.exit_code == FAILED
        assert len(ended.err.splitlines()) == 3 and "nobody foresaw" not in ended.err


def test_an_older_version_refuses_what_a_newer_one_wrote_and_touches_nothing(
    loaded: Command, data_dir: DataDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(f"backup --to {tmp_path / 'kept'}")
    data_dir.version_file.write_text('{"version": "99.1.0"}')
    contents = kept(tmp_path / "kept") / "backup.json"
    before = data_dir.warehouse.read_bytes()
    for words in (LOAD, "transform", "publish", "vacuum", f"backup --to {tmp_path / 'more'}"):
        ended = loaded(words)
        assert ended.exit_code == FAILED
        assert f"{data_dir.root} was written by claude-warehouse 99.1.0, and this is" in ended.err
        assert "nothing was touched" in ended.err
    assert data_dir.warehouse.read_bytes() == before

    # The way back that the message names.
    assert loaded(f"restore {tmp_path / 'kept'} --force").exit_code == DONE
    assert loaded(LOAD).exit_code == DONE
    contents.write_text(json.dumps({**json.loads(contents.read_text()), "version": "99.1.0"}))
    ended = loaded(f"restore {tmp_path / 'kept'} --force")
    assert ended.exit_code == FAILED and "was written by claude-warehouse 99.1.0" in ended.err

    monkeypatch.setattr(data_dir_module, "version", lambda _: "99.2.0")
    assert loaded(LOAD).exit_code == DONE
    assert json.loads(data_dir.version_file.read_text()) == {"version": "99.2.0"}


def test_vacuum_gives_back_the_space_of_what_was_deleted(
    loaded: Command, query: Query, data_dir: DataDir
) -> None:
    with duckdb.connect(str(data_dir.warehouse)) as warehouse:
        warehouse.execute("create table claude_raw.waste as select random() from range(5000000)")
        # Behind it, so that it does not end the file.
        warehouse.execute("create table claude_raw.kept as select range from range(100000)")
        warehouse.execute("checkpoint")
        warehouse.execute("drop table claude_raw.waste")
    size = data_dir.warehouse.stat().st_size
    assert loaded("vacuum").exit_code == DONE

    assert data_dir.warehouse.stat().st_size < size / 2
    assert query(USERS) == [(1,)]
