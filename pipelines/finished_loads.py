"""What dlt keeps of loads that have ended; nothing reads it again."""

import shutil
from pathlib import Path

import dlt


def clear_finished(pipeline: dlt.Pipeline) -> None:
    """Remove the rows of ended loads, some hundred files a night, and traces that quote them."""
    folder = Path(pipeline.working_dir)
    for package in (folder / "load" / "loaded").glob("*"):
        shutil.rmtree(package, ignore_errors=True)
    (folder / "trace.pickle").unlink(missing_ok=True)
