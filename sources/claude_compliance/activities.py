"""Events of the activity feed as raw rows: typed envelope and actor, all else as JSON."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

TEXT = pa.string()
TIMESTAMP = pa.timestamp("us", tz="UTC")

ENVELOPE = ("type", "organization_id", "organization_uuid")
ACTOR = (
    "type",
    "user_id",
    "email_address",
    "unauthenticated_email_address",
    "api_key_id",
    "admin_api_key_id",
    "service_account_id",
    "workos_event_id",
    "directory_id",
    "idp_connection_type",
    "issuer",
    "subject",
    "audience",
    "provider",
    "external_client_id",
    "kid_hash",
    "service",
    "ip_address",
    "user_agent",
)
"""Fields of all variants of the actor (reference: Compliance API, section 4)."""

NEVER_STORED = frozenset(
    {
        "body",
        "request_body",
        "response_body",
        "raw_body",
        "payload",
        "request_payload",
        "response_payload",
        "content",
        "contents",
        "file_content",
        "message",
        "messages",
        "message_content",
        "message_text",
        "prompt",
        "prompts",
        "system_prompt",
        "user_prompt",
        "completion",
        "completions",
        "input",
        "inputs",
        "output",
        "outputs",
        "tool_input",
        "tool_output",
        "arguments",
        "text",
        "transcript",
        "conversation",
        "thinking",
    }
)
"""Keys whose values may be what somebody wrote or was answered. They are dropped with their values,
at any depth, in any case and spelling (`requestBody`), before anything is written."""

CONTENT_WORDS = frozenset(
    {
        "answer",
        "body",
        "completion",
        "content",
        "messages",
        "payload",
        "prompt",
        "response",
        "transcript",
    }
)
"""A key whose last word is one of these is dropped too, such as `model_response`."""

SCHEMA = pa.schema(
    [
        pa.field("id", TEXT, nullable=False),
        pa.field("created_at", TIMESTAMP, nullable=False),
        *(pa.field(name, TEXT) for name in ENVELOPE),
        *(pa.field(f"actor__{name}", TEXT) for name in ACTOR),
        pa.field("attributes", TEXT),
    ]
)
"""Columns of claude_raw.activities: one row per event, whatever is special to its type as JSON in
`attributes`, fields of the actor that nobody declared among them."""


@dataclass(frozen=True)
class RejectedActivity:
    """An event that cannot be a row, and why; `created_at` is None where it cannot be read."""

    created_at: datetime | None
    reason: str
    row_json: str


def rows_of(activities: Sequence[Any]) -> tuple[pa.Table, list[RejectedActivity]]:
    """The events of a page as raw rows, and those that cannot be one."""
    rows, rejected = [], []
    for activity in activities:
        try:
            rows.append(row_of(activity))
        except ValueError as error:
            kept = without_content(activity)
            rejected.append(RejectedActivity(_moment_or_none(kept), str(error), _json(kept)))
    return pa.Table.from_pylist(rows, schema=SCHEMA), rejected


def row_of(activity: Any) -> dict[str, Any]:
    """One event as a row.

    Raises:
        ValueError: It has no id, or no moment; what it lacks.
    """
    if not isinstance(activity, Mapping):
        raise ValueError("it is not an object")
    event_id = activity.get("id")
    if not isinstance(event_id, str) or not event_id.strip():
        raise ValueError("it has no id")
    actor = activity.get("actor")
    known_actor = actor if isinstance(actor, Mapping) else {}
    attributes = {
        name: value
        for name, value in activity.items()
        if name not in ENVELOPE and name not in ("id", "created_at", "actor")
    }
    undeclared = {name: value for name, value in known_actor.items() if name not in ACTOR}
    if undeclared or (actor is not None and not isinstance(actor, Mapping)):
        attributes["actor"] = undeclared or actor
    return {
        "id": _clean(event_id),
        "created_at": moment(activity.get("created_at")),
        **{name: _text(activity.get(name)) for name in ENVELOPE},
        **{f"actor__{name}": _text(known_actor.get(name)) for name in ACTOR},
        "attributes": _json(without_content(attributes)),
    }


def moment(text: Any) -> datetime:
    """A moment in UTC.

    Raises:
        ValueError: It is none, or says no zone.
    """
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise ValueError(f"created_at is {text!r}, which is no moment") from None
    if found.tzinfo is None:
        raise ValueError(f"created_at is {text!r}, without a time zone")
    return found.astimezone(UTC)


def without_content(value: Any) -> Any:
    """The value without what is never stored."""
    if isinstance(value, Mapping):
        return {
            name: without_content(part) for name, part in value.items() if not _is_content(name)
        }
    return [without_content(part) for part in value] if isinstance(value, list) else value


def _is_content(name: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", name)]
    return "_".join(words) in NEVER_STORED or bool(CONTENT_WORDS.intersection(words[-1:]))


def _moment_or_none(activity: Any) -> datetime | None:
    try:
        return moment(activity.get("created_at"))
    except (AttributeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    """Text as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value if value is None else _clean(value)
    return _json(without_content(value))


def _json(value: Any) -> str:
    return _clean(json.dumps(_plain(value), ensure_ascii=False, sort_keys=True))


def _plain(value: Any) -> Any:
    """Numbers that engines would write in ways of their own, or round, as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    is_odd = isinstance(value, float) and "e" in repr(value)
    is_long = isinstance(value, int) and not -(2**63) <= value < 2**63
    return str(value) if is_odd or is_long else value


def _clean(text: str) -> str:
    """Half a surrogate pair, which JSON may hold, is no character that a table could."""
    return text.encode("utf-8", "replace").decode()
