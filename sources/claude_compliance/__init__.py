"""The dlt source of the Compliance API: the activity feed, and a ledger of what was read of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration import configspec
from dlt.extract import DltResource

from sources.anthropic import BASE_URL
from sources.claude_compliance.activities import SCHEMA, RejectedActivity
from sources.claude_compliance.feed import Feed, Reading
from sources.claude_compliance.windows import ReadWindow, Window
from sources.connection import ConnectionSettings
from sources.door import Door
from sources.hints import REJECTED_ROWS, of_version, typed_columns, versioned
from sources.ledger import numbers

__all__ = [
    "ComplianceSettings",
    "Feed",
    "ReadWindow",
    "Reading",
    "Storing",
    "Window",
    "claude_compliance",
    "empty_feed",
    "fingerprint",
]


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


@dataclass(frozen=True, kw_only=True)
class Storing:
    """What a reading is stored with.

    Attributes:
        fetch_number: The reading's number, and that of the version that its rows make up.
        known: What counts of the window's events: a fingerprint of each, by its id.
        is_doubted: Whether a window that came with so few of so many known events is not believed.
        door: What of people is stored.
    """

    read_at: datetime
    run_number: int
    fetch_number: int
    known: dict[str, int]
    is_doubted: Callable[[int, int], bool] = lambda came, known: False
    door: Door = field(default_factory=Door)


@dlt.source(name="claude_compliance")
def claude_compliance(feed: Feed, reading: Reading, storing: Storing) -> list[DltResource]:
    """What is new in the window of `reading`, and a line in the ledger.

    An event that counts already, and is the same, is not stored again. Nothing is ever deleted: a
    feed of what happened only grows.
    """

    def activities() -> Iterator[Any]:
        yield versioned(SCHEMA.empty_table(), 0)
        missing = set(storing.known)
        known_count = len(missing)
        for rows in feed.read(reading):
            stored = storing.door.table("activities", rows)
            missing.difference_update(stored.column("id").to_pylist())
            yield versioned(_unknown(stored, storing.known), storing.fetch_number)
        if reading.is_complete:
            came = known_count - len(missing)
            reading.is_doubted = storing.is_doubted(came, known_count)
        is_told = reading.is_complete or reading.activity_count
        ledger = [_ledger_row(reading, storing)] if is_told else []
        rejected = _rejected_rows(reading, storing) if reading.is_complete else []
        yield from _others(ledger, rejected)

    return [dlt.resource(activities, name="activities", write_disposition="append")]


@dlt.source(name="claude_compliance")
def empty_feed() -> list[DltResource]:
    """The tables of the feed and of its ledger, without a row."""

    def activities() -> Iterator[Any]:
        yield versioned(SCHEMA.empty_table(), 0)
        yield from _others([], [])

    return [dlt.resource(activities, name="activities", write_disposition="append")]


def _others(ledger: list[dict[str, Any]], rejected: list[dict[str, Any]]) -> Iterator[Any]:
    for rows, hints in ((ledger, _LEDGER), (rejected, REJECTED_ROWS)):
        yield dlt.mark.with_hints(
            rows or dlt.mark.materialize_table_schema(), hints, create_table_variant=True
        )


def fingerprint(event: Mapping[str, Any]) -> int:
    """The same for the same event, in this process."""
    return hash(tuple(event[name] for name in SCHEMA.names))


def _unknown(rows: pa.Table, known: dict[str, int]) -> pa.Table:
    """The events that are new, or not as they were; they are known then."""
    is_new = []
    for event in rows.to_pylist():
        found = fingerprint(event)
        is_new.append(known.get(event["id"]) != found)
        known[event["id"]] = found
    return rows.filter(pa.array(is_new, pa.bool_()))


_LEDGER = dlt.mark.make_hints(
    table_name="activity_windows",
    write_disposition="append",
    primary_key="",
    merge_key="",
    columns={
        **numbers(),
        **typed_columns(
            from_at="timestamp",
            to_at="timestamp",
            read_at="timestamp",
            outcome="text",
            first_id="text",
            last_id="text",
            activity_count="bigint",
            rejected_count="bigint",
            page_count="bigint",
            request_ids="text",
        ),
    },
)


def _ledger_row(reading: Reading, storing: Storing) -> dict[str, Any]:
    """One row per window and reading: proof of what was asked for, and what came."""
    return {
        "from_at": reading.window.start,
        "to_at": reading.window.end,
        "read_at": storing.read_at,
        "run_number": storing.run_number,
        "fetch_number": storing.fetch_number,
        "version": storing.fetch_number,
        "outcome": reading.outcome,
        "first_id": reading.first_id,
        "last_id": reading.last_id,
        "activity_count": reading.activity_count,
        "rejected_count": len(reading.rejected),
        "page_count": reading.page_count,
        "request_ids": ", ".join(reading.request_ids) or None,
    }


def _rejected_rows(reading: Reading, storing: Storing) -> list[dict[str, Any]]:
    """One row per event that could not be read.

    An event without a readable moment belongs to the window's first day.
    """
    days = reading.window.days
    rows = [
        {
            "endpoint": "activities",
            "activity_date": _day_of(activity, days),
            **of_version(storing.fetch_number),
            "fetched_at": storing.read_at,
            "reason": activity.reason,
            "row_json": activity.row_json,
        }
        for activity in reading.rejected
    ]
    return storing.door.rows("rejected_rows", rows)


def _day_of(activity: RejectedActivity, days: Sequence[date]) -> date:
    found = activity.created_at.date() if activity.created_at else days[0]
    return found if found in days else days[0]
