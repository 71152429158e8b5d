"""How long a FOCUS file is judged beside its reading: `python -m tests.focus.judge_speed`."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb

from pipelines.focus.judge import judge
from tests.focus.good_file import write

MANY = (
    "insert into charges select charges.* replace (x_Row || number as x_Row)"
    " from charges, range(140000) as numbers(number)"
)
"""Some 1,000,000 charges."""


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def read(file: Path) -> None:
    with duckdb.connect() as opened:
        opened.execute(f"create table read as from '{file}'")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for form in ("parquet", "csv"):
            file = write(Path(folder) / f"many.{form}", "1.4", MANY)
            reading = min(cpu_seconds(partial(read, file)) for _ in range(3))
            judging = cpu_seconds(partial(judge, file))
            print(
                f"{form}: read {reading:.1f} s, judged {judging:.1f} s, {judging / reading:.1f} ×"
            )


if __name__ == "__main__":
    main()
