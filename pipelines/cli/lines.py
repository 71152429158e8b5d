"""What a run says as lines of JSON, for whoever collects logs: one object a line, on stderr."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from pipelines import stopping
from pipelines.redacted import redacted

LEVELS = {"red": "error", "yellow": "warning"}
"""Color in which a screen shows a text -> level of its line."""

_run: dict[str, str] = {}


def use(run_id: str, command: str) -> None:
    """From now on, this run says everything that way."""
    _run.update(run_id=run_id, command=command)
    stopping.say_as(lambda text: line("warning", text))


def leave() -> None:
    """Plain texts from now on."""
    _run.clear()
    stopping.say_as(str)


def are_used() -> bool:
    return bool(_run)


def line(level: str, message: str, **facts: Any) -> str:
    """The text as a line; keys and addresses of people are in none."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    said = {"time": moment, "level": level, **_run, "message": redacted(message.strip()), **facts}
    return json.dumps(said, ensure_ascii=False, default=str)


def write(level: str, message: str, **facts: Any) -> None:
    sys.stderr.write(line(level, message, **facts) + "\n")
    sys.stderr.flush()
