"""The official validator (PyPI: focus-validator), in an environment of its own: it needs another
Python and other versions than ours. `make focus-validator` installs it.

Its exit code is 0 whatever fails, and it skips most of its rules: what counts is how many passed,
failed and were skipped, and which failed.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

PLACE = Path(__file__).parents[2] / ".venv-focus"


@dataclass(frozen=True)
class Counts:
    """Rules that passed, failed and were skipped, and the names of those that failed."""

    passed: int
    failed: int
    skipped: int
    names: tuple[str, ...] = ()


def is_installed() -> bool:
    return (PLACE / "bin/focus-validator").exists()


def validated(file: Path, version: str) -> Counts:
    """What it says of the file. It finds its list of currencies in its own folder alone."""
    [package] = PLACE.glob("lib/python3.*/site-packages")
    answer = subprocess.run(
        [
            str(PLACE / "bin/focus-validator"),
            *("--data-file", str(file.resolve()), "--validate-version", version),
            "--block-download",
        ],
        cwd=package,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Pass: (\d+) \| Fail: (\d+) \| Skipped: (\d+)", answer.stdout)
    assert found, answer.stdout[-2_000:] + answer.stderr[-2_000:]
    passed, failed, skipped = map(int, found.groups())
    names = sorted(set(re.findall(r"^- ([\w-]+): violations=", answer.stdout, re.MULTILINE)))
    return Counts(passed, failed, skipped, tuple(names))
