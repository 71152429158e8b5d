"""The organisation of FEW_NIGHTS, read by commands that run in this process."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from tests.commands import command
from tests.compare.stories import FEW_NIGHTS, World, prepare

Run = Callable[[DataDir, str], int]
"""Run `claude-warehouse` with these words on a folder; returns its exit code."""


@contextmanager
def few_nights(
    folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[World, Run]]:
    """Its world, whose files are in the folder, and what runs commands in it."""
    files = folder / "files"
    files.mkdir(parents=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        Sandbox(seats=FEW_NIGHTS.seats, today=FEW_NIGHTS.today) as api,
    ):
        world = World(api, files)
        prepare(world)
        for name, value in {**FEW_NIGHTS.environment(world), **(settings or {})}.items():
            patch.setenv(name, value)

        def run(data_dir: DataDir, words: str) -> int:
            patch.setenv("PIPELINE__DATA_DIR", str(data_dir.root))
            return command(words).exit_code

        yield world, run
