"""What is loaded up to when, what is missing, and how the last run went."""

import json
import re
from datetime import date, datetime
from typing import Any

import jinja2

from pipelines import doubts
from pipelines.data_dir import DataDir, write_private
from pipelines.registry import SOURCES, TABLES
from pipelines.run import is_enabled
from pipelines.run_record import is_damaged, last_run
from pipelines.settings import settings
from pipelines.warehouse import held_by, warehouse_of
from pipelines.warehouse.base import Reading, Row, Warehouse
from pipelines.warehouse.dbt import PROJECT
from sources.contract import Source
from sources.errors import ForeseenError
from sources.ledger import BROKEN_OFF, COUNTS, KEPT_APART
from sources.session import Clock

_MACROS = jinja2.Environment(loader=jinja2.FileSystemLoader(PROJECT / "macros"))
_DAY_STATUS = _MACROS.get_template("day_status.sql").module.day_status(  # type: ignore[attr-defined]
    "days.outcome", "days.activity_date", "newest_runs.window_start_date"
)
"""The rule of the mart data_coverage_daily, which may not be built yet."""
_RECENT = ", ".join(
    f"'{table.name}'" for source in SOURCES for table in source.tables if table.is_recent
)
"""Endpoints of which only the days that the newest run wanted are due."""

OF_EVENTS = " where version in (select version from counting)"
OF_REJECTED = """
                and version in (select version from windows)
                and not exists (
                    select 1 from windows
                    where windows.version > rejected.version
                        and cast(windows.from_at as date) <= rejected.activity_date
                        and windows.to_at > rejected.activity_date
                )"""
OF_WINDOWS = f" where outcome <> '{BROKEN_OFF}'"
OF_VERSIONS = (
    OF_EVENTS,
    OF_REJECTED,
    OF_WINDOWS,
    f" and outcome <> '{KEPT_APART}'",
    ", run_number desc",
    ", run_number",
)
"""What the queries say of versions: there are none before the first run after an older release."""


NAMED = "endpoint || coalesce(' of ' || organization_id, '')"
"""An endpoint, by the id of a further organisation as another one; older folders have but one."""
OF_FIRST = " and organization_id is null"


def newest_runs(where: str = "true") -> str:
    """SQL that gives the newest run on each endpoint."""
    return f"""
        select * from (
            select
                *,
                row_number() over (
                    partition by endpoint order by run_at desc, run_number desc
                ) as runs_since
            from (
                select
                    {NAMED} as endpoint, kind, outcome, message, window_start_date,
                    newest_available_date, run_at, run_number
                from claude_raw.endpoint_runs
                where {where}
            ) as named_runs
        ) as runs
        where runs_since = 1
    """


QUERY = f"""
    with recursive

    fetches as (
        select
            *,
            row_number() over (
                partition by endpoint, activity_date order by fetch_number desc
            ) as fetches_since
        from (
            select
                {NAMED} as endpoint, activity_date, fetch_number, outcome, row_count,
                rejected_row_count, undeclared_fields
            from claude_raw.loaded_days
            where {COUNTS}
        ) as named_days
    ),

    newest_fetches as (
        select
            endpoint,
            activity_date,
            nullif(outcome, 'rejected') as outcome,
            row_count,
            rejected_row_count,
            undeclared_fields
        from fetches
        where fetches_since = 1
    ),

    newest_runs as (
        {newest_runs()}
    ),

    first_days as (
        select
            newest_runs.kind,
            min(newest_fetches.activity_date) as first_date
        from newest_fetches
        inner join newest_runs on newest_fetches.endpoint = newest_runs.endpoint
        group by newest_runs.kind
    ),

    -- An endpoint that a later release reads first was not wanted of the days before.
    first_wanted as (
        select endpoint, min(day) as first_date
        from (
            select {NAMED} as endpoint, window_start_date as day from claude_raw.endpoint_runs
            union all
            select endpoint, activity_date as day from newest_fetches
        ) as days_of_endpoints
        group by endpoint
    ),

    expected_days (endpoint, activity_date, last_date) as (
        select
            newest_runs.endpoint,
            least(
                greatest(
                    first_days.first_date,
                    first_wanted.first_date,
                    case
                        when split_part(newest_runs.endpoint, ' of ', 1) in ({_RECENT})
                            then newest_runs.window_start_date
                    end
                ),
                newest_runs.newest_available_date
            ) as activity_date,
            newest_runs.newest_available_date as last_date
        from newest_runs
        left join first_days on newest_runs.kind = first_days.kind
        left join first_wanted on newest_runs.endpoint = first_wanted.endpoint
        where
            newest_runs.kind in ('engagement', 'money')
            and newest_runs.newest_available_date is not null
        union all
        select
            endpoint,
            cast(activity_date + 1 as date),
            last_date
        from expected_days
        where activity_date < last_date
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
        min(days.activity_date) filter (where days.outcome is not null) as first_loaded_date,
        max(days.activity_date) filter (where days.outcome is not null) as last_loaded_date,
        count(*) filter (where days.status = 'loaded') as loaded_days,
        count(*) filter (where days.status = 'empty') as empty_days,
        array_agg(days.activity_date order by days.activity_date)
            filter (where days.status = 'missing') as missing_days,
        array_agg(days.activity_date order by days.activity_date)
            filter (where days.status = 'lost') as lost_days,
        cast(sum(days.row_count) as bigint) as row_count,
        cast(sum(days.rejected_row_count) as bigint) as rejected_row_count,
        max(days.undeclared_fields) as undeclared_fields
    from (select * from newest_runs where kind in ('engagement', 'money')) as newest_runs
    left join told_days as days on newest_runs.endpoint = days.endpoint
    group by
        newest_runs.endpoint,
        newest_runs.outcome,
        newest_runs.message,
        newest_runs.newest_available_date
    order by newest_runs.endpoint
"""


NOTHING: dict[str, Any] = {
    "doubts": [],
    "endpoints": [],
    "cost_api": None,
    "cost_apis": {},
    "activity_feed": {"outcome": "not read", "event_count": 0},
    "roster": {"snapshot_at": None, "row_counts": {}, "message": None, "refusals": {}},
    "sources": {},
}
"""Before anything is loaded."""

WRITTEN_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d\S*)?")

FEED_QUERY = f"""
    with

    counting as (
        select * from claude_raw.activity_windows
        where {COUNTS}
    ),

    windows as (
        select * from counting{OF_WINDOWS}
    ),

    newest_run as (
        select outcome, message from claude_raw.endpoint_runs
        where kind = 'feed'
        order by run_at desc, run_number desc
        limit 1
    )

    select
        (select outcome from newest_run) as outcome,
        (select message from newest_run) as message,
        (select count(distinct id) from claude_raw.activities{OF_EVENTS}) as event_count,
        (
            select count(*) from claude_raw.rejected_rows as rejected
            where endpoint = 'activities'{OF_REJECTED}
        ) as rejected_row_count,
        cast(min(from_at) as timestamp) as read_from,
        cast(max(to_at) as timestamp) as read_until,
        count(*) as window_count
    from windows
"""
"""One row: how far the activity feed is read, and how the newest run on it ended."""


SNAPSHOT_QUERY = f"""
    select roster_table, cast(snapshot_at as timestamp) as snapshot_at, row_count
    from (
        select
            *,
            row_number() over (
                partition by roster_table order by fetch_number desc
            ) as snapshots_since
        from claude_raw.roster_snapshots
        where {COUNTS}{OF_FIRST}
    ) as snapshots
    where snapshots_since = 1
    order by roster_table
"""

ROSTER_RUNS_QUERY = f"""
    select endpoint, outcome, message from ({newest_runs("kind = 'roster'")}) as newest_runs
    order by endpoint
"""


RUNS_QUERY = f"""
    select endpoint, outcome, message from ({newest_runs("endpoint in ({names})")}) as newest_runs
    order by endpoint
"""

_EDITION = " ".join(
    f"when endpoint = '{table.name}' then '{table.edition}'" for table in TABLES if table.edition
)

EDITION_QUERY = f"""
    select case {_EDITION} end as edition
    from claude_raw.loaded_days
    where {COUNTS} and case {_EDITION} end is not null{OF_FIRST}
    order by fetch_number desc
    limit 1
"""
"""Which edition of the API cost and usage came from last."""

FURTHER_EDITIONS_QUERY = f"""
    select organization_id, edition from (
        select
            organization_id,
            case {_EDITION} end as edition,
            row_number() over (partition by organization_id order by fetch_number desc)
                as fetches_since
        from claude_raw.loaded_days
        where {COUNTS} and case {_EDITION} end is not null and organization_id is not null
    ) as fetches
    where fetches_since = 1
    order by organization_id
"""
"""The same of each further organisation."""


def status(data_dir: DataDir, clock: Clock) -> dict[str, Any]:
    """The state of the warehouse, ready for JSON except for its dates. Writes nothing.

    Beside a run, which may have the file to itself, it is that of the moment when the run began.

    Raises:
        ForeseenError: Nothing has been loaded into this folder, or its file cannot be read.
    """
    warehouse, running = warehouse_of(data_dir), held_by(data_dir)
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
    write_private(data_dir.last_state, json.dumps(loaded, default=str))


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
        and isinstance(known["doubts"], list)
        and all(isinstance(each, dict) for each in (*known["endpoints"], *known["doubts"]))
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


class _Stored:
    """What is stored, also as an older release left it: its fetches are in the order of time."""

    def __init__(self, reading: Reading) -> None:
        self.has = reading.has
        self._reading = reading
        self._is_numbered = reading.has("claude_raw.endpoint_runs", "run_number")
        self.is_of_several = reading.has("claude_raw.endpoint_runs", "organization_id")

    def rows(self, sql: str, moment: str = "run_at") -> list[Row]:
        if not self._is_numbered:
            for part in OF_VERSIONS:
                sql = sql.replace(part, "")
            sql = sql.replace("fetch_number", moment)
        if not self.is_of_several:
            sql = sql.replace(NAMED, "endpoint").replace(OF_FIRST, "")
        return self._reading.rows(sql)


def _loaded(warehouse: Warehouse) -> dict[str, Any]:
    with warehouse.read() as reading:
        stored = _Stored(reading)
        is_loaded = stored.has("claude_raw.loaded_days") and stored.has("claude_raw.endpoint_runs")
        editions = stored.rows(EDITION_QUERY, "fetched_at") if is_loaded else []
        return {
            "doubts": _doubts(stored),
            "endpoints": _endpoints(stored) if is_loaded else [],
            "cost_api": editions[0]["edition"] if editions else None,
            "cost_apis": _further_editions(stored) if is_loaded else {},
            "activity_feed": _activity_feed(stored),
            "roster": _roster(stored),
            "sources": {
                source.name: _standing(stored, source) for source in SOURCES if source.standing
            },
        }


def _endpoints(stored: _Stored) -> list[Row]:
    """The endpoints of every organisation; those of further ones have its name behind their own."""
    rows = stored.rows(QUERY, "fetched_at")
    if not any(" of " in row["endpoint"] for row in rows):
        return rows
    names = _names(stored)
    for row in rows:
        endpoint, of, id = row["endpoint"].partition(" of ")
        row["endpoint"] = f"{endpoint}{of}{names.get(id, id)}"
    return rows


def _names(stored: _Stored) -> dict[str, str]:
    """What organisations are called whose key was ever read, by their ids."""
    return {
        row["organization_id"]: row["organization_name"] or row["organization_id"]
        for row in stored.rows("select * from claude_raw.key_owners order by owner_number")
    }


def _further_editions(stored: _Stored) -> dict[str, str]:
    """Which edition of the API each further organisation's cost and usage came from last."""
    rows = stored.rows(FURTHER_EDITIONS_QUERY) if stored.is_of_several else []
    names = _names(stored) if rows else {}
    return {
        str(names.get(row["organization_id"], row["organization_id"])): row["edition"]
        for row in rows
    }


def _doubts(stored: _Stored) -> list[dict[str, Any]]:
    """What waits for a second night or for somebody's word, the oldest first."""
    if not stored.has("claude_raw.doubts"):
        return []
    known = doubts.known_doubts(stored.rows(doubts.QUERY)).values()
    return [
        {
            "what": each.doubt.what,
            "since": each.since,
            "state": each.state,
            "outcome": each.doubt.outcome,
            "text": each.text,
        }
        for each in sorted(known, key=lambda each: each.number)
        if each.is_open
    ]


def _roster(stored: _Stored) -> dict[str, Any]:
    """The newest snapshot of the roster, and why a list of it is not there."""
    snapshot: list[Row] = []
    runs: list[Row] = []
    if stored.has("claude_raw.roster_snapshots") and stored.has("claude_raw.endpoint_runs"):
        snapshot, runs = stored.rows(SNAPSHOT_QUERY, "snapshot_at"), stored.rows(ROSTER_RUNS_QUERY)
    return {
        "snapshot_at": max((each["snapshot_at"] for each in snapshot), default=None),
        "row_counts": {each["roster_table"]: each["row_count"] for each in snapshot},
        "message": None if snapshot or runs else _not_read("claude_admin"),
        "refusals": {each["endpoint"]: each["message"] for each in runs if each["outcome"] != "ok"},
    }


def _activity_feed(stored: _Stored) -> dict[str, Any]:
    """The state of the activity feed; `outcome` is "not read" if no run asked for it."""
    tables = ("activities", "activity_windows", "endpoint_runs", "rejected_rows")
    feed: Row = {"event_count": 0}
    if all(stored.has(f"claude_raw.{table}") for table in tables):
        feed = stored.rows(FEED_QUERY)[0]
    if not feed.get("outcome"):
        feed |= {"outcome": "not read", "message": _not_read("claude_compliance")}
    return feed


def _standing(stored: _Stored, source: Source) -> dict[str, Any]:
    """How far a source is read, and how the newest run on it ended."""
    columns = ("unit_count", "row_count", "rejected_row_count", "first_date", "last_date")
    found: Row = dict.fromkeys(columns)
    runs: list[Row] = []
    if source.standing and stored.has(f"claude_raw.{source.ledger}"):
        found = stored.rows(source.standing, "read_at")[0]
    if stored.has("claude_raw.endpoint_runs"):
        names = ", ".join(f"'{table.name}'" for table in source.tables)
        runs = stored.rows(RUNS_QUERY.format(names=names))
    return {
        "title": source.title,
        "message": None if runs or found["unit_count"] else _not_read(source.name),
        **found,
        "endpoints": {
            run["endpoint"]: {"outcome": run["outcome"], "message": run["message"]} for run in runs
        },
    }


def _not_read(name: str) -> str | None:
    """Why no run has read this source; None: nobody wants it."""
    [source] = [source for source in SOURCES if source.name == name]
    given = settings(source.settings)
    if not is_enabled(given):
        return None
    why = source.missing(given)
    return why or "A key is set for it, but no run has read it yet."
