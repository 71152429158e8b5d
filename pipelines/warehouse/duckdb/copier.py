"""A program that copies a database's file as it was at one moment, though a run may write to it.

It imports nothing of ours, so that it starts at once and wherever the package is.
"""

import shutil
import sys
import time
from pathlib import Path

HEADERS = 3 * 4096
"""Bytes at a file's beginning that change with every checkpoint. Between two of them DuckDB writes
only to the log, and to blocks that the last checkpoint does not use."""
PATIENCE_SECONDS = 60
CHANGING = 3
"""Exit code: there was no moment without a checkpoint."""


def copy(file: Path, target: Path) -> bool:
    """Whether the copy is of one moment. The log first: its blocks are written by then."""
    before = _headers(file)
    for part in file.parent.glob(f"{file.name}.wal*"):
        try:
            shutil.copyfile(part, target.with_name(part.name.replace(file.name, target.name, 1)))
        except FileNotFoundError:
            return False
    shutil.copyfile(file, target)
    return _headers(file) == before


def _headers(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(HEADERS)


def main(file: Path, target: Path) -> int:
    """The exit code, once it is copied or was tried long enough."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for old in target.parent.glob(f"{target.name}*"):
            old.unlink()
        if copy(file, target):
            return 0
        time.sleep(0.1)
    return CHANGING


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
