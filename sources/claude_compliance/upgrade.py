"""The feed as an earlier release stored it, with events that each reading replaced, as versions."""

import dlt

from sources.hints import VERSION_SQL
from sources.ledger import (
    COMPLETE,
    add_columns,
    change,
    highest_number,
    known_columns,
    number_columns,
    stored,
)


def upgrade(pipeline: dlt.Pipeline) -> None:
    """Number the windows by their time. Which of them brought an event first is not known any more:
    it is taken to be the first that goes over the event's moment."""
    known = known_columns(pipeline)
    if "activity_windows" not in known:
        return
    add_columns(pipeline, known, "activity_windows", {**number_columns(), "outcome": "varchar"})
    add_columns(pipeline, known, "activities", VERSION_SQL)
    if not stored(pipeline, "select 1 from activity_windows where fetch_number is null limit 1"):
        return
    change(
        pipeline,
        [
            f"""
            update activity_windows
            set fetch_number = numbered.fetch_number,
                version = numbered.fetch_number,
                outcome = case when activity_count > 0 then 'loaded' else 'empty' end
            from (
                select
                    _dlt_id,
                    {highest_number(pipeline)} + row_number() over (
                        order by read_at, from_at, to_at, _dlt_id
                    ) as fetch_number
                from activity_windows
                where fetch_number is null
            ) as numbered
            where activity_windows._dlt_id = numbered._dlt_id
            """,
            f"""
            update activities set version = windows.version
            from (
                select events.id, min(activity_windows.version) as version
                from activities as events
                inner join activity_windows
                    on events.created_at >= activity_windows.from_at
                        and events.created_at < activity_windows.to_at
                where activity_windows.{COMPLETE}
                group by events.id
            ) as windows
            where activities.id = windows.id and activities.version is null
            """,
            f"""
            update rejected_rows set version = windows.version
            from (
                select days.activity_date, max(activity_windows.version) as version
                from (select distinct activity_date from rejected_rows) as days
                inner join activity_windows
                    on days.activity_date >= cast(activity_windows.from_at as date)
                        and days.activity_date < activity_windows.to_at
                where activity_windows.{COMPLETE}
                group by days.activity_date
            ) as windows
            where rejected_rows.endpoint = 'activities'
                and rejected_rows.activity_date = windows.activity_date
                and rejected_rows.version is null
            """,
        ],
    )
