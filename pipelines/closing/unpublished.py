"""What reference files said when the marts were published last, kept until they are again.

A run that ends between loading and publishing leaves it to the next one, which then knows what it
moves."""

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pipelines.data_dir import DataDir
from pipelines.files.outputs import replaced

Rows = Sequence[Mapping[str, Any]]


def keep(data_dir: DataDir, table: str, rows: Rows) -> None:
    """Keep the rows that others replace, unless older ones wait."""
    file = data_dir.unpublished / f"{table}.json"
    if file.exists():
        return
    data_dir.unpublished.mkdir(exist_ok=True)
    with replaced(file, "What a reference file said before") as new:
        new.write_text(json.dumps([{**row} for row in rows], default=_text), encoding="utf-8")


def kept(data_dir: DataDir) -> dict[str, Rows]:
    """Table -> rows that are published. One that was cut short is as if it were not there."""
    found: dict[str, Rows] = {}
    for file in sorted(data_dir.unpublished.glob("*.json")):
        try:
            found[file.stem] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            continue
    return found


def forget(data_dir: DataDir) -> None:
    """What is loaded is published."""
    shutil.rmtree(data_dir.unpublished, ignore_errors=True)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
