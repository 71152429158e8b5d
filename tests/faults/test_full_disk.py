"""A disk that is full at different moments of a run, and what the run after it makes of it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from tests.faults.tally import Tally
from tests.faults.test_matrix import compare
from tests.faults.world import BY_NAME, TRACE, World, leaks

GROUP = BY_NAME["days of people"]
KILOBYTE = 1_024
LEFT = (0, 40, 300, 1_000)
"""Kilobytes that are left when the run begins; a night needs some 2,000."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 40 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """A file that leaves so many kilobytes of the disk."""
    file = disk / "filled"
    file.write_bytes(bytes(shutil.disk_usage(disk).free - left * KILOBYTE))
    return file


@pytest.mark.parametrize(
    "left", [pytest.param(left, marks=[] if left == 300 else pytest.mark.long) for left in LEFT]
)
def test_a_run_on_a_full_disk_says_so_and_the_next_one_mends_it(
    here: World, tally: Tally, disk: Path, left: int
) -> None:
    _, night, night_after = GROUP.nights
    expected = here.expected_after(GROUP, "nightly", [night, night_after])
    data_dir = DataDir(disk / "data")
    shutil.copytree(here.start(GROUP, "nightly").root, data_dir.root)
    filled = fill(disk, left)
    ended = [here.night(GROUP, data_dir, night)]
    tally.tried("faults tried")

    assert ended[0].exit_code == 1, ended[0].text
    said = " ".join(ended[0].text.split())
    assert f"The disk is full ({data_dir.root})" in said or "No space left on device" in said, said
    assert here.command("status", data_dir).exit_code == 0

    filled.unlink()
    for each in (night, night_after):
        ended.append(here.night(GROUP, data_dir, each))
        assert ended[-1].exit_code == 0, ended[-1].text
    compare(tally, here.facts(GROUP, data_dir), expected)
    for run in ended:
        if TRACE in run.text or "nobody foresaw" in run.text:
            tally.find("traces", run.text)
    for place in leaks(data_dir, ended):
        tally.find("leaked", place)
