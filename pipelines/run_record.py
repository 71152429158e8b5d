"""The record of how a run ended, which `status`, chat and report read."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipelines.data_dir import DataDir
from sources.session import Clock

if TYPE_CHECKING:
    from pipelines.run import RunResult


def record(
    data_dir: DataDir,
    command: str,
    clock: Clock,
    started: float,
    exit_code: int,
    result: "RunResult",
) -> None:
    """Write down how the run ended, for `status`."""
    ended = {
        "command": command,
        "run_at": clock.now.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
        "exit_code": exit_code,
        "requests": result.load.request_count if result.load else 0,
        "days": result.load.day_count if result.load else 0,
        "rows": result.load.row_count if result.load else 0,
        "problems": result.problems,
        "warnings": [asdict(test) for test in result.transform.warnings]
        if result.transform
        else [],
    }
    data_dir.last_run.write_text(json.dumps(ended, indent=2))


def last_run(data_dir: DataDir) -> dict[str, Any] | None:
    """The record of the last run that loaded or built anything."""
    try:
        run: dict[str, Any] = json.loads(data_dir.last_run.read_text())
    except (OSError, ValueError):
        return None
    return run
