"""`init`: a folder that can run, without a question that it can answer itself."""

import stat
import tomllib
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.exit_codes import DONE, FAILED
from pipelines.init import template
from sources.reference_files import FILES, read
from sources.reference_files.files import ReferenceFile
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

SECRETS = Path(".dlt/secrets.toml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands are run."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_new_folder_gets_everything_and_runs(
    folder: Path, api: Sandbox, command: Command, query: Query
) -> None:
    ended = command("init")

    assert ended.exit_code == DONE
    assert ended.out.splitlines()[-1] == "Then run: claude-warehouse doctor"
    assert stat.S_IMODE(SECRETS.stat().st_mode) == 0o600
    assert tomllib.loads(SECRETS.read_text())["sources"]["claude_analytics"]["api_key"] == ""
    assert {file.name for file in Path("reference").iterdir()} == {f"{f.table}.csv" for f in FILES}
    assert "secrets.toml" in Path(".gitignore").read_text()
    assert command("doctor --today 2026-01-08").exit_code == DONE
    loaded = command("sync --no-transform --today 2026-01-08")
    assert loaded.exit_code == DONE and loaded.err.count("reference") == 0
    for file in FILES:
        assert query(f"select count(*) from claude_raw.{file.table}") == [(0,)]


def test_no_file_is_ever_written_over(folder: Path, command: Command) -> None:
    command("init")
    files = [path for path in folder.rglob("*") if path.is_file() and "data" not in path.parts]
    for file in files:
        file.write_text("mine")
    settings._read.cache_clear()
    Path("reference/org_chart.csv").unlink()
    Path("reference/org_chart.csv").symlink_to("elsewhere.csv")
    for file in files:
        if file.suffix == ".toml":
            file.write_text("")
    ended = command("init")

    assert ended.exit_code == DONE
    assert ended.out.count("Left as it is:") == len(files)
    assert not Path("reference/elsewhere.csv").exists()
    assert {file.read_text() for file in files if file.exists()} == {"mine", ""}


def test_a_key_that_is_known_is_not_asked_for(folder: Path, command: Command) -> None:
    assert "Put the key into" not in command("init").out
    assert "Put the key into" in command("init", SOURCES__CLAUDE_ANALYTICS__API_KEY=" ").out


def test_a_folder_that_cannot_be_written_is_told(folder: Path, command: Command) -> None:
    Path(".dlt").write_text("")
    ended = command("init")

    assert ended.exit_code == FAILED
    assert f"{folder / '.dlt/config.toml'} could not be written" in ended.err


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.table)
def test_a_template_is_read_and_its_example_is_no_data(file: ReferenceFile, tmp_path: Path) -> None:
    path = tmp_path / f"{file.table}.csv"
    path.write_text(template(file))

    assert read(file, path).rows.num_rows == 0
    # It is a row like any other, but for the name in it.
    _, cell = file.example_name
    path.write_text(template(file).replace(cell, cell.replace("xample", "xtra")))
    assert read(file, path).rows.to_pylist()[0].keys() == file.columns.keys()
    assert read(file, path).warnings == ()
