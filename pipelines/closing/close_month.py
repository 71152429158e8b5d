"""Close a month: freeze its lines, charges and what they were made with; what changes later is
charged in a later month."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pyarrow as pa

from pipelines.closing.closed_months import (
    CHARGE_COLUMNS,
    SETTING_COLUMNS,
    closed_charges,
    closed_months,
    closed_settings,
    month_invoices,
)
from pipelines.closing.closings import Closing, closings, is_over, newest_answer, next_month
from pipelines.closing.kept_closes import keep_closes
from pipelines.data_dir import DataDir
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import (
    create_absent_tables,
    make_ready,
    warehouse_pipeline,
)
from pipelines.run import Listener, RunResult, build, looked_up
from pipelines.warehouse import warehouse_of
from sources.days import FIRST_DAY
from sources.errors import ForeseenError
from sources.ledger import store
from sources.session import Clock

BILL = ("+chargeback_reconciliation_monthly", "+chargeback_monthly", "+focus_cost_and_usage")
"""What a close reads: dbt's selectors."""


@dataclass(frozen=True)
class Invoice:
    """What bills a month, and its line that the charges are on."""

    invoice_id: str
    detail_id: str

    @classmethod
    def named(cls, invoice_id: str | None, detail_id: str | None) -> "Invoice | None":
        """What somebody called them; an invoice without another word is its own line."""
        if not invoice_id:
            return None
        return cls(invoice_id.strip(), (detail_id or invoice_id).strip())

    def row(self, month: date, now: datetime) -> dict[str, Any]:
        return {
            "month": month,
            "invoice_id": self.invoice_id,
            "invoice_detail_id": self.detail_id,
            "named_at": now,
        }


@dataclass
class CloseResult(RunResult):
    """What a close froze, or an undo opened, and how the marts were built after it.

    Attributes:
        bill: US dollars of the month by cost pool; None where they are not known.
        invoice: The one that was named.
    """

    bill: Mapping[str, Decimal | None] | None = None
    line_count: int = 0
    invoice: Invoice | None = None


def close_month(
    data_dir: DataDir,
    clock: Clock,
    month: date,
    *,
    force: bool = False,
    invoice: Invoice | None = None,
    listener: Listener | None = None,
    ranges: Callable[[Sequence[date]], str] = lambda days: ", ".join(map(str, days)),
) -> CloseResult:
    """Freeze the month's lines, bill and charges as they are now, build what that changes; publish.

    The rows of a close are one load: a killed one is finished by the next command, or never was.
    A month that is closed takes the name of its invoice, and nothing else. The caller holds the
    warehouse.

    Raises:
        ForeseenError: The month cannot be closed; the message says why.
    """
    listener = listener or Listener()
    pipeline = warehouse_pipeline(data_dir)
    make_ready(pipeline)
    create_absent_tables(pipeline)
    result = CloseResult(notes=keep_closes(pipeline, data_dir))
    closed = closings(pipeline)
    if invoice and month in closed:
        store(pipeline, month_invoices([invoice.row(month, clock.now)]))
        result.invoice = invoice
        build(data_dir, result, listener)
        return result
    _refuse_unless_next(closed, month, clock.today)
    _refuse_unless_over(month, clock, newest_answer(pipeline))
    store_name_keys(pipeline)
    listener.on_stage("transform")
    built = warehouse_of(data_dir).build(looked_up(pipeline, result).variables, BILL)
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
    kept = _settings(data_dir, month, closing["closing_id"])
    stored_rows = [closed_months(lines), closed_charges(charges), closed_settings(kept)]
    if invoice:
        stored_rows.append(month_invoices([invoice.row(month, clock.now)]))
        result.invoice = invoice
    store(pipeline, stored_rows)
    result.line_count = sum(record["record_type"] == "line" for record in records)
    result.bill = {
        record["cost_pool"]: record["amount_usd"]
        for record in records
        if record["record_type"] == "bill"
    }
    build(data_dir, result, listener)
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
    make_ready(pipeline)
    create_absent_tables(pipeline)
    result = CloseResult(notes=keep_closes(pipeline, data_dir))
    closed = closings(pipeline)
    if month not in closed:
        raise ForeseenError(
            f"{month:%Y-%m} is not closed, so there is nothing to undo.\n"
            f"Closed are: {_listed(closed)}.\n"
            "Check the month."
        )
    newest = max(closed)
    if newest != month:
        raise ForeseenError(
            f"{month:%Y-%m} stays closed: {newest:%Y-%m} was closed after it.\n"
            f"What changed in {month:%Y-%m} since is charged in a month that is closed too.\n"
            f"Undo the later ones first: claude-warehouse close-month {newest:%Y-%m} --undo"
        )
    undone = {
        "closing_id": closed[month].closing_id,
        "line_number": 0,
        "action": "undone",
        "record_type": "undo",
        "month": month,
        "closed_at": clock.now,
    }
    store(pipeline, closed_months([undone]))
    build(data_dir, result, listener or Listener())
    return result


def _rows(data_dir: DataDir, query: str, **values: Any) -> list[dict[str, Any]]:
    with warehouse_of(data_dir).read() as warehouse:
        return warehouse.rows(query, **values)


def _refuse_unless_next(closed: Mapping[date, Closing], month: date, today: date) -> None:
    if month in closed:
        raise ForeseenError(
            f"{month:%Y-%m} is closed already, since {closed[month].closed_at} UTC.\n"
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
    if not closed:
        return
    newest = max(closed)
    if month < newest:
        raise ForeseenError(
            f"{month:%Y-%m} cannot be closed any more: {newest:%Y-%m} is closed.\n"
            "Months are closed one after the other; closed are: "
            f"{_listed(closed)}.\n"
            f"To close it, undo the later ones first: "
            f"claude-warehouse close-month {newest:%Y-%m} --undo"
        )
    if month != next_month(newest):
        raise ForeseenError(
            f"{month:%Y-%m} cannot be closed yet: {next_month(newest):%Y-%m} is open.\n"
            f"Months are closed one after the other, and the last closed one is {newest:%Y-%m}.\n"
            f"Run: claude-warehouse close-month {next_month(newest):%Y-%m}"
        )


def _refuse_unless_over(month: date, clock: Clock, answered: datetime | None) -> None:
    """A clock may be ahead; an answer of an API is not, and tells the time."""
    if answered is None or is_over(month, answered):
        return
    by = f"--today is {clock.today}" if clock.is_set else f"this machine's clock says {clock.today}"
    raise ForeseenError(
        f"{month:%Y-%m} was not closed: only {by}, and no API has answered since it ended.\n"
        f"The newest answer in this warehouse is of {answered:%Y-%m-%d %H:%M} UTC. The clock may "
        "be ahead, and a month is closed when it is over by an API's own time.\n"
        "Run: claude-warehouse sync (it asks for the time, too), then close it."
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


def _settings(data_dir: DataDir, month: date, closing_id: str) -> pa.Table:
    """What the month's bill is made with; prices and shares where they decide something."""
    query = """
        with

        settings as (
            select * from claude_staging.int_chargeback_settings where month = $month
        )

        select 'chargeback_metered_policy' as setting, metered_policy as setting_value,
            cast(null as varchar) as setting_name, cast(null as varchar) as department,
            cast(null as varchar) as cost_center, cast(null as date) as valid_from
        from settings
        union all
        select 'chargeback_policy', seats_policy, null, null, null, null from settings
        union all
        select 'chargeback_shared_policy', shared_policy, null, null, null, null from settings
        union all
        select 'chargeback_console_keys', 'owner', null, null, null, null
        from settings where is_console_key_charged
        union all
        select 'chargeback_cost_centers_from', cost_centers_from, null, null, null, null
        from settings
        union all
        select 'chargeback_monthly_amount_usd',
            coalesce(cast(monthly_amount_usd as varchar), ''), null, null, null, null
        from settings
        union all
        select 'seat_price', cast(usd_per_month as varchar), seat_tier, null, null, valid_from_date
        from claude_staging.int_billed_price_periods
        where
            closed_month is null
            and valid_from_date < $after
            and valid_until_date > $month
            -- A price that was missing may still be added.
            and exists (
                select 1 from claude_staging.int_seat_fees_monthly
                where month = $month and billed_usd is not null
            )
        union all
        select 'fixed_share', cast(percentage as varchar), cost_pool, department, cost_center, null
        from claude_staging.stg_fixed_shares
        where
            (cost_pool = 'metered' and 'fixed' in (select metered_policy from settings))
            or (cost_pool = 'seats' and 'fixed' in (select seats_policy from settings))
            or (cost_pool = 'shared' and 'fixed' in (select shared_policy from settings))
    """
    rows = _rows(data_dir, query, month=month, after=next_month(month))
    marks = {"closing_id": closing_id, "month": month}
    return pa.Table.from_pylist([{**row, **marks} for row in rows], schema=SETTING_COLUMNS)


def _listed(closed: Mapping[date, Closing]) -> str:
    return ", ".join(f"{month:%Y-%m}" for month in sorted(closed)) or "none"
