"""A pipe or a device in the place of a file is named; nobody waits for what it never brings."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.data_dir import DataDir
from pipelines.files.evidence import verify_evidence
from sources.errors import ForeseenError
from sources.network import certificates
from sources.reference_files.files import FILES
from sources.reference_files.reader import read
from tests.conftest import Command

LONGEST_SECONDS = 120


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that nobody writes to; a test that waits for it fails."""

    def waited(*_: object) -> None:
        raise AssertionError("it waits")

    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    before = signal.signal(signal.SIGALRM, waited)
    signal.alarm(LONGEST_SECONDS)
    yield path
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def trusted(pipe: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(pipe))
        certificates()


def configured(pipe: Path) -> None:
    folder = pipe.parent / ".dlt"
    folder.mkdir()
    pipe.rename(folder / "config.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(pipe.parent)
        settings.require_settings()


READERS: dict[str, Callable[[Path], object]] = {
    "evidence": verify_evidence,
    "reference file": lambda pipe: read(FILES[0], pipe),
    "authorities": trusted,
    "certificate": lambda pipe: certificates(str(pipe), "langdock"),
    "settings": configured,
}


@pytest.mark.parametrize("reader", READERS)
def test_whoever_reads_a_file_refuses_a_pipe(pipe: Path, reader: str) -> None:
    with pytest.raises(ForeseenError, match="it is a pipe or a device, not a file"):
        READERS[reader](pipe)


def test_a_pipe_in_the_folder_of_exports_is_named_and_the_others_are_read(
    pipe: Path, command: Command
) -> None:
    ended = command(
        "sync --only langdock --no-transform --today 2026-01-09",
        SOURCES__LANGDOCK__FILES=str(pipe.parent),
    )

    assert ended.exit_code == 1
    assert "pipe.csv" in ended.err and "it is a pipe or a device, not a file" in ended.err


@pytest.mark.parametrize("name", ["last_run.json", "status.json", "runs.jsonl", "serving.duckdb"])
def test_a_pipe_in_the_data_folder_is_named_before_it_is_read(
    pipe: Path, data_dir: DataDir, command: Command, name: str
) -> None:
    data_dir.root.mkdir()
    pipe.rename(data_dir.root / name)

    ended = command("status")

    assert ended.exit_code == 1
    assert f"{name} is a pipe or a device, and a run keeps a file of that name." in ended.err
