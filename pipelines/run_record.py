"""The record of the last run, which `status`, chat and report read: begun, and how it ended."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipelines.data_dir import DataDir, write_private
from pipelines.runs import note, outcome
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
COUNTS = ("requests", "waited_seconds", "retries", "days", "rows", "revisions")
ADDED: dict[str, type] = {"run_id": str, "version": str, **dict.fromkeys(COUNTS, int)}
"""What a record of today has too, and an earlier release's may lack."""


class RunRecord:
    """One run's record. Written when the run begins, so that a killed one is known, and replaced
    whenever more is known of its end: the last exit code is the process's own."""

    def __init__(self, data_dir: DataDir, command: str, clock: Clock) -> None:
        self._data_dir, self._file = data_dir, data_dir.last_run
        self._started = time.monotonic()
        began = datetime.now(UTC)
        self.id = f"{began:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"
        self._record: dict[str, Any] = {
            "run_id": self.id,
            "command": command,
            "version": version("claude-warehouse"),
            "run_at": clock.now.isoformat(),
            "began_at": began.isoformat(timespec="milliseconds"),
            "ended_at": None,
            "seconds": None,
            "exit_code": None,
            "requests": 0,
            "waited_seconds": 0,
            "retries": 0,
            "days": 0,
            "rows": 0,
            "revisions": 0,
            "problems": [],
            "warnings": [],
            # A run that does not look leaves them as they are.
            "doubts": (last_run(data_dir) or {}).get("doubts", []),
        }

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def begin(self) -> None:
        self._write()

    def loaded(self, result: "RunResult") -> None:
        """Write down what was loaded, before anything is built of it."""
        self._count(result)
        self._record["problems"] = result.problems
        self._write()

    def end(self, exit_code: int, problems: list[str], result: "RunResult | None" = None) -> None:
        """Write down how the run ended, as far as is known by now."""
        self._record |= {
            "ended_at": _now(),
            "seconds": round(self.seconds, 1),
            "exit_code": exit_code,
            "problems": problems,
        }
        if result:
            self._count(result)
        if result and result.doubts is not None:
            self._record["doubts"] = [each.text for each in result.doubts]
        if result and result.transform:
            self._record["warnings"] = [asdict(test) for test in result.transform.warnings]
        self._write()

    def _count(self, result: "RunResult") -> None:
        if result.clock:
            self._record["run_at"] = result.clock.now.isoformat()
        reports = result.sources.values()
        self._record |= {
            "requests": sum(budget.request_count for budget in result.budgets),
            "waited_seconds": round(sum(budget.waited_seconds for budget in result.budgets)),
            "retries": sum(budget.retry_count for budget in result.budgets),
            "days": sum(each.unit_count for each in reports if each.unit == "day"),
            "rows": sum(each.row_count for each in reports),
            "revisions": result.revision_count,
        }

    def _write(self) -> None:
        write_private(self._file, json.dumps(self._record, indent=2))
        note(self._data_dir, self.facts)

    @property
    def facts(self) -> dict[str, Any]:
        """The run as the table of runs has it."""
        now = self._record
        return {
            "run_id": self.id,
            "command": now["command"],
            "as_of_date": now["run_at"],
            "started_at": now["began_at"],
            "ended_at": now["ended_at"],
            "outcome": outcome(now["exit_code"]),
            "exit_code": now["exit_code"],
            "request_count": now["requests"],
            "wait_seconds": now["waited_seconds"],
            "retry_count": now["retries"],
            "day_count": now["days"],
            "row_count": now["rows"],
            "revision_count": now["revisions"],
            "problem_count": len(now["problems"]),
            "version": now["version"],
        }


def last_run(data_dir: DataDir) -> dict[str, Any] | None:
    """The record of the last run that loaded or built anything; None if there is none to read.

    `exit_code` and `ended_at` are None for a run that is under way or was killed.
    """
    run = _read(data_dir.last_run)
    added: dict[str, list[Any]] = {"warnings": [], "doubts": []}
    return {"began_at": run["run_at"], **added, **run} if run and _is_whole(run) else None


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
        and all(type(run[name]) is kind for name, kind in ADDED.items() if name in run)
        and all(isinstance(problem, str) for problem in run["problems"])
        and all(isinstance(run.get(name, []), list) for name in ("warnings", "doubts"))
        and all(isinstance(doubt, str) for doubt in run.get("doubts", []))
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
    return datetime.now(UTC).isoformat(timespec="milliseconds")
