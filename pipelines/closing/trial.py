"""A copy of the warehouse on which something is tried; nothing of it remains, nobody reads it."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.data_dir import TRIAL, DataDir
from pipelines.warehouse import warehouse_of

FORGOTTEN_AFTER_SECONDS = 86_400
"""A trial that old was killed."""


@contextmanager
def trial(data_dir: DataDir) -> Iterator[DataDir]:
    """A data folder with a copy of what is stored and of what is published, beside any run.

    Raises:
        ForeseenError: The copy cannot be made.
    """
    for old in data_dir.root.glob(f"{TRIAL}*"):
        if time.time() - old.stat().st_mtime > FORGOTTEN_AFTER_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=TRIAL, dir=data_dir.root) as folder:
        copy = DataDir(Path(folder), is_apart=True)
        warehouse_of(data_dir).copy_to(copy)
        yield copy
