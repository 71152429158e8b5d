"""Read whole rosters: a list that breaks off would look like people who left."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sources.claude_admin.endpoints import CENTS, FLAG, LIST, ROSTERS, TIMESTAMP, Roster
from sources.client import Api, ApiError, HttpClient, Refused, Response
from sources.errors import NotJson

ADMIN_API = Api(
    name="the Admin API",
    section="claude_admin",
    reads="the roster",
    key_advice="Every request needs one with the scopes read:members, read:rbac_groups and "
    "read:spend_limits;\nthe primary owner creates it in claude.ai.",
    what_it_takes="The key may lack access to the roster, or the organisation may not have this "
    "list\n(groups and spend limits take the plan Claude Enterprise)",
)
PAGE_SIZE = {"limit": "1000"}

Row = dict[str, Any]


@dataclass
class Snapshot:
    """The rosters as they are now.

    Attributes:
        rows: Raw rows of each table that was read to its end.
        refused: Why this key or organisation may not read a table.
        failures: Why a table could not be read for another reason.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def take_snapshot(client_for: Callable[[Roster], HttpClient]) -> Snapshot:
    """Every roster, each whole or not at all."""
    snapshot = Snapshot()
    for roster in ROSTERS:
        parents: Sequence[Row] = [{}]
        if roster.for_each:
            if roster.for_each not in snapshot.rows:
                reason = f"{roster.table} were not read, because {roster.for_each} could not be."
                where = snapshot.failures if roster.for_each in snapshot.failures else None
                (snapshot.refused if where is None else where)[roster.table] = reason
                continue
            parents = snapshot.rows[roster.for_each]
        try:
            entries = [
                entry
                for parent in parents
                for entry in _entries(client_for(roster), roster, parent.get("id", ""))
            ]
            snapshot.rows[roster.table] = _distinct(
                roster, (raw_row(roster, entry) for entry in entries)
            )
        except Refused as error:
            snapshot.refused[roster.table] = str(error)
        except ApiError as error:
            snapshot.failures[roster.table] = str(error)
    return snapshot


def raw_row(roster: Roster, entry: Any) -> Row:
    """An API row as the raw table has it: flat, typed, with what we have not declared as JSON.

    Raises:
        ApiError: A field is not of its type, or the row's key is missing.
    """
    flat = dict(_flat(entry)) if isinstance(entry, dict) else {}
    row: Row = dict.fromkeys(roster.columns)
    undeclared = {}
    for name, value in flat.items():
        column = roster.older_names.get(name, name)
        if column in roster.columns:
            row[column] = value if row[column] is None else row[column]
        elif name not in roster.left_out:
            undeclared[name] = value
    try:
        typed = {name: _typed(roster, name, value) for name, value in row.items()}
    except (ValueError, TypeError, InvalidOperation):
        raise _unreadable(roster, "a field that is not of its documented type") from None
    if not any(typed[name] for name in roster.key):
        raise _unreadable(roster, f"a row without {' and '.join(roster.key)}")
    typed["undeclared_fields"] = json.dumps(undeclared, sort_keys=True) if undeclared else None
    return typed


def _entries(client: HttpClient, roster: Roster, parent_id: str) -> Iterator[Any]:
    path = roster.path.format(id=parent_id)
    if roster.paging == "none":
        yield client.get(path, {}, what=roster.table, read=_answer, count_as=roster.table)
        return
    params, seen = dict(PAGE_SIZE), set[str]()
    while True:
        answer = client.get(path, params, what=roster.table, read=_answer, count_as=roster.table)
        if not isinstance(answer.get("data"), list):
            raise _unreadable(roster, "no list data")
        yield from answer["data"]
        if roster.paging == "ids":
            cursor = answer.get("last_id") if answer.get("has_more") else None
            name = "after_id"
        else:
            cursor, name = answer.get("next_page"), "page"
        if not cursor:
            return
        if cursor in seen:
            raise _unreadable(roster, "the same page cursor twice, so that it would never end")
        seen.add(cursor)
        params[name] = cursor


def _answer(response: Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content)
    except ValueError:
        raise NotJson from None
    if not isinstance(answer, dict):
        raise NotJson
    return answer


def _flat(entry: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in entry.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}__")
        else:
            yield prefix + name, value


def _typed(roster: Roster, name: str, value: Any) -> Any:
    kind = roster.columns[name]
    if value is None:
        return None
    if kind is LIST:
        return json.dumps(value)
    if kind is FLAG:
        if not isinstance(value, bool):
            raise TypeError
        return value
    if not isinstance(value, str):
        raise TypeError
    if kind is TIMESTAMP:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if kind is CENTS:
        amount = Decimal(value)
        if not amount.is_finite():
            raise ValueError
        return amount
    return value


def _distinct(roster: Roster, rows: Iterator[Row]) -> list[Row]:
    """Each row once: a list that grows while it is read shifts, and shows a row twice."""
    by_key: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        by_key.setdefault(tuple(row[name] for name in roster.key), row)
    return list(by_key.values())


def _unreadable(roster: Roster, found: str) -> ApiError:
    return ApiError(
        f"{roster.table}: the answer of the Admin API has {found}.\n"
        "A roster is stored whole or not at all, so the stored one stays as it is.\n"
        "Run again later; if it stays, please report it."
    )
