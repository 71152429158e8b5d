"""What others leave beside a database file of ours: DuckDB would take it for a part of the file."""

import fcntl
import shutil
from contextlib import suppress
from pathlib import Path

LOGS = (".wal", ".wal.checkpoint", ".wal.recovery")
"""A log is replayed by whoever opens the file next; one of an older file adds what was written to
that one, without a word."""
SPILL = ".tmp"
"""The folder of a query that did not fit into memory; a killed program leaves it."""


def left_beside(file: Path) -> list[Path]:
    """The logs and the spill folder that another program left beside the file."""
    names = [file.with_name(f"{file.name}{ending}") for ending in (*LOGS, SPILL)]
    return [path for path in names if path.exists() or path.is_symlink()]


def clear_beside(file: Path) -> list[Path]:
    """What was removed of it. Somebody's spill folder stays while the file is open somewhere."""
    removed = []
    for path in left_beside(file):
        if path.name.endswith(SPILL) and is_open(file):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
        removed.append(path)
    return removed


def is_open(file: Path) -> bool:
    """Whether another process has the database file open, for reading or writing."""
    return _is_locked(file, "r+b", fcntl.LOCK_EX)


def is_being_written(file: Path) -> bool:
    """Whether another process has the database file open for writing."""
    return _is_locked(file, "rb", fcntl.LOCK_SH)


def _is_locked(file: Path, mode: str, lock: int) -> bool:
    with suppress(FileNotFoundError, PermissionError), file.open(mode) as handle:
        try:
            # DuckDB's locks are of this kind. Closing the file gives ours back.
            fcntl.lockf(handle, lock | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
    return False
