"""Closes outside the warehouse: small files in the data folder, from which they can come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dlt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.closed_months import CHARGE_COLUMNS, COLUMNS, closed_charges, closed_months
from pipelines.data_dir import DataDir
from pipelines.outputs import replaced
from pipelines.warehouse import warehouse_of
from sources.ledger import COMPLETE, store, stored

LINES, CHARGES = "lines", "charges"


@dataclass(frozen=True, order=True)
class Act:
    """A close, or an undo of one."""

    month: date
    action: str
    closing_id: str

    def file(self, folder: Path, part: str) -> Path:
        return folder / f"{self.month:%Y-%m}_{self.action}_{self.closing_id}.{part}.parquet"


def keep_closes(pipeline: dlt.Pipeline, data_dir: DataDir) -> list[str]:
    """Write each close and undo of the warehouse to files of its own, once, and take back those
    that only the files have; sentences about what was taken back, and what was not."""
    folder = data_dir.closed_months
    in_warehouse = _acts(pipeline)
    notes, in_files = _read(folder, in_warehouse)
    for act in in_warehouse - in_files.keys():
        _write(data_dir, act)
    absent = {act: lines for act, lines in in_files.items() if act not in in_warehouse}
    if absent:
        notes += _take_back(pipeline, folder, in_warehouse, absent)
    return notes


def _acts(pipeline: dlt.Pipeline) -> set[Act]:
    rows = stored(pipeline, "select distinct month, action, closing_id from closed_months")
    return {Act(**row) for row in rows}


def _write(data_dir: DataDir, act: Act) -> None:
    """The lines last: where they are, the close is whole."""
    parts = {LINES: ("closed_months", COLUMNS, f"action = '{act.action}'")}
    if act.action == "closed":
        parts = {CHARGES: ("closed_charges", CHARGE_COLUMNS, "true"), **parts}
    for part, (table, columns, which) in parts.items():
        with warehouse_of(data_dir).read() as warehouse:
            rows = warehouse.batches(
                f"select {', '.join(columns.names)} from claude_raw.{table}"
                f" where closing_id = $closing_id and {which}",
                closing_id=act.closing_id,
            ).read_all()
        with replaced(act.file(data_dir.closed_months, part), "A copy of the close") as file:
            pq.write_table(rows.cast(columns), file, compression="zstd")


def _read(folder: Path, in_warehouse: set[Act]) -> tuple[list[str], dict[Act, pa.Table]]:
    """Notes about what cannot be read, and the lines of each close and undo that has a file."""
    notes: list[str] = []
    found: dict[Act, pa.Table] = {}
    for file in sorted(folder.glob(f"*.{LINES}.parquet")):
        try:
            lines = pq.read_table(file).cast(COLUMNS)
            first = lines.slice(0, 1).to_pylist()[0]
            act = Act(first["month"], first["action"], first["closing_id"])
            if act.action == "closed":
                _charges(folder, act)
        except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as error:
            if not any(file == act.file(folder, LINES) for act in in_warehouse):
                reason = str(error).splitlines()[0]
                notes.append(
                    f"{file} is damaged and was not read: {reason} The warehouse does not have "
                    "this close either. Restore the file from a backup, or move it away."
                )
            continue
        found[act] = lines
    return notes, found


def _charges(folder: Path, act: Act) -> pa.Table:
    return pq.read_table(act.file(folder, CHARGES)).cast(CHARGE_COLUMNS)


def _take_back(
    pipeline: dlt.Pipeline, folder: Path, known: set[Act], absent: Mapping[Act, pa.Table]
) -> list[str]:
    closed = _still_closed(known)
    undone = {act.closing_id for act in {*known, *absent} if act.action == "undone"}
    days = _known_days(pipeline)
    taken: list[Act] = []
    contradicting: list[Act] = []
    unknown: list[Act] = []
    for act, lines in sorted(absent.items()):
        if act.action == "undone":
            # Also of a close that is not there: it must not come back by itself.
            taken.append(act)
        elif act.closing_id in undone:
            taken.append(act)
        elif closed.get(act.month, act.closing_id) != act.closing_id:
            contradicting.append(act)
        elif days.get(act.month, 0) < _covered_days(lines):
            unknown.append(act)
        else:
            taken.append(act)
    if taken:
        charges = [_charges(folder, act) for act in taken if act.action == "closed"]
        store(
            pipeline,
            [
                closed_months(pa.concat_tables([absent[act] for act in taken]).to_pylist()),
                closed_charges(pa.concat_tables([CHARGE_COLUMNS.empty_table(), *charges])),
            ],
        )
    return [
        *_said(
            taken,
            f"The warehouse did not have what was closed or undone of {{months}}. It was taken "
            f"back from {folder}.",
        ),
        *_said(
            contradicting,
            f"{folder} has a close of {{months}} that the warehouse does not have, and the "
            "warehouse has another one, which counts. If that is right, move the files of the "
            "other one away.",
        ),
        *_said(
            unknown,
            f"{folder} has the close of {{months}}, but the warehouse lacks days of its cost, so "
            "it was not taken back. Restore the warehouse, or load the days with "
            "claude-warehouse backfill; the next run takes the close back.",
        ),
    ]


def _still_closed(acts: set[Act]) -> dict[date, str]:
    undone = {act.closing_id for act in acts if act.action == "undone"}
    return {
        act.month: act.closing_id
        for act in acts
        if act.action == "closed" and act.closing_id not in undone
    }


def _known_days(pipeline: dlt.Pipeline) -> dict[date, int]:
    """Days of each month whose cost is loaded."""
    rows = stored(
        pipeline,
        f"""
        select
            cast(date_trunc('month', activity_date) as date) as month,
            count(distinct activity_date) as days
        from loaded_days
        where endpoint in ('costs', 'user_cost_reports') and {COMPLETE}
        group by all
        """,
    )
    return {row["month"]: row["days"] for row in rows}


def _covered_days(lines: pa.Table) -> int:
    """Of how many days the cost was known when the month was closed."""
    own = lines.filter(pc.is_null(lines["corrected_month"]))
    return int(pc.max(own["covered_days"]).as_py() or 0)


def _said(acts: Sequence[Act], sentence: str) -> list[str]:
    months = ", ".join(sorted({f"{act.month:%Y-%m}" for act in acts}))
    return [sentence.format(months=months)] if acts else []
