"""Drops versions of days and periods that have not counted since a day, to make room."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import dlt

from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, make_ready, warehouse_pipeline
from pipelines.registry import TABLES
from pipelines.warehouse import warehouse_of
from sources.ledger import COMPLETE, COUNTS, change, ledgers_and_tables, stored


@dataclass(frozen=True)
class Dropped:
    """What was, or would be, dropped: rows by raw table."""

    rows: Mapping[str, int]

    @property
    def row_count(self) -> int:
        return sum(self.rows.values())

    def told(self, before: date, *, is_dry: bool) -> str:
        """In a few lines."""
        if not self.row_count:
            return f"Nothing to drop: every version counts, or did on {before} or later."
        lines = [f"  {table}: {count:,} rows" for table, count in self.rows.items() if count]
        what = f"{self.row_count:,} rows of versions that have not counted since before {before}"
        return "\n".join([f"{'Would drop' if is_dry else 'Dropped'} {what}:", *lines])


def compact(data_dir: DataDir, before: date, *, is_dry: bool) -> Dropped:
    """Drop what counts at no moment from the beginning of that UTC day on, and give back its space.

    Ledgers stay, and so does every change of a roster: its history is made of them. The caller
    holds the warehouse. Each table is one transaction; a run that was killed is gone on with by
    the next one.
    """
    pipeline = warehouse_pipeline(data_dir)
    make_ready(pipeline)
    create_absent_tables(pipeline)
    conditions = _conditions(pipeline, before)
    counts = {
        table: int(
            stored(pipeline, f"select count(*) as rows_of from {table} where {condition}")[0][
                "rows_of"
            ]
        )
        for table, condition in conditions.items()
    }
    dropped = Dropped({table: count for table, count in counts.items() if count})
    if not is_dry and dropped.rows:
        for table in dropped.rows:
            change(pipeline, [f"delete from {table} where {conditions[table]}"])
        warehouse_of(data_dir).vacuum()
    return dropped


def _conditions(pipeline: dlt.Pipeline, before: date) -> dict[str, str]:
    """Raw table -> which of its rows are dropped."""
    since = f"timestamp with time zone '{before} 00:00:00+00'"
    ledgers, tables = ledgers_and_tables(pipeline)
    named = " union all ".join(
        f"select version from {ledger} where {COMPLETE}" for ledger in sorted(ledgers)
    )
    days = sorted({table.name for table in TABLES if table.is_tracked})
    exports = {table.name for table in TABLES if table.kind == "export"}
    conditions = {}
    for table in tables:
        # Rows of loads that broke off are in no ledger.
        dropped = [f"version not in ({named})"]
        if table in days:
            dropped.append(f"version in ({_past_versions(since, f'= {table!r}')})")
        elif table == "rejected_rows":
            names = ", ".join(repr(name) for name in days)
            of_days = f"endpoint in ({names})"
            past = _past_versions(since, f"in ({names})")
            dropped.append(f"({of_days} and version in ({past}))")
        elif table in exports:
            dropped.append(f"(slot, version) not in ({_periods(table, since)})")
        elif table == "activities":
            dropped.append(f"(id, version) in ({_past_events(since)})")
        conditions[table] = f"({' or '.join(dropped)})"
    return conditions


def _past_versions(since: str, endpoints: str) -> str:
    """Versions of days that another one had replaced by then."""
    return f"""
        select distinct fetches.version
        from loaded_days as fetches
        inner join (
            select
                endpoint, activity_date, organization_id, version, fetch_number,
                row_number() over (
                    partition by organization_id, endpoint, activity_date
                    order by fetch_number desc
                ) as fetches_since
            from loaded_days
            where {COUNTS} and fetched_at < {since} and endpoint {endpoints}
        ) as counting
            on fetches.endpoint = counting.endpoint
                and fetches.activity_date = counting.activity_date
                and fetches.organization_id is not distinct from counting.organization_id
                and fetches.version <> counting.version
                and fetches.fetch_number < counting.fetch_number
        where counting.fetches_since = 1 and not exists (
            select 1 from loaded_days as later
            where later.version = fetches.version and later.fetch_number > counting.fetch_number
        )
    """


def _periods(table: str, since: str) -> str:
    """Slots and versions that count, did so then, or came later."""
    return f"""
        select slot, version from (
            select
                *,
                row_number() over (partition by export_id order by fetch_number desc)
                    as changes_since
            from langdock_exports
            where {COUNTS} and noted_at < {since}
        ) as then_known
        where changes_since = 1 and outcome = 'loaded' and 'langdock_' || entity = '{table}'
        union all
        select slot, version from langdock_exports
        where {COMPLETE} and noted_at >= {since} and 'langdock_' || entity = '{table}'
    """


def _past_events(since: str) -> str:
    """Events that a window which was read by then told anew."""
    return f"""
        select events.id, events.version
        from activities as events
        inner join (
            select activities.id, max(activities.version) as version
            from activities
            inner join activity_windows on activities.version = activity_windows.version
            where activity_windows.{COUNTS} and activity_windows.read_at < {since}
            group by activities.id
        ) as newest on events.id = newest.id and events.version < newest.version
    """
