"""What a run leaves on the disk: for its owner alone, in its own folder, and not for long."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE
from sources.sandbox import Sandbox
from tests.conftest import Command

LOAD = "sync --no-transform --today 2026-01-08"
WATCHED = """
import os, sys
watched = [os.environ["HOME"], os.environ["TMPDIR"]]
def watch(event, arguments):
    writes = event in ("os.mkdir", "os.rename", "os.link", "os.symlink") or (
        event == "open" and (arguments[1] or "r").strip("bt") not in ("r",)
    )
    if writes and any(str(arguments[0]).startswith(folder) for folder in watched):
        print("WROTE", event, arguments, file=sys.stderr)
sys.addaudithook(watch)
from pipelines.cli import main
main()
"""


def modes(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
        if not path.is_symlink()
    }


@pytest.fixture(autouse=True)
def everybody_may_read() -> object:
    """The usual umask of an interactive shell."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_folder_and_files_are_for_their_owner_alone(
    api: Sandbox, command: Command, data_dir: DataDir
) -> None:
    assert command("sync --today 2026-01-08").exit_code == DONE
    command("doctor --today 2026-01-08")
    command("publish")

    assert {name: oct(mode) for name, mode in modes(data_dir.root).items() if mode & 0o077} == {}
    # What a command writes elsewhere follows the user's own umask.
    assert os.umask(0o022) == 0o022


def test_what_an_older_version_left_open_is_closed_but_for_what_readers_have(
    command: Command, data_dir: DataDir
) -> None:
    command(LOAD)
    data_dir.served.write_bytes(b"")
    for path in (data_dir.root, *data_dir.root.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    command(LOAD)

    readable = {name for name, mode in modes(data_dir.root).items() if mode & 0o077}
    assert {name for name in readable if name.count("/") == 0} == {".", "serving.duckdb"}


@pytest.mark.parametrize(
    ("mode", "folder"), [("640", 0o710), pytest.param("644", 0o711, marks=pytest.mark.long)]
)
def test_readers_get_to_the_published_file_and_to_nothing_else(
    api: Sandbox, command: Command, data_dir: DataDir, mode: str, folder: int
) -> None:
    command("sync --today 2026-01-08", PIPELINE__SERVED_MODE=mode)

    found = modes(data_dir.root)
    assert found.pop("serving.duckdb") == int(mode, 8)
    assert found.pop("serving_anonymous.duckdb") == int(mode, 8)
    assert found.pop(".") == folder
    assert {name for name, mode in found.items() if mode & 0o077} == set()


def test_nothing_is_kept_of_loads_that_have_ended(command: Command, data_dir: DataDir) -> None:
    for day in ("2026-01-08", "2026-01-09"):
        command(f"sync --no-transform --today {day}")

    left = [path for path in data_dir.dlt.rglob("*") if path.is_file()]
    assert not [path for path in left if "loaded" in path.parts or path.suffix == ".parquet"]
    assert not [path for path in left if path.name == "trace.pickle"]
    assert len(left) < 20


def test_home_and_the_systems_temporary_folder_stay_as_they_are(
    api: Sandbox, command: Command, data_dir: DataDir, tmp_path: Path
) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    for words in ("sync --today 2026-01-08", "status", "check", "doctor", "vacuum"):
        ended = subprocess.run(
            [sys.executable, "-c", WATCHED, *words.split()],
            env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "WROTE" not in ended.stderr, ended.stderr
        assert "Traceback" not in ended.stderr
    assert data_dir.served.exists()
    assert list(home.iterdir()) == list(temporary.iterdir()) == []
