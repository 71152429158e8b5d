"""The first hour: where settings come from, what is said of it, and in whose words."""

from pathlib import Path

import pytest

from pipelines import demo
from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, WRONG_USAGE
from sources.sandbox import Sandbox
from tests.conftest import Command

LOAD = "sync --no-transform --only users --today 2026-01-08"
NO_KEY = "No key for the Admin API"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose settings name a data folder; the command is started elsewhere."""
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (folder / ".dlt").mkdir(parents=True)
    (folder / ".dlt/config.toml").write_text('[pipeline]\ndata_dir = "kept"\n')
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


@pytest.mark.parametrize(
    ("words", "variable", "origin"),
    [
        ("--project-dir ../project {}", "", "named by --project-dir"),
        ("{} --project-dir ../project", "../elsewhere", "named by --project-dir"),
        ("{}", "../project", "named by CLAUDE_WAREHOUSE_HOME"),
    ],
)
def test_the_project_folder_is_chosen_and_said(
    words: str, variable: str, origin: str, command: Command, project: Path
) -> None:
    chosen = {"CLAUDE_WAREHOUSE_HOME": variable, "PIPELINE__DATA_DIR": ""}
    checked = command(words.format("doctor --today 2026-01-08"), **chosen)
    ended = command(words.format(LOAD), **chosen)

    assert origin in checked.out.splitlines()[0] and "/project" in checked.out.splitlines()[0]
    assert ".dlt/config.toml; from the environment" in checked.out
    assert "SOURCES__CLAUDE_ANALYTICS__API_KEY" in checked.out
    assert ended.exit_code == DONE
    first = ended.err.splitlines()[0]
    assert "/project (settings: .dlt/config.toml; " in first and "/project/kept" in first
    assert (project / "kept/warehouse.duckdb").is_file()
    assert list(Path.cwd().iterdir()) == []


def test_where_nothing_is_chosen_it_is_the_folder_of_the_start(
    command: Command, project: Path
) -> None:
    checked = command("doctor --today 2026-01-08", PIPELINE__DATA_DIR="")

    assert "/elsewhere, where this was started" in checked.out
    assert "no .dlt/config.toml and no .dlt/secrets.toml there" in checked.out


def test_a_project_folder_that_is_not_there_is_told(command: Command, project: Path) -> None:
    by_option = command("status --project-dir ../nowhere")
    by_variable = command("status", CLAUDE_WAREHOUSE_HOME="../nowhere")

    assert by_option.exit_code == WRONG_USAGE and "is no folder" in by_option.err
    assert by_variable.exit_code == FAILED
    assert "CLAUDE_WAREHOUSE_HOME is ../nowhere" in by_variable.err


def test_commands_in_messages_name_the_project(command: Command, project: Path) -> None:
    ended = command("status --project-dir ../project", PIPELINE__DATA_DIR="")

    assert f"claude-warehouse sync --project-dir {project}" in ended.err


def test_doctor_makes_no_folder(command: Command, api: Sandbox, data_dir: DataDir) -> None:
    ended = command("doctor --today 2026-01-08")

    assert "is not there yet; the first sync makes it" in ended.out
    assert api.requests and not data_dir.root.exists()


def test_doctor_says_of_a_folder_that_cannot_be_made_why(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = command(f"doctor --data-dir {tmp_path}/file/data")

    assert "✗ data folder" in ended.out and "Not a directory" in ended.out


@pytest.mark.long
def test_of_a_source_that_is_switched_off_nothing_is_said(command: Command) -> None:
    wanted = command(LOAD.replace("--only users ", ""))
    off = {"SOURCES__CLAUDE_ADMIN__ENABLED": "false"}
    unwanted = command(LOAD.replace("--only users ", ""), **off)

    assert NO_KEY in wanted.out and NO_KEY not in unwanted.out + unwanted.err
    assert unwanted.exit_code == DONE
    assert NO_KEY not in command("status").out
    assert "[sources.claude_admin] enabled = false" in command("doctor --today 2026-01-08").out


def test_a_source_that_is_switched_off_is_not_read_though_only_names_it(
    command: Command, api: Sandbox
) -> None:
    ended = command(
        "sync --only claude_admin --no-transform --today 2026-01-08",
        SOURCES__CLAUDE_ADMIN__ENABLED="false",
        SOURCES__CLAUDE_ADMIN__API_KEY=api.api_key,
        SOURCES__CLAUDE_ADMIN__BASE_URL=api.url,
    )

    assert ended.exit_code == FAILED
    assert "[sources.claude_admin] enabled is false" in ended.err
    assert api.requests == []


def test_the_one_source_that_is_read_may_be_another_than_the_first(
    command: Command, api: Sandbox, tmp_path: Path
) -> None:
    exports = tmp_path / "exports"
    exports.mkdir()
    ended = command(
        "sync --no-transform --today 2026-01-08",
        SOURCES__CLAUDE_ANALYTICS__ENABLED="false",
        SOURCES__CLAUDE_ADMIN__ENABLED="false",
        SOURCES__CLAUDE_COMPLIANCE__ENABLED="false",
        SOURCES__LANGDOCK__FILES=str(exports),
    )

    assert ended.exit_code == DONE, ended.err
    assert api.requests == []


@pytest.mark.parametrize(
    "words",
    [
        "report --format pdf",
        "sync --only invoices",
        "sandbox --seats many",
        "sandbox --seats -1",
        "sandbox --port 99999",
    ],
)
def test_wrong_words_are_told_in_ours(words: str, command: Command) -> None:
    ended = command(words)

    assert ended.exit_code == WRONG_USAGE
    for foreign in ("Value error", "Input should be", "<class", "Traceback"):
        assert foreign not in ended.err


def test_a_demonstration_ends_with_three_lines(data_dir: DataDir) -> None:
    to_open, to_see, then = demo.next_steps(data_dir)

    assert f"{data_dir.root}/report.html" in to_open
    assert "claude-warehouse status" in to_see
    assert "your key" in then and "claude-warehouse init" in then


def test_status_names_the_demonstration_that_is_there(command: Command, data_dir: DataDir) -> None:
    (data_dir.root / "demo").mkdir(parents=True)
    (data_dir.root / "demo/warehouse.duckdb").touch()
    ended = command("status")

    assert f"claude-warehouse status --data-dir {data_dir.root}/demo" in ended.err


def test_status_names_its_folder_and_lets_an_old_demonstration_be(
    command: Command, data_dir: DataDir
) -> None:
    command(LOAD)
    later = "status --today 2026-06-15"
    assert "does the nightly run still take place?" in command(later).out

    data_dir.last_run.write_text(data_dir.last_run.read_text().replace('"sync"', '"demo"', 1))
    after_a_demo = command(later).out

    assert "nightly run" not in after_a_demo
    assert f"Warehouse: {data_dir.warehouse}" in after_a_demo
