"""Copies a file of DuckDB, in a process of its own: whoever reads one as bytes in a process that
has it open loses its lock."""

import subprocess
import sys
from pathlib import Path

from pipelines.warehouse.duckdb import copier
from sources.errors import ForeseenError


def copied(file: Path, target: Path) -> None:
    """Copy the file, and the log of what is not in it yet.

    Raises:
        ForeseenError: It is being written without a pause, or the copy cannot be written.
    """
    ended = subprocess.run(
        [sys.executable, "-I", copier.__file__, str(file), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == copier.CHANGING:
        raise ForeseenError(
            f"{file} could not be copied: a run writes to it all the time.\n"
            f"It was tried for {copier.PATIENCE_SECONDS} s.\n"
            "Wait until the run ends, then run this again."
        )
    if ended.returncode:
        reason = ended.stderr.strip().splitlines()[-1:] or ["it was stopped"]
        raise ForeseenError(
            f"{file} could not be copied to {target.parent}: {reason[0]}\n"
            "A trial works on a copy of the warehouse, as large as that.\n"
            "Make room there, or grant access, then run this again."
        )
