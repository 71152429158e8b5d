"""The activity feed of the invented organisation (compliance.md)."""

import json
import operator
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from sources.sandbox.calls import Call
from sources.sandbox.limits import Refusal
from sources.sandbox.paging import page_size

PATH = "/v1/compliance/activities"
SCOPE = "read:compliance_activities"
LARGEST_PAGE = 5000
USUAL_PAGE = 100
FILTERS = {
    "created_at.gte": operator.ge,
    "created_at.gt": operator.gt,
    "created_at.lte": operator.le,
    "created_at.lt": operator.lt,
}
REPEATED_EVENTS = 2
LISTS = ("activity_types[]", "exclude_activity_types[]", "actor_ids[]", "organization_ids[]")

Query = Sequence[tuple[str, str]]


class Event(NamedTuple):
    """An event of the feed: what is answered (JSON), and from when on."""

    created_at: datetime
    id: str
    indexed_at: datetime
    type: str | None
    user_id: str | None
    organization_ids: tuple[str | None, str | None]
    activity: str


class ActivityFeed:
    """Answers requests for the feed; each page repeats the last events of the one before it."""

    def __init__(self, database: duckdb.DuckDBPyConnection) -> None:
        self._database = database
        self._inventing = threading.Lock()
        self._invented: list[Event] | None = None
        self._published: list[Event] = []

    def publish(
        self,
        activities: Iterable[Mapping[str, Any]],
        indexed_at: datetime | str | None = None,
    ) -> None:
        """Add events; they can be read from `indexed_at` on, or as soon as they happened."""
        for activity in activities:
            created_at = moment_of("created_at", str(activity["created_at"]))
            indexed = created_at if indexed_at is None else indexed_at
            actor = activity.get("actor")
            self._published.append(
                Event(
                    created_at=created_at,
                    id=str(activity.get("id")),
                    indexed_at=indexed
                    if isinstance(indexed, datetime)
                    else moment_of("indexed_at", indexed),
                    type=activity.get("type"),
                    user_id=actor.get("user_id") if isinstance(actor, Mapping) else None,
                    organization_ids=(
                        activity.get("organization_id"),
                        activity.get("organization_uuid"),
                    ),
                    activity=json.dumps(activity, ensure_ascii=False),
                )
            )

    def knows(self, path: str) -> bool:
        return path == PATH

    def scopes(self, path: str) -> tuple[str, ...]:
        return (SCOPE,)

    def budget(self, path: str) -> str:
        return "compliance"

    def answer(self, call: Call) -> str:
        """The JSON body of a page, of the events that are known at the request's moment."""
        query, params = call.query, call.params
        check_names(params)
        bounds = [
            (FILTERS[name], moment_of(name, value)) for name, value in query if name in FILTERS
        ]
        wanted = lists_of(query)
        events = [
            event
            for event in self._events()
            if event.indexed_at <= call.clock
            and all(holds(event.created_at, bound) for holds, bound in bounds)
            and is_wanted(event, wanted)
        ]
        is_ascending = order_of(params) == "asc"
        events.sort(key=lambda event: event[:2], reverse=not is_ascending)
        size = page_size(params, usual=USUAL_PAGE, most=LARGEST_PAGE)
        if "before_id" in params:
            end = position(events, params["before_id"])
            start = max(end - size, 0)
            has_more = start > 0
        else:
            start = position(events, params["after_id"]) + 1 if "after_id" in params else 0
            end = start + size
            has_more = end < len(events)
        page = events[start:end]
        repeated = events[max(start - REPEATED_EVENTS, 0) : start] if "after_id" in params else []
        # Delivery is at least once, and promises no order among what it repeats.
        data = [*page[:1], *repeated, *page[1:]]
        envelope = json.dumps(
            {
                "has_more": has_more,
                "first_id": cursor(page[0]) if page else None,
                "last_id": cursor(page[-1]) if page else None,
            }
        )
        return f'{{"data": [{", ".join(event.activity for event in data)}], {envelope[1:]}'

    def _events(self) -> list[Event]:
        with self._inventing:
            if self._invented is None:
                self._invented = invented(self._database)
        return self._invented + self._published


def invented(database: duckdb.DuckDBPyConnection) -> list[Event]:
    """The events that follow from the organisation's facts (activities.sql)."""
    script = (Path(__file__).parent / "activities.sql").read_text(encoding="utf-8")
    found = database.execute(script).fetchall()
    return [
        Event(
            created_at.replace(tzinfo=UTC),
            event_id,
            indexed_at.replace(tzinfo=UTC),
            event_type,
            user_id,
            (organization_id, organization_uuid),
            activity,
        )
        for (
            created_at,
            event_id,
            indexed_at,
            event_type,
            user_id,
            organization_id,
            organization_uuid,
            activity,
        ) in found
    ]


def moment_of(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(400, f"{name}: must be an RFC 3339 timestamp.") from None
    if moment.tzinfo is None:
        raise Refusal(400, f"{name}: must be an RFC 3339 timestamp with a time zone.")
    return moment


def check_names(params: Mapping[str, str]) -> None:
    known = {"limit", "order", "after_id", "before_id", "user_ids[]", *FILTERS, *LISTS}
    for name in sorted(params.keys() - known):
        raise Refusal(400, f"{name}: Extra inputs are not permitted")
    for one, other in (("after_id", "before_id"), LISTS[:2]):
        if one in params and other in params:
            raise Refusal(400, f"{one}: cannot be combined with {other}.")


def order_of(params: Mapping[str, str]) -> str:
    order = params.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refusal(400, "order: must be asc or desc.")
    return order


def lists_of(query: Query) -> dict[str, set[str]]:
    """The list filters of a request; user_ids[] is another name of actor_ids[]."""
    lists: dict[str, set[str]] = {}
    for name, value in query:
        if name.endswith("[]"):
            lists.setdefault(name.replace("user_ids", "actor_ids"), set()).add(value)
    return lists


def is_wanted(event: Event, lists: Mapping[str, set[str]]) -> bool:
    if not lists:
        return True
    organizations = set(event.organization_ids)
    return (
        event.type in lists.get("activity_types[]", {event.type})
        and event.type not in lists.get("exclude_activity_types[]", set())
        and event.user_id in lists.get("actor_ids[]", {event.user_id})
        and bool(organizations & lists.get("organization_ids[]", organizations))
    )


def cursor(event: Event) -> str:
    """An opaque token; it names the event, so that it stays valid when others appear later."""
    return urlsafe_b64encode(json.dumps(["activity", event.id]).encode()).decode().rstrip("=")


def position(events: Sequence[Event], token: str) -> int:
    """Where the event of a cursor stands among these."""
    try:
        kind, event_id = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        assert kind == "activity"
        return [event.id for event in events].index(event_id)
    except (ValueError, TypeError, AssertionError):
        raise Refusal(400, "after_id: unusable cursor.") from None
