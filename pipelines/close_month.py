"""Close a month: freeze its lines and charges; what changes later is charged in a later month."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import dlt
import pyarrow as pa

from pipelines.closed_months import CHARGE_COLUMNS, closed_charges, closed_months
from pipelines.data_dir import DataDir
from pipelines.kept_closes import keep_closes
from pipelines.name_keys import store_name_keys
from pipelines.raw_tables import (
    create_absent_tables,
    finish_pending,
    warehouse_pipeline,
)
from pipelines.run import Listener, RunResult, build, transform_variables
from pipelines.warehouse import warehouse_of
from sources.claude_analytics.plan import FIRST_DAY
from sources.errors import ForeseenError
from sources.ledger import store, stored
from sources.session import Clock

BILL = ("+chargeback_reconciliation_monthly", "+chargeback_monthly", "+focus_cost_and_usage")
CHANGED = ("source:claude_raw.closed_months+", "source:claude_raw.closed_charges+")
"""What a close reads, and what a close changes: dbt's selectors."""


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A close that was not undone."""

    closing_id: str
    month: date
    closed_at: datetime


@dataclass
class CloseResult(RunResult):
    """What a close froze, or an undo opened, and how the marts were built after it.

    Attributes:
        bill: US dollars of the month by cost pool; None where they are not known.
    """

    bill: Mapping[str, Decimal | None] | None = None
    line_count: int = 0


def next_month(month: date) -> date:
    """First day of the month after it."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def close_month(
    data_dir: DataDir,
    clock: Clock,
    month: date,
    *,
    force: bool = False,
    listener: Listener | None = None,
    ranges: Callable[[Sequence[date]], str] = lambda days: ", ".join(map(str, days)),
) -> CloseResult:
    """Freeze the month's lines, bill and charges as they are now, build what that changes; publish.

    The rows of a close are one load: a killed one is finished by the next command, or never was.
    The caller holds the warehouse.

    Raises:
        ForeseenError: The month cannot be closed; the message says why.
    """
    listener = listener or Listener()
    pipeline = warehouse_pipeline(data_dir)
    finish_pending(pipeline)
    create_absent_tables(pipeline)
    result = CloseResult(notes=keep_closes(pipeline, data_dir))
    _refuse_unless_next(_closings(pipeline), month, clock.today)
    store_name_keys(pipeline)
    listener.on_stage("transform")
    built = warehouse_of(data_dir).build(transform_variables(), BILL)
    if built.failed_tests:
        names = ", ".join(test.name for test in built.failed_tests)
        raise ForeseenError(
            f"{month:%Y-%m} was not closed: tests of its marts failed ({names}).\n"
            "A close freezes numbers, and these would be wrong.\n"
            "Run: claude-warehouse transform (it says what each of them means)."
        )
    if not force:
        _refuse_unless_settled(data_dir, month, ranges)
    records = _records(data_dir, month)
    closing: dict[str, Any] = {
        "closing_id": uuid4().hex,
        "action": "closed",
        "month": month,
        "closed_at": clock.now,
    }
    lines = [
        {**record, **closing, "line_number": number}
        for number, record in enumerate([{"record_type": "close"}, *records])
    ]
    charges = _charges(data_dir, month, closing["closing_id"])
    store(pipeline, [closed_months(lines), closed_charges(charges)])
    result.line_count = sum(record["record_type"] == "line" for record in records)
    result.bill = {
        record["cost_pool"]: record["amount_usd"]
        for record in records
        if record["record_type"] == "bill"
    }
    build(data_dir, result, listener, CHANGED)
    return result


def undo_close(
    data_dir: DataDir, clock: Clock, month: date, *, listener: Listener | None = None
) -> CloseResult:
    """Open the month again, if nothing was closed after it, then build what that changes; publish.

    The caller holds the warehouse.

    Raises:
        ForeseenError: The month is not closed, or not the last one that is.
    """
    pipeline = warehouse_pipeline(data_dir)
    finish_pending(pipeline)
    create_absent_tables(pipeline)
    result = CloseResult(notes=keep_closes(pipeline, data_dir))
    closings = _closings(pipeline)
    if month not in closings:
        raise ForeseenError(
            f"{month:%Y-%m} is not closed, so there is nothing to undo.\n"
            f"Closed are: {_listed(closings)}.\n"
            "Check the month."
        )
    newest = max(closings)
    if newest != month:
        raise ForeseenError(
            f"{month:%Y-%m} stays closed: {newest:%Y-%m} was closed after it.\n"
            f"What changed in {month:%Y-%m} since is charged in a month that is closed too.\n"
            f"Undo the later ones first: claude-warehouse close-month {newest:%Y-%m} --undo"
        )
    undone = {
        "closing_id": closings[month].closing_id,
        "line_number": 0,
        "action": "undone",
        "record_type": "undo",
        "month": month,
        "closed_at": clock.now,
    }
    store(pipeline, closed_months([undone]))
    build(data_dir, result, listener or Listener(), (*BILL, *CHANGED))
    return result


def _rows(data_dir: DataDir, query: str, **values: Any) -> list[dict[str, Any]]:
    with warehouse_of(data_dir).read() as warehouse:
        return warehouse.rows(query, **values)


def _closings(pipeline: dlt.Pipeline) -> dict[date, Closing]:
    rows = stored(
        pipeline,
        """
        select distinct
            closing_id, month, cast(closed_at at time zone 'UTC' as timestamp) as closed_at
        from closed_months
        where
            action = 'closed'
            and closing_id not in (
                select closing_id from closed_months where action = 'undone'
            )
        """,
    )
    return {row["month"]: Closing(**row) for row in rows}


def _refuse_unless_next(closings: Mapping[date, Closing], month: date, today: date) -> None:
    if month in closings:
        raise ForeseenError(
            f"{month:%Y-%m} is closed already, since {closings[month].closed_at} UTC.\n"
            "A closed month stays as it is; what changes in it is charged in the month after.\n"
            f"To open it again: claude-warehouse close-month {month:%Y-%m} --undo. "
            "If the marts do not show the close: claude-warehouse transform"
        )
    if month < FIRST_DAY:
        raise ForeseenError(
            f"{month:%Y-%m} cannot be closed: the API has no day before {FIRST_DAY}.\n"
            "There is no bill of it.\n"
            f"The first month to close is {FIRST_DAY:%Y-%m} or a later one."
        )
    if today < next_month(month):
        raise ForeseenError(
            f"{month:%Y-%m} is not over yet: today is {today}.\n"
            "Only a whole month can be closed, and its cost may change until "
            f"{next_month(month) + timedelta(days=29)}.\n"
            "Close it after that day."
        )
    if not closings:
        return
    newest = max(closings)
    if month < newest:
        raise ForeseenError(
            f"{month:%Y-%m} cannot be closed any more: {newest:%Y-%m} is closed.\n"
            "Months are closed one after the other; closed are: "
            f"{_listed(closings)}.\n"
            f"To close it, undo the later ones first: "
            f"claude-warehouse close-month {newest:%Y-%m} --undo"
        )
    if month != next_month(newest):
        raise ForeseenError(
            f"{month:%Y-%m} cannot be closed yet: {next_month(newest):%Y-%m} is open.\n"
            f"Months are closed one after the other, and the last closed one is {newest:%Y-%m}.\n"
            f"Run: claude-warehouse close-month {next_month(newest):%Y-%m}"
        )


def _refuse_unless_settled(
    data_dir: DataDir, month: date, ranges: Callable[[Sequence[date]], str]
) -> None:
    found = {
        row["activity_date"]: row
        for row in _rows(
            data_dir,
            """
            select activity_date, is_cost_loaded, is_cost_settled
            from claude_staging.int_spend_days
            where activity_date >= $first and activity_date < $after
            """,
            first=month,
            after=next_month(month),
        )
    }
    days = [month + timedelta(days=day) for day in range((next_month(month) - month).days)]
    missing = [day for day in days if day not in found or not found[day]["is_cost_loaded"]]
    unsettled = [day for day in days if day not in missing and not found[day]["is_cost_settled"]]
    reasons = []
    if missing:
        reasons.append(f"Cost is not loaded for {ranges(missing)}.")
    if unsettled:
        reasons.append(
            f"Cost may still have changed after it was fetched, for {ranges(unsettled)}: "
            "a day settles 30 days later."
        )
    reasons += [
        f"{row['note']}. Add them, or a default, to [sources.reference_files] seat_prices."
        for row in _rows(
            data_dir,
            """
            select note from claude_marts.chargeback_reconciliation_monthly
            where month = $month and billed_usd is null
            """,
            month=month,
        )
    ]
    if reasons:
        raise ForeseenError(
            f"{month:%Y-%m} was not closed: its bill is not final.\n"
            + "\n".join(reasons)
            + f"\nRun claude-warehouse sync on or after {next_month(month) + timedelta(days=29)}, "
            "then close it; or close it as it is, with --force."
        )


def _records(data_dir: DataDir, month: date) -> list[dict[str, Any]]:
    lines = _rows(
        data_dir,
        """
        select
            'line' as record_type, corrected_month, cost_center, department, cost_pool,
            allocation_method, seat_count, active_user_count, covered_days, amount_usd,
            list_price_usd, is_settled
        from claude_marts.chargeback_monthly
        where month = $month
        order by cost_pool, department, cost_center, corrected_month
        """,
        month=month,
    )
    bill = _rows(
        data_dir,
        """
        select 'bill' as record_type, cost_pool, billed_usd as amount_usd, covered_days, is_settled
        from claude_marts.chargeback_reconciliation_monthly
        where month = $month
        order by cost_pool
        """,
        month=month,
    )
    return lines + bill


def _charges(data_dir: DataDir, month: date, closing_id: str) -> pa.Table:
    """The month's charges as columns: there may be millions."""
    names = [name for name in CHARGE_COLUMNS.names if name not in ("closing_id", "charge_number")]
    query = f"""
        select
            $closing_id as closing_id,
            row_number() over (order by {", ".join(names)}) as charge_number,
            {", ".join(names)}
        from claude_staging.int_billed_charges
        where month = $month
    """
    with warehouse_of(data_dir).read() as warehouse:
        found = warehouse.batches(query, closing_id=closing_id, month=month)
        charges = found.read_all().cast(CHARGE_COLUMNS)
    mark = {"closing_id": closing_id, "charge_number": 0, "month": month}
    return pa.concat_tables([charges, pa.Table.from_pylist([mark], schema=CHARGE_COLUMNS)])


def _listed(closings: Mapping[date, Closing]) -> str:
    return ", ".join(f"{month:%Y-%m}" for month in sorted(closings)) or "none"
