"""What counts of the raw tables, as temporary views beside them: `counting_<table>`."""

import duckdb

from sources.claude_admin.endpoints import ROSTERS
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.langdock import ENTITIES
from sources.ledger import COUNTS

DAYS = f"""
    select * exclude (version) from claude_raw.{{table}}
    where version in (
        select max_by(version, fetch_number) from claude_raw.loaded_days
        where {COUNTS} and endpoint = '{{table}}'
        group by activity_date
    )
"""
ROSTER = f"""
    select * exclude (is_gone, number, next_number) from (
        select
            rows_of.*,
            snapshots.number,
            snapshots.at as valid_from,
            lead(snapshots.at) over same_row as valid_to,
            lead(snapshots.number) over same_row as next_number
        from claude_raw.{{table}} as rows_of
        inner join (
            select version, min(fetch_number) as number, min(snapshot_at) as at
            from claude_raw.roster_snapshots
            where {COUNTS} and roster_table = '{{table}}'
            group by version
        ) as snapshots on rows_of.version = snapshots.version
        window same_row as (partition by rows_of.row_hash order by snapshots.number)
    )
    where not is_gone and next_number is distinct from number
"""
EVENTS = f"""
    select * from claude_raw.activities
    where version in (select version from claude_raw.activity_windows where {COUNTS})
    qualify row_number() over (partition by id order by version desc) = 1
"""
EXPORTS = f"""
    select * from claude_raw.langdock_exports
    where {COUNTS}
    qualify row_number() over (partition by export_id order by fetch_number desc) = 1
"""
PERIODS = f"""
    select * from claude_raw.{{table}}
    where (slot, version) in (
        select (slot, version) from ({EXPORTS})
        where outcome = 'loaded' and 'langdock_' || entity = '{{table}}'
    )
"""
REJECTED = f"""
    select distinct endpoint, activity_date, source_name, line_number, reason, row_json
    from claude_raw.rejected_rows
    where version in (
        select max_by(version, fetch_number) from claude_raw.loaded_days
        where {COUNTS} group by endpoint, activity_date
        union all
        select version from claude_raw.activity_windows as windows
        where {COUNTS} and not exists (
            select 1 from claude_raw.activity_windows as later
            where later.version > windows.version and later.outcome <> 'broken_off'
                and later.from_at < windows.to_at and later.to_at > windows.from_at
        )
        union all
        select version from ({EXPORTS}) where outcome in ('loaded', 'rejected')
    )
"""
VIEWS = {
    **{
        endpoint.table: (DAYS.format(table=endpoint.table), {endpoint.table, "loaded_days"})
        for endpoint in EVERY_ENDPOINT
    },
    **{
        roster.table: (ROSTER.format(table=roster.table), {roster.table, "roster_snapshots"})
        for roster in ROSTERS
    },
    **{
        entity.table: (PERIODS.format(table=entity.table), {entity.table, "langdock_exports"})
        for entity in ENTITIES
    },
    "activities": (EVENTS, {"activities", "activity_windows"}),
    "langdock_exports": (EXPORTS, {"langdock_exports"}),
    "rejected_rows": (
        REJECTED,
        {"rejected_rows", "loaded_days", "activity_windows", "langdock_exports"},
    ),
}
"""Raw table -> what counts of it, and the tables that this is asked of."""
STANDINS = {
    "loaded_days": "endpoint text, activity_date date",
    "activity_windows": "from_at timestamptz, to_at timestamptz",
    "langdock_exports": "export_id text",
}
LEDGER = "version bigint, fetch_number bigint, outcome text, _dlt_load_id text"


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """The views whose tables are there; a ledger that no load has made yet stands there empty."""
    there = {
        table
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'claude_raw'"
        ).fetchall()
    }
    for table, (query, needs) in VIEWS.items():
        if table in there:
            for ledger in needs & STANDINS.keys() - there:
                query = query.replace(f"claude_raw.{ledger}", f"standin_{ledger}")
                connection.execute(
                    f"create temp table if not exists standin_{ledger}"
                    f" ({STANDINS[ledger]}, {LEDGER})"
                )
            connection.execute(f"create or replace temp view counting_{table} as {query}")
