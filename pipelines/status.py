"""What is loaded up to when, what is missing, and how the last run went."""

import json
import os
import re
from datetime import date, datetime
from typing import Any

import jinja2

from pipelines.data_dir import DataDir
from pipelines.registry import SOURCES
from pipelines.run_record import is_damaged, last_run
from pipelines.settings import settings
from pipelines.warehouse import warehouse_of
from pipelines.warehouse.base import Reading, Row, Warehouse
from pipelines.warehouse.dbt import PROJECT
from sources.claude_analytics.plan import GENERATIONS
from sources.contract import Source
from sources.errors import ForeseenError
from sources.ledger import COMPLETE
from sources.session import Clock

_MACROS = jinja2.Environment(loader=jinja2.FileSystemLoader(PROJECT / "macros"))
_DAY_STATUS = _MACROS.get_template("day_status.sql").module.day_status(  # type: ignore[attr-defined]
    "days.outcome", "days.activity_date", "newest_runs.window_start_date"
)
"""The rule of the mart data_coverage_daily, which may not be built yet."""

QUERY = f"""
    with

    newest_fetches as (
        select
            endpoint,
            activity_date,
            nullif(last(outcome order by fetched_at), 'rejected') as outcome,
            last(row_count order by fetched_at) as row_count,
            last(rejected_row_count order by fetched_at) as rejected_row_count,
            last(undeclared_fields order by fetched_at) as undeclared_fields,
            max(fetched_at) as fetched_at
        from claude_raw.loaded_days
        where {COMPLETE}
        group by endpoint, activity_date
    ),

    newest_runs as (
        select * from claude_raw.endpoint_runs
        qualify row_number() over (partition by endpoint order by run_at desc) = 1
    ),

    first_days as (
        select
            newest_runs.kind,
            min(newest_fetches.activity_date) as first_date
        from newest_fetches
        inner join newest_runs on newest_fetches.endpoint = newest_runs.endpoint
        group by newest_runs.kind
    ),

    expected_days as (
        select
            newest_runs.endpoint,
            cast(unnest(generate_series(
                least(
                    first_days.first_date,
                    newest_runs.newest_available_date
                ),
                newest_runs.newest_available_date,
                interval 1 day
            )) as date) as activity_date
        from newest_runs
        left join first_days on newest_runs.kind = first_days.kind
        where newest_runs.kind in ('engagement', 'money')
    ),

    days as (
        select
            endpoint,
            activity_date,
            newest_fetches.outcome,
            newest_fetches.row_count,
            newest_fetches.rejected_row_count,
            newest_fetches.undeclared_fields
        from expected_days
        full join newest_fetches using (endpoint, activity_date)
    ),

    told_days as (
        select
            days.*,
            {_DAY_STATUS} as status
        from days
        left join newest_runs on days.endpoint = newest_runs.endpoint
    )

    select
        newest_runs.endpoint,
        newest_runs.outcome,
        newest_runs.message,
        newest_runs.newest_available_date,
        min(days.activity_date) filter (days.outcome is not null) as first_loaded_date,
        max(days.activity_date) filter (days.outcome is not null) as last_loaded_date,
        count(*) filter (days.status = 'loaded') as loaded_days,
        count(*) filter (days.status = 'empty') as empty_days,
        list(days.activity_date order by days.activity_date) filter (days.status = 'missing')
            as missing_days,
        list(days.activity_date order by days.activity_date) filter (days.status = 'lost')
            as lost_days,
        cast(sum(days.row_count) as bigint) as row_count,
        cast(sum(days.rejected_row_count) as bigint) as rejected_row_count,
        max(days.undeclared_fields) as undeclared_fields
    from (select * from newest_runs where kind in ('engagement', 'money')) as newest_runs
    left join told_days as days on newest_runs.endpoint = days.endpoint
    group by all
    order by newest_runs.endpoint
"""


NOTHING: dict[str, Any] = {
    "endpoints": [],
    "cost_api": None,
    "activity_feed": {"outcome": "not read", "event_count": 0},
    "roster": {"snapshot_at": None, "row_counts": {}, "message": None, "refusals": {}},
    "sources": {},
}
"""Before anything is loaded."""

WRITTEN_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d\S*)?")

FEED_QUERY = f"""
    with

    windows as (
        select * from claude_raw.activity_windows
        where {COMPLETE}
    ),

    newest_run as (
        select outcome, message from claude_raw.endpoint_runs
        where kind = 'feed'
        order by run_at desc
        limit 1
    )

    select
        (select outcome from newest_run) as outcome,
        (select message from newest_run) as message,
        (select count(distinct id) from claude_raw.activities) as event_count,
        (select count(*) from claude_raw.rejected_rows where endpoint = 'activities')
            as rejected_row_count,
        min(from_at)::timestamp as read_from,
        max(to_at)::timestamp as read_until,
        count(*) as window_count
    from windows
"""
"""One row: how far the activity feed is read, and how the newest run on it ended."""


SNAPSHOT_QUERY = f"""
    select roster_table, cast(snapshot_at as timestamp) as snapshot_at, row_count
    from claude_raw.roster_snapshots
    where {COMPLETE}
    qualify row_number() over (partition by roster_table order by snapshot_at desc) = 1
    order by roster_table
"""

ROSTER_RUNS_QUERY = """
    select endpoint, outcome, message from claude_raw.endpoint_runs
    where kind = 'roster'
    qualify row_number() over (partition by endpoint order by run_at desc) = 1
    order by endpoint
"""


RUNS_QUERY = """
    select endpoint, outcome, message from claude_raw.endpoint_runs
    where endpoint in ({names})
    qualify row_number() over (partition by endpoint order by run_at desc) = 1
    order by endpoint
"""

_GENERATION = " ".join(
    f"when endpoint in ({', '.join(repr(each.table) for each in generation if each.totals)}) "
    f"then '{name}'"
    for name, generation in GENERATIONS.items()
)

GENERATION_QUERY = f"""
    select case {_GENERATION} end as generation
    from claude_raw.loaded_days
    where {COMPLETE} and generation is not null
    order by fetched_at desc
    limit 1
"""
"""Which API cost and usage came from last; the totals do not tell, both fill the same tables."""


def status(data_dir: DataDir, clock: Clock) -> dict[str, Any]:
    """The state of the warehouse, ready for JSON except for its dates. Writes nothing.

    Beside a run, which may have the file to itself, it is that of the moment when the run began.

    Raises:
        ForeseenError: Nothing has been loaded into this folder, or its file cannot be read.
    """
    warehouse, running = warehouse_of(data_dir), data_dir.held_by()
    if not running:
        warehouse.require()
    try:
        loaded = _loaded(warehouse)
    except ForeseenError:
        if not running or warehouse.abilities.reads_beside_a_run:
            raise
        loaded = _known(data_dir)
    return {
        "as_of": clock.today,
        "warehouse": warehouse.place,
        "served": warehouse.served_place,
        "running": running,
        "last_run": last_run(data_dir),
        "is_record_damaged": is_damaged(data_dir),
        **loaded,
    }


def remember(data_dir: DataDir) -> None:
    """Keep what is loaded for a `status` beside the run that begins."""
    warehouse = warehouse_of(data_dir)
    if warehouse.abilities.reads_beside_a_run:
        return
    try:
        loaded = _loaded(warehouse)
    except ForeseenError:
        loaded = NOTHING
    new = data_dir.last_state.with_name(f"{data_dir.last_state.name}.new")
    new.write_text(json.dumps(loaded, default=str), encoding="utf-8")
    os.replace(new, data_dir.last_state)


def _known(data_dir: DataDir) -> dict[str, Any]:
    try:
        known = json.loads(data_dir.last_state.read_text("utf-8"), object_hook=_with_dates)
    except (OSError, ValueError, RecursionError):
        return NOTHING
    is_whole = (
        isinstance(known, dict)
        and known.keys() == NOTHING.keys()
        and all(isinstance(known[name], dict) for name in ("activity_feed", "roster", "sources"))
        and isinstance(known["endpoints"], list)
        and all(isinstance(each, dict) for each in known["endpoints"])
    )
    return known if is_whole else NOTHING


def _with_dates(found: dict[str, Any]) -> dict[str, Any]:
    return {name: _as_date(value) for name, value in found.items()}


def _as_date(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_date(each) for each in value]
    if isinstance(value, str) and WRITTEN_DATE.fullmatch(value):
        return datetime.fromisoformat(value) if ":" in value else date.fromisoformat(value)
    return value


def _loaded(warehouse: Warehouse) -> dict[str, Any]:
    with warehouse.read() as stored:
        is_loaded = stored.has("claude_raw.loaded_days") and stored.has("claude_raw.endpoint_runs")
        generation = stored.row(GENERATION_QUERY) if is_loaded else None
        return {
            "endpoints": stored.rows(QUERY) if is_loaded else [],
            "cost_api": generation["generation"] if generation else None,
            "activity_feed": _activity_feed(stored),
            "roster": _roster(stored),
            "sources": {
                source.name: _standing(stored, source) for source in SOURCES if source.standing
            },
        }


def _roster(stored: Reading) -> dict[str, Any]:
    """The newest snapshot of the roster, and why a list of it is not there."""
    snapshot: list[Row] = []
    runs: list[Row] = []
    if stored.has("claude_raw.roster_snapshots") and stored.has("claude_raw.endpoint_runs"):
        snapshot, runs = stored.rows(SNAPSHOT_QUERY), stored.rows(ROSTER_RUNS_QUERY)
    return {
        "snapshot_at": max((each["snapshot_at"] for each in snapshot), default=None),
        "row_counts": {each["roster_table"]: each["row_count"] for each in snapshot},
        "message": None if snapshot or runs else _not_read("claude_admin"),
        "refusals": {each["endpoint"]: each["message"] for each in runs if each["outcome"] != "ok"},
    }


def _activity_feed(stored: Reading) -> dict[str, Any]:
    """The state of the activity feed; `outcome` is "not read" if no run asked for it."""
    tables = ("activities", "activity_windows", "endpoint_runs", "rejected_rows")
    feed: Row = {"event_count": 0}
    if all(stored.has(f"claude_raw.{table}") for table in tables):
        feed = stored.rows(FEED_QUERY)[0]
    if not feed.get("outcome"):
        feed |= {"outcome": "not read", "message": _not_read("claude_compliance")}
    return feed


def _standing(warehouse: Reading, source: Source) -> dict[str, Any]:
    """How far a source is read, and how the newest run on it ended."""
    columns = ("unit_count", "row_count", "rejected_row_count", "first_date", "last_date")
    found: Row = dict.fromkeys(columns)
    runs: list[Row] = []
    if source.standing and warehouse.has(f"claude_raw.{source.ledger}"):
        found = warehouse.rows(source.standing)[0]
    if warehouse.has("claude_raw.endpoint_runs"):
        names = ", ".join(f"'{table.name}'" for table in source.tables)
        runs = warehouse.rows(RUNS_QUERY.format(names=names))
    return {
        "title": source.title,
        "message": None if runs or found["unit_count"] else _not_read(source.name),
        **found,
        "endpoints": {
            run["endpoint"]: {"outcome": run["outcome"], "message": run["message"]} for run in runs
        },
    }


def _not_read(name: str) -> str:
    """Why no run has read this source."""
    [source] = [source for source in SOURCES if source.name == name]
    why = source.missing(settings(source.settings))
    return why or "A key is set for it, but no run has read it yet."
