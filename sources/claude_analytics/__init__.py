"""The dlt source of the Claude Enterprise Analytics API: one resource per endpoint."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from sources.claude_analytics.endpoints import Endpoint
from sources.claude_analytics.fetch import FetchedDay, Fetcher
from sources.claude_analytics.pages import raw_schema, rejected_hash, rows_hash
from sources.claude_analytics.settings import AnalyticsSettings
from sources.door import Door
from sources.hints import REJECTED_ROWS, of_version, typed_columns, versioned
from sources.ledger import KEPT_APART, numbers

__all__ = ["AnalyticsSettings", "Counting", "Storing", "claude_analytics", "empty_endpoints"]

HISTORY_DAYS = 36_500
ROWS_PER_BATCH = 50_000


@dataclass(frozen=True)
class Counting:
    """The version of a day that counts, and the hashes by which one is told from another."""

    version: int
    rows_hash: str
    rejected_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class Storing:
    """What the rows of a run are stored with.

    Attributes:
        settle_after: How long after a day the API may still change it.
        totals_hashes: What the days of each table of totals are now.
        counting: The versions that count and are whole, by endpoint and day.
        moves_cursor: Not in a backfill of old days.
        door: What of people is stored.
        organization_id: Whose days they are; None: the first organisation's.
    """

    fetched_at: datetime
    run_number: int
    numbers: Iterator[int]
    settle_after: Callable[[Endpoint], timedelta]
    totals_hashes: Mapping[str, Mapping[date, str]]
    counting: Mapping[str, Mapping[date, Counting]]
    moves_cursor: bool = True
    door: Door = field(default_factory=Door)
    organization_id: str | None = None


@dlt.source(name="claude_analytics")
def claude_analytics(
    fetcher: Fetcher, endpoints: Sequence[Endpoint], storing: Storing
) -> list[DltResource]:
    """What the fetcher was started with; a UTC day that differs from what counts is a version."""
    return [daily_resource(fetcher, endpoint, storing) for endpoint in endpoints]


@dlt.source(name="claude_analytics")
def empty_endpoints(endpoints: Sequence[Endpoint]) -> list[DltResource]:
    """The raw tables of endpoints of which nothing was ever loaded, and the ledger's."""
    return [_resource(endpoint, _empty(endpoint)) for endpoint in endpoints]


def _empty(endpoint: Endpoint) -> Iterator[Any]:
    yield versioned(raw_schema(endpoint).empty_table(), 0)
    for hints in (_LEDGER, REJECTED_ROWS):
        yield dlt.mark.with_hints(
            dlt.mark.materialize_table_schema(), hints, create_table_variant=True
        )


def _resource(endpoint: Endpoint, rows: Any) -> DltResource:
    resource: DltResource = dlt.resource(rows, name=endpoint.table, write_disposition="append")
    return resource


def daily_resource(fetcher: Fetcher, endpoint: Endpoint, storing: Storing) -> DltResource:
    """One endpoint as a dlt resource, with its lines of the ledger and its rejected rows."""
    # The cursor remembers the newest day for dlt's tools. Which days come is the plan's matter:
    # the lag is so long that the cursor drops no day that was fetched.
    bookmark = (
        dlt.sources.incremental[date]("activity_date", lag=HISTORY_DAYS, primary_key=())
        if storing.moves_cursor
        else None
    )

    def fetch(newest: dlt.sources.incremental[date] | None = bookmark) -> Iterator[Any]:
        # An empty table creates the raw table also where nothing arrives.
        yield versioned(raw_schema(endpoint).empty_table(), 0)
        for batch in _batches(fetcher.days(endpoint)):
            new = [_Fetch(day, rows, storing) for day, rows in batch]
            tables = [each.stored_rows() for each in new if each.is_new]
            if tables:
                yield pa.concat_tables(tables)
            rejected = [row for each in new if each.is_new for row in each.rejected_rows()]
            for found, hints in ((new, _LEDGER), (rejected, REJECTED_ROWS)):
                rows = [each.ledger_row() if isinstance(each, _Fetch) else each for each in found]
                yield dlt.mark.with_hints(rows, hints, create_table_variant=True)

    return _resource(endpoint, fetch)


class _Fetch:
    """A fetched day beside the version of it that counts."""

    def __init__(self, fetched: FetchedDay, rows: pa.Table, storing: Storing) -> None:
        self._fetched, self._storing = fetched, storing
        self.rows = storing.door.table(fetched.endpoint.table, rows)
        self._number = next(storing.numbers)
        # Of what came: the same day is the same one, whatever people are called here.
        self._rows_hash = rows_hash(fetched.endpoint, rows)
        self._rejected_hash = rejected_hash(fetched.rejected)
        counting = storing.counting.get(fetched.endpoint.table, {}).get(fetched.day)
        self.is_new = counting is None or (counting.rows_hash, counting.rejected_hash) != (
            self._rows_hash,
            self._rejected_hash,
        )
        self.version = self._number if counting is None or self.is_new else counting.version

    @property
    def _of_version(self) -> dict[str, Any]:
        return of_version(self.version, self._storing.organization_id)

    def stored_rows(self) -> pa.Table:
        return versioned(self.rows, self.version, self._storing.organization_id)

    def ledger_row(self) -> dict[str, Any]:
        """One row per endpoint, UTC day and fetch: proof that it was asked for, and what came."""
        fetched, endpoint = self._fetched, self._fetched.endpoint
        totals = self._storing.totals_hashes.get(endpoint.totals or "", {})
        return {
            "endpoint": endpoint.table,
            "activity_date": fetched.day,
            "fetched_at": self._storing.fetched_at,
            "run_number": self._storing.run_number,
            "fetch_number": self._number,
            **self._of_version,
            "row_count": len(self.rows),
            "rejected_row_count": len(fetched.rejected),
            "page_count": len(fetched.pages),
            "rows_hash": self._rows_hash,
            "rejected_hash": self._rejected_hash,
            "outcome": self._outcome,
            "settles_on": fetched.day + self._storing.settle_after(endpoint),
            "undeclared_fields": ", ".join(
                sorted({self._storing.door.field_name(name) for name in fetched.undeclared})
            )
            or None,
            "totals_hash": totals.get(fetched.day),
            "data_refreshed_at": fetched.data_refreshed_at,
        }

    @property
    def _outcome(self) -> str:
        if self._fetched.is_kept_apart:
            return KEPT_APART
        # A day of which no row could be read is not an empty one.
        return "loaded" if len(self.rows) else "rejected" if self._fetched.rejected else "empty"

    def rejected_rows(self) -> list[dict[str, Any]]:
        """One row per row that could not be read."""
        rows = [
            {
                "endpoint": self._fetched.endpoint.table,
                "activity_date": self._fetched.day,
                **self._of_version,
                "fetched_at": self._storing.fetched_at,
                "reason": row.reason,
                "row_json": row.row_json,
            }
            for row in self._fetched.rejected
        ]
        return self._storing.door.rows("rejected_rows", rows)


_LEDGER = dlt.mark.make_hints(
    table_name="loaded_days",
    write_disposition="append",
    merge_key="",
    primary_key="",
    columns={
        **numbers(),
        **typed_columns(
            endpoint="text",
            activity_date="date",
            organization_id="text",
            fetched_at="timestamp",
            row_count="bigint",
            rejected_row_count="bigint",
            page_count="bigint",
            rows_hash="text",
            rejected_hash="text",
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
