"""Which months are closed, and whether any API's answer lies after their end."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import dlt

from sources.ledger import COMPLETE, stored

ANSWERED = {
    "loaded_days": "fetched_at",
    "roster_snapshots": "snapshot_at",
    "activity_windows": "read_at",
}
"""Ledgers whose moments are never later than the time that the API told with its answer."""


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A close that was not undone."""

    closing_id: str
    month: date
    closed_at: datetime


def next_month(month: date) -> date:
    """First day of the month after it."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def closings(pipeline: dlt.Pipeline) -> dict[date, Closing]:
    """The closed months; `closed_at` is UTC, without a zone."""
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


def newest_answer(pipeline: dlt.Pipeline) -> datetime | None:
    """What time it was, in UTC, when an API last answered; None if none ever did."""
    moments = [
        row["newest"].astimezone(UTC)
        for table, moment in ANSWERED.items()
        for row in stored(pipeline, f"select max({moment}) as newest from {table} where {COMPLETE}")
        if row["newest"]
    ]
    return max(moments, default=None)


def is_over(month: date, by: datetime) -> bool:
    return by >= datetime.combine(next_month(month), time(), UTC)


def closed_too_early(pipeline: dlt.Pipeline) -> list[str]:
    """A sentence about months that were closed, and were not over by any API's time."""
    by = newest_answer(pipeline)
    months = [month for month in sorted(closings(pipeline)) if by and not is_over(month, by)]
    if not by or not months:
        return []
    named = ", ".join(f"{month:%Y-%m}" for month in months)
    return [
        f"Closed, but not over by the APIs' own time, {by:%Y-%m-%d %H:%M} UTC: {named}. A clock "
        "was ahead; what their days cost from now on would be charged in a later month. Undo: "
        f"claude-warehouse close-month {months[-1]:%Y-%m} --undo"
    ]
