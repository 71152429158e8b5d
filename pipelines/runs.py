"""The raw table of runs: what each one did and how it ended. Rows are only ever added."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import dlt

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, INTERRUPTED, REJECTED, TERMINATED
from sources.hints import typed_columns
from sources.ledger import COUNTS, store, stored

RUNNING, KILLED = "running", "killed"
OUTCOMES = {
    DONE: "done",
    FAILED: "failed",
    REJECTED: "rejected rows",
    INTERRUPTED: "stopped",
    TERMINATED: "stopped",
}
"""Exit code -> outcome. A run that has none is running, or was killed if another has begun."""

Run = dict[str, Any]


def outcome(exit_code: int | None) -> str:
    return RUNNING if exit_code is None else OUTCOMES.get(exit_code, "failed")


@dlt.resource(
    name="runs",
    write_disposition="append",
    columns=typed_columns(
        run_id="text",
        command="text",
        as_of_date="date",
        started_at="timestamp",
        ended_at="timestamp",
        outcome="text",
        exit_code="bigint",
        request_count="bigint",
        wait_seconds="bigint",
        retry_count="bigint",
        day_count="bigint",
        row_count="bigint",
        revision_count="bigint",
        problem_count="bigint",
        version="text",
    ),
)
def runs(rows: Sequence[Mapping[str, Any]] = ()) -> Iterator[Any]:
    """One row per run and state that was noted of it: under way, and how it ended."""
    yield dlt.mark.materialize_table_schema()
    yield [dict(row) for row in rows]


def note(data_dir: DataDir, run: Run) -> None:
    """Write down how a run stands, until the warehouse has it; a kill loses no earlier line."""
    handle = os.open(data_dir.runs, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as journal:
        journal.write(json.dumps(run) + "\n")
        journal.flush()
        os.fsync(journal.fileno())


def store_runs(pipeline: dlt.Pipeline, data_dir: DataDir, current: str) -> None:
    """Add what is noted of runs and not in the warehouse yet."""
    if noted := noted_runs(data_dir, current):
        store(pipeline, noted)
        forget_noted(data_dir)


def noted_runs(data_dir: DataDir, current: str) -> list[Any]:
    """What is noted of runs and not in the warehouse yet, to be stored; nothing if there is none.

    The caller holds the warehouse, so that any other run which has not ended was killed.
    """
    noted = _noted(data_dir)
    for run_id, run in noted.items():
        if run["outcome"] == RUNNING and run_id != current:
            run["outcome"] = KILLED
    return [runs([_typed(run) for run in noted.values()])] if noted else []


def forget_noted(data_dir: DataDir) -> None:
    """The warehouse has what was noted; what goes on is noted again when it ends."""
    data_dir.runs.unlink(missing_ok=True)


def revision_count(pipeline: dlt.Pipeline, since: str) -> int:
    """Days that came with other rows than before, in the loads since that moment."""
    [row] = stored(
        pipeline,
        f"""
        with

        fetches as (
            select
                _dlt_load_id,
                rows_hash,
                lag(rows_hash) over (
                    partition by organization_id, endpoint, activity_date
                    order by fetch_number
                ) as rows_hash_before
            from loaded_days
            where {COUNTS}
        )

        select count(*) as revisions
        from fetches
        inner join _dlt_loads on fetches._dlt_load_id = _dlt_loads.load_id
        where
            fetches.rows_hash <> fetches.rows_hash_before
            and _dlt_loads.inserted_at >= timestamp with time zone '{since}'
        """,
    ) or [{"revisions": 0}]
    return int(row["revisions"])


def _noted(data_dir: DataDir) -> dict[str, Run]:
    """The newest line of each run; a line that a kill cut off is passed over."""
    noted: dict[str, Run] = {}
    with suppress(OSError):
        for line in data_dir.runs.read_text("utf-8", errors="replace").splitlines():
            with suppress(ValueError, TypeError, KeyError):
                run = json.loads(line)
                _typed(run)
                noted[run["run_id"]] = run
    return noted


def _typed(run: Run) -> Run:
    moments = {
        name: datetime.fromisoformat(run[name]) if run[name] else None
        for name in ("started_at", "ended_at")
    }
    return {**run, **moments, "as_of_date": datetime.fromisoformat(run["as_of_date"]).date()}
