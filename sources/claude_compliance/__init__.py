"""The dlt source of the Compliance API: the activity feed, and a ledger of what was read of it."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.extract import DltResource

from sources.anthropic import BASE_URL
from sources.claude_compliance.activities import SCHEMA, RejectedActivity
from sources.claude_compliance.feed import Feed, Reading
from sources.claude_compliance.windows import ReadWindow, Window
from sources.connection import ConnectionSettings
from sources.hints import REJECTED_ROWS, typed_columns

__all__ = ["ComplianceSettings", "Feed", "ReadWindow", "Reading", "Window", "claude_compliance"]


@configspec
class ComplianceSettings(ConnectionSettings):
    """`[sources.claude_compliance]`, resolved by dlt: environment, secrets.toml, config.toml.

    Attributes:
        base_url: Scheme and host.
        activities_path: Path of the activity feed. Older descriptions have
            /v1/organizations/activity.
        api_key: A key with the scope read:compliance_activities. Without it the feed is not read.
        first_day: UTC day (2026-01-31) from which the feed is read; unset: its oldest event.
        overlap_hours: For how long after its end a day is read again, because events may appear
            in the feed late.
        requests_per_minute: The organisation's limit for the Compliance API, in any 60 seconds.
    """

    base_url: str = BASE_URL
    # Not `path`: dlt would also look for the variable PATH, which everybody has.
    activities_path: str = "/v1/compliance/activities"
    first_day: str | None = None
    overlap_hours: int = 48
    requests_per_minute: int = 600


@dlt.source(name="claude_compliance")
def claude_compliance(
    feed: Feed | None,
    reading: Reading | None,
    *,
    read_at: datetime,
) -> list[DltResource]:
    """The window of `reading`, and a line in the ledger if it was read to its end.

    Events are merged on their id, so that a window may be read again, and nothing is ever deleted:
    a feed of what happened only grows. Without a reading, the tables are made and stay as they are.
    """

    def activities() -> Iterator[Any]:
        yield SCHEMA.empty_table()
        ledger: list[dict[str, Any]] = []
        rejected: list[dict[str, Any]] = []
        if feed and reading:
            yield from feed.read(reading)
            if reading.is_complete:
                ledger = [_ledger_row(reading, read_at)]
                rejected = _rejected_rows(reading, read_at)
        for rows, hints in ((ledger, _LEDGER), (rejected, REJECTED_ROWS)):
            yield dlt.mark.with_hints(
                rows or dlt.mark.materialize_table_schema(), hints, create_table_variant=True
            )

    return [
        dlt.resource(
            activities,
            name="activities",
            write_disposition="merge",
            primary_key="id",
        )
    ]


_LEDGER = dlt.mark.make_hints(
    table_name="activity_windows",
    write_disposition="merge",
    primary_key=("from_at", "to_at", "read_at"),
    columns=typed_columns(
        from_at="timestamp",
        to_at="timestamp",
        read_at="timestamp",
        first_id="text",
        last_id="text",
        activity_count="bigint",
        rejected_count="bigint",
        page_count="bigint",
        request_ids="text",
    ),
)


def _ledger_row(reading: Reading, read_at: datetime) -> dict[str, Any]:
    """One row per window and reading: proof of what was asked for, and what came."""
    return {
        "from_at": reading.window.start,
        "to_at": reading.window.end,
        "read_at": read_at,
        "first_id": reading.first_id,
        "last_id": reading.last_id,
        "activity_count": reading.activity_count,
        "rejected_count": len(reading.rejected),
        "page_count": reading.page_count,
        "request_ids": ", ".join(reading.request_ids) or None,
    }


def _rejected_rows(reading: Reading, read_at: datetime) -> list[dict[str, Any]]:
    """One row per event that could not be read, after markers that clear those days' former ones.

    An event without a readable moment belongs to the window's first day.
    """
    days = reading.window.days
    return [
        *({**_key(day), "is_day_marker": True} for day in days),
        *(
            {
                **_key(_day_of(activity, days)),
                "fetched_at": read_at,
                "reason": activity.reason,
                "row_json": activity.row_json,
            }
            for activity in reading.rejected
        ),
    ]


def _key(day: date) -> dict[str, Any]:
    return {"endpoint": "activities", "activity_date": day}


def _day_of(activity: RejectedActivity, days: Sequence[date]) -> date:
    found = activity.created_at.date() if activity.created_at else days[0]
    return found if found in days else days[0]
