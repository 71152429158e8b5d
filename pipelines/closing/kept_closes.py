"""Closes outside the warehouse: small files in the data folder, from which they can come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dlt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.closing.closed_months import (
    CHARGE_COLUMNS,
    COLUMNS,
    SETTING_COLUMNS,
    closed_charges,
    closed_months,
    closed_settings,
    with_columns,
)
from pipelines.data_dir import DataDir
from pipelines.files.outputs import replaced
from pipelines.warehouse import warehouse_of
from sources.ledger import COUNTS, store, stored

LINES, CHARGES, SETTINGS = "lines", "charges", "settings"


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
        parts = {
            CHARGES: ("closed_charges", CHARGE_COLUMNS, "true"),
            SETTINGS: ("closed_settings", SETTING_COLUMNS, "true"),
            **parts,
        }
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
        at = file
        try:
            lines = pq.read_table(at).cast(COLUMNS)
            first = lines.slice(0, 1).to_pylist()[0]
            act = Act(first["month"], first["action"], first["closing_id"])
            if act.action == "closed":
                at = act.file(folder, CHARGES)
                _charges(folder, act)
                at = act.file(folder, SETTINGS)
                _settings(folder, act)
                if act in in_warehouse and not at.exists():
                    continue  # It is written anew, with the others.
        except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as error:
            if not any(file == act.file(folder, LINES) for act in in_warehouse):
                reason = str(error).splitlines()[0]
                notes.append(
                    f"{at} is damaged, or gone, and was not read: {reason} The warehouse does not "
                    "have this close either. Restore the file from a backup, or move away all "
                    "files of the close."
                )
            continue
        found[act] = lines
    return notes, found


def _charges(folder: Path, act: Act) -> pa.Table:
    return with_columns(pq.read_table(act.file(folder, CHARGES)), CHARGE_COLUMNS)


def _settings(folder: Path, act: Act) -> pa.Table:
    """None of a close from before they were kept."""
    file = act.file(folder, SETTINGS)
    return (
        pq.read_table(file).cast(SETTING_COLUMNS)
        if file.exists()
        else SETTING_COLUMNS.empty_table()
    )


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
        closes = [act for act in taken if act.action == "closed"]
        charges = [_charges(folder, act) for act in closes]
        settings = [_settings(folder, act) for act in closes]
        store(
            pipeline,
            [
                closed_months(pa.concat_tables([absent[act] for act in taken]).to_pylist()),
                closed_charges(pa.concat_tables([CHARGE_COLUMNS.empty_table(), *charges])),
                closed_settings(pa.concat_tables([SETTING_COLUMNS.empty_table(), *settings])),
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
        where endpoint in ('costs', 'user_cost_reports') and {COUNTS}
        group by cast(date_trunc('month', activity_date) as date)
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
