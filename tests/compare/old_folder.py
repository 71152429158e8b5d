"""Keeps a folder that an old commit loaded, for the test that it goes on loading.

Run: python -m tests.compare.old_folder 1d19b5d
"""

import sys
import tarfile
import tempfile
from pathlib import Path

from sources.sandbox import Sandbox
from tests.compare.__main__ import run
from tests.compare.lanes import Lane, checked_out, libraries_of
from tests.compare.stories import FEW_NIGHTS, World, prepare

FOLDER = Path(__file__).resolve().parents[1] / "pipelines"


def kept(commit: str) -> Path:
    """Where the commit's folder is kept, packed."""
    return FOLDER / f"folder_of_{commit}.tar.xz"


def main(commit: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        files = Path(scratch) / "files"
        files.mkdir()
        with (
            checked_out(commit, Path(scratch) / "base") as base,
            Sandbox(seats=FEW_NIGHTS.seats, today=FEW_NIGHTS.today) as api,
        ):
            world, lane = World(api, files), Lane(base, Path(scratch) / "lane", libraries_of(base))
            lane.make()
            prepare(world)
            for step in FEW_NIGHTS.steps[: FEW_NIGHTS.handed_over]:
                step.before(world)
                [ended] = run([lane], step, FEW_NIGHTS.environment(world))
                print(f"{step.words}: exit {ended.exit_code}")
        with tarfile.open(kept(commit), "w:xz", preset=9) as archive:
            # What dbt notes of its project is made anew by each release.
            archive.add(
                lane.data, "data", filter=lambda file: None if "/dbt" in file.name else file
            )
    print(f"{kept(commit)}: {kept(commit).stat().st_size:,} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
