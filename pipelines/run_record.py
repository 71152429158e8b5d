"""The record of the last run, which `status`, chat and report read: begun, and how it ended."""

import json
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.data_dir import DataDir
from sources.session import Clock

if TYPE_CHECKING:
    from pipelines.run import RunResult

STOPPED = "It was stopped before its end; the next run goes on from there."
MOMENTS = ("run_at", "began_at", "ended_at")
EXPECTED: dict[str, tuple[type | None, ...]] = {
    "command": (str,),
    "run_at": (str,),
    "problems": (list,),
    "exit_code": (int, None),
    "ended_at": (str, None),
    "seconds": (int, float, None),
}
"""What a record has at least, and of which kind; one without them is damaged."""


class RunRecord:
    """One run's record. Written when the run begins, so that a killed one is known, and replaced
    whenever more is known of its end: the last exit code is the process's own."""

    def __init__(self, data_dir: DataDir, command: str, clock: Clock) -> None:
        self._file = data_dir.last_run
        self._started = time.monotonic()
        self._record: dict[str, Any] = {
            "command": command,
            "run_at": clock.now.isoformat(),
            "began_at": _now(),
            "ended_at": None,
            "seconds": None,
            "exit_code": None,
            "requests": 0,
            "days": 0,
            "rows": 0,
            "problems": [],
            "warnings": [],
        }

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def begin(self) -> None:
        self._write()

    def end(self, exit_code: int, problems: list[str], result: "RunResult | None" = None) -> None:
        """Write down how the run ended, as far as is known by now."""
        self._record |= {
            "ended_at": _now(),
            "seconds": round(self.seconds, 1),
            "exit_code": exit_code,
            "problems": problems,
        }
        if result and result.clock:
            self._record["run_at"] = result.clock.now.isoformat()
        by_day = [each for each in result.sources.values() if each.unit == "day"] if result else []
        for report in by_day:
            self._record |= {
                "requests": report.request_count,
                "days": report.unit_count,
                "rows": report.row_count,
            }
        if result and result.transform:
            self._record["warnings"] = [asdict(test) for test in result.transform.warnings]
        self._write()

    def _write(self) -> None:
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_text(json.dumps(self._record, indent=2), encoding="utf-8")
        os.replace(new, self._file)


def last_run(data_dir: DataDir) -> dict[str, Any] | None:
    """The record of the last run that loaded or built anything; None if there is none to read.

    `exit_code` and `ended_at` are None for a run that is under way or was killed.
    """
    run = _read(data_dir.last_run)
    return {"began_at": run["run_at"], "warnings": [], **run} if run and _is_whole(run) else None


def _is_whole(run: dict[str, Any]) -> bool:
    try:
        for name in MOMENTS:
            if run.get(name) is not None:
                datetime.fromisoformat(run[name])
    except (TypeError, ValueError):
        return False
    return (
        all(
            name in run and (None if run[name] is None else type(run[name])) in kinds
            for name, kinds in EXPECTED.items()
        )
        and all(isinstance(problem, str) for problem in run["problems"])
        and isinstance(run.get("warnings", []), list)
        and all(isinstance(warning, dict) for warning in run.get("warnings", []))
    )


def is_damaged(data_dir: DataDir) -> bool:
    """Whether there is a record that cannot be read; the next run makes it anew."""
    return data_dir.last_run.exists() and last_run(data_dir) is None


def _read(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
