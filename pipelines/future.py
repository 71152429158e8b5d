"""What a clock that was ahead left in the ledgers: it counts as not read, and its days as open."""

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import dlt

from pipelines.raw_tables import known_tables, stored
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.session import CLOSE_ENOUGH

log = logging.getLogger(__name__)


def forget_future_days(
    pipeline: dlt.Pipeline, server_now: datetime, oldest: dict[str, date]
) -> None:
    """Let days that were fetched later than the server's own time be fetched again.

    Days before `oldest` of their endpoint cannot be: they stay as they are. Days that have not
    begun go, with their rows.
    """
    now, today = _text(server_now), server_now.date()
    if not _is_in_the_future(pipeline, "loaded_days", "fetched_at", now):
        _change(pipeline, [f"delete from endpoint_runs where run_at > {now}"], {"endpoint_runs"})
        return
    tables = {endpoint.table for endpoint in EVERY_ENDPOINT}
    ledgers = ("loaded_days", "rejected_rows")
    _change(
        pipeline,
        [
            *(
                f"delete from {table} where activity_date > date '{today}'"
                for table in sorted({*tables, *ledgers} & known_tables(pipeline))
            ),
            *(
                f"update loaded_days set fetched_at = {now} where endpoint = '{table}'"
                f" and fetched_at > {now} and activity_date < date '{day}'"
                for table, day in oldest.items()
            ),
            # Before the day began, so that it has not settled by any rule.
            "update loaded_days set fetched_at = activity_date - interval '1 day'"
            f" where fetched_at > {now}",
            f"delete from endpoint_runs where run_at > {now}",
        ],
    )
    log.warning(
        "An earlier run had a clock that was ahead: what it noted as read later than %s "
        "is read again.",
        f"{server_now:%Y-%m-%d %H:%M} UTC",
    )


def forget_future_snapshots(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Undo the snapshots of the roster that were taken later than the server's own time."""
    now, known = _text(server_now), known_tables(pipeline)
    if _is_in_the_future(pipeline, "roster_snapshots", "snapshot_at", now):
        tables = [roster.table for roster in ROSTERS if roster.table in known]
        _change(
            pipeline,
            [
                *(f"delete from {table} where _dlt_valid_from > {now}" for table in tables),
                *(
                    f"update {table} set _dlt_valid_to = null where _dlt_valid_to > {now}"
                    for table in tables
                ),
                f"delete from roster_snapshots where snapshot_at > {now}",
            ],
        )


def forget_future_windows(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Let what was read of the feed later than the server's own time be read again."""
    now = _text(server_now)
    if _is_in_the_future(pipeline, "activity_windows", "greatest(read_at, to_at)", now):
        _change(pipeline, [f"delete from activity_windows where read_at > {now} or to_at > {now}"])


def forget_future_exports(pipeline: dlt.Pipeline, server_now: datetime) -> None:
    """Let months that were exported later than the server's own time be asked for again."""
    now = _text(server_now)
    if _is_in_the_future(pipeline, "langdock_exports", "read_at", now):
        _change(
            pipeline,
            [
                f"update langdock_exports set exported_at = {now}"
                f" where read_at > {now} and exported_at > {now}",
                f"update langdock_exports set read_at = coalesce(period_start, date '{FIRST}')"
                f" where read_at > {now}",
            ],
        )


FIRST = date(2000, 1, 1)
"""Earlier than any export."""


def _is_in_the_future(pipeline: dlt.Pipeline, table: str, moment: str, now: str) -> bool:
    return bool(stored(pipeline, f"select 1 from {table} where {moment} > {now} limit 1"))


def _change(pipeline: dlt.Pipeline, statements: Sequence[str], needs: Iterable[str] = ()) -> None:
    """All of it or nothing."""
    if not set(needs) <= known_tables(pipeline):
        return
    with pipeline.sql_client() as warehouse, warehouse.begin_transaction():
        for statement in statements:
            warehouse.execute_sql(statement)


def _text(moment: datetime) -> str:
    """With a little room, because the header that tells the server's time has whole seconds."""
    return f"timestamp with time zone '{(moment + CLOSE_ENOUGH).isoformat(sep=' ')}'"
