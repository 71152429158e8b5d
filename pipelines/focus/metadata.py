"""What stands beside files of FOCUS: who wrote them, their columns, and how whole they are."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

METADATA = "focus-metadata.json"
GENERATOR = "claude-warehouse"


def is_ours(file: Path) -> bool:
    """Whether the file is such metadata of ours."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and str(found.get("DataGenerator", "")).startswith(GENERATOR)


def entry(
    *,
    file: Path,
    dataset: str,
    focus_version: str,
    schema: pa.Schema,
    row_count: int,
    month: date | None = None,
    days: Sequence[Mapping[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    """What is said of one file. `days` are those of its month, each with how it is loaded."""
    found: dict[str, Any] = {
        "File": file.name,
        "Dataset": dataset,
        "FocusVersion": focus_version,
        "CreationDate": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "RowCount": row_count,
    }
    if month:
        found["BillingPeriod"] = f"{month:%Y-%m}"
        found["IsComplete"] = all(day["Status"] in ("loaded", "empty") for day in days)
        found["Days"] = list(days)
    return found | more | {"Schema": [_column(field) for field in schema]}


def _column(field: pa.Field) -> dict[str, Any]:
    found: dict[str, Any] = {"ColumnName": field.name}
    kind = field.type
    if pa.types.is_decimal(kind):
        found |= {
            "DataType": "Decimal",
            "NumericPrecision": kind.precision,
            "NumberScale": kind.scale,
        }
    elif pa.types.is_timestamp(kind):
        found["DataType"] = "Date/Time"
    elif pa.types.is_boolean(kind):
        found["DataType"] = "Boolean"
    elif pa.types.is_integer(kind):
        found["DataType"] = "Integer"
    else:
        found["DataType"] = "String"
    return found


def with_entry(file: Path, new: Mapping[str, Any]) -> str:
    """The metadata's text with this file in it; what it says of other files stays."""
    entries = {}
    if is_ours(file):
        known = json.loads(file.read_text(encoding="utf-8")).get("Files", [])
        entries = {each["File"]: each for each in known if (file.parent / each["File"]).is_file()}
    entries[new["File"]] = new
    found = {
        "DataGenerator": f"{GENERATOR} {version(GENERATOR)}",
        "DeliveryHandling": "Overwrite: a file is complete and replaces the one before it.",
        "CorrectionHandling": (
            "Delta: a closed billing period never changes; what moves in it later stands in the"
            " first open one, with ChargeClass Correction and the difference as cost."
        ),
        "Files": [entries[name] for name in sorted(entries)],
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"
