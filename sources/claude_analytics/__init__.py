"""The dlt source of the Claude Enterprise Analytics API: one resource per endpoint."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from sources.claude_analytics.endpoints import Endpoint
from sources.claude_analytics.fetch import FetchedDay, Fetcher
from sources.claude_analytics.pages import day_marker, raw_schema, rows_hash
from sources.claude_analytics.settings import AnalyticsSettings
from sources.hints import MARKER, REJECTED_ROWS, typed_columns

__all__ = ["AnalyticsSettings", "claude_analytics", "empty_endpoints"]

HISTORY_DAYS = 36_500
ROWS_PER_BATCH = 50_000


@dlt.source(name="claude_analytics")
def claude_analytics(
    fetcher: Fetcher,
    endpoints: Sequence[Endpoint],
    *,
    fetched_at: datetime,
    settle_after: Mapping[str, timedelta],
    totals_hashes: Mapping[str, Mapping[date, str]] | None = None,
    moves_cursor: bool = True,
) -> list[DltResource]:
    """What the fetcher was started with; each fetched UTC day replaces that whole day.

    `settle_after` says for each endpoint how long after a day the API may still change it,
    `totals_hashes` for each table of totals what its days are now.
    A backfill of old days leaves the cursor where it is (`moves_cursor`).
    """
    return [
        daily_resource(
            fetcher,
            endpoint,
            fetched_at,
            settle_after[endpoint.table],
            (totals_hashes or {}).get(endpoint.totals or "", {}),
            moves_cursor,
        )
        for endpoint in endpoints
    ]


@dlt.source(name="claude_analytics")
def empty_endpoints(endpoints: Sequence[Endpoint]) -> list[DltResource]:
    """The raw tables of endpoints of which nothing was ever loaded, and the ledger's."""
    return [_resource(endpoint, _empty(endpoint)) for endpoint in endpoints]


def _empty(endpoint: Endpoint) -> Iterator[Any]:
    yield raw_schema(endpoint).empty_table()
    for hints in (_LEDGER, REJECTED_ROWS):
        yield dlt.mark.with_hints(
            dlt.mark.materialize_table_schema(), hints, create_table_variant=True
        )


def _resource(endpoint: Endpoint, rows: Any) -> DltResource:
    resource: DltResource = dlt.resource(
        rows,
        name=endpoint.table,
        write_disposition="merge",
        merge_key="activity_date",
        columns=MARKER,
    )
    return resource


def daily_resource(
    fetcher: Fetcher,
    endpoint: Endpoint,
    fetched_at: datetime,
    settle_after: timedelta,
    totals_hashes: Mapping[date, str],
    moves_cursor: bool,
) -> DltResource:
    """One endpoint as a dlt resource, with its lines of the ledger and its rejected rows."""
    # The cursor remembers the newest day for dlt's tools. Which days come is the plan's matter:
    # the lag is so long that the cursor drops no day that was fetched.
    bookmark = (
        dlt.sources.incremental[date]("activity_date", lag=HISTORY_DAYS, primary_key=())
        if moves_cursor
        else None
    )

    def fetch(newest: dlt.sources.incremental[date] | None = bookmark) -> Iterator[Any]:
        # An empty table creates the raw table also where nothing arrives.
        yield raw_schema(endpoint).empty_table()
        for batch in _batches(fetcher.days(endpoint)):
            # A day's marker clears its old rows, even if none came now. It is never stored.
            yield pa.concat_tables(
                table for day, rows in batch for table in (rows, day_marker(endpoint, day.day))
            )
            ledger = [
                {
                    **_ledger_row(day, rows, fetched_at, settle_after),
                    "totals_hash": totals_hashes.get(day.day),
                }
                for day, rows in batch
            ]
            rejected = [row for day, _ in batch for row in _rejected_rows(day, fetched_at)]
            yield dlt.mark.with_hints(ledger, _LEDGER, create_table_variant=True)
            yield dlt.mark.with_hints(rejected, REJECTED_ROWS, create_table_variant=True)

    return _resource(endpoint, fetch)


_LEDGER = dlt.mark.make_hints(
    table_name="loaded_days",
    write_disposition="merge",
    merge_key="",
    primary_key=("endpoint", "activity_date", "fetched_at"),
    columns={
        **MARKER,
        **typed_columns(
            endpoint="text",
            activity_date="date",
            fetched_at="timestamp",
            row_count="bigint",
            rejected_row_count="bigint",
            page_count="bigint",
            rows_hash="text",
            outcome="text",
            settles_on="date",
            undeclared_fields="text",
            totals_hash="text",
            data_refreshed_at="timestamp",
        ),
    },
)


def _batches(days: Iterator[FetchedDay]) -> Iterator[list[tuple[FetchedDay, pa.Table]]]:
    """Days with their rows, many at a time, because dlt's work per item is that of 500 rows."""
    batch: list[tuple[FetchedDay, pa.Table]] = []
    row_count = 0
    for day in days:
        batch.append((day, day.rows()))
        row_count += day.row_count
        if row_count >= ROWS_PER_BATCH:
            yield batch
            batch, row_count = [], 0
    if batch:
        yield batch


def _ledger_row(
    fetched: FetchedDay, rows: pa.Table, fetched_at: datetime, settle_after: timedelta
) -> dict[str, Any]:
    """One row per endpoint, UTC day and fetch: proof that the day was asked for, and what came."""
    return {
        "endpoint": fetched.endpoint.table,
        "activity_date": fetched.day,
        "fetched_at": fetched_at,
        "row_count": len(rows),
        "rejected_row_count": len(fetched.rejected),
        "page_count": len(fetched.pages),
        "rows_hash": rows_hash(fetched.endpoint, rows),
        # A day of which no row could be read is not an empty one.
        "outcome": "loaded" if len(rows) else "rejected" if fetched.rejected else "empty",
        "settles_on": fetched.day + settle_after,
        "undeclared_fields": ", ".join(sorted(fetched.undeclared)) or None,
        "data_refreshed_at": fetched.data_refreshed_at,
    }


def _rejected_rows(fetched: FetchedDay, fetched_at: datetime) -> list[dict[str, Any]]:
    """One row per row that could not be read, after a marker that clears the day's former ones."""
    key = {"endpoint": fetched.endpoint.table, "activity_date": fetched.day}
    return [
        {**key, "is_day_marker": True},
        *(
            {**key, "fetched_at": fetched_at, "reason": row.reason, "row_json": row.row_json}
            for row in fetched.rejected
        ),
    ]
