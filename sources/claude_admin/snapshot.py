"""Read whole rosters: a list that breaks off would look like people who left."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import quote

from dlt.common.schema.typing import TColumnSchema

from sources.anthropic import claude_api
from sources.claude_admin.endpoints import (
    CENTS,
    COUNT,
    FLAG,
    JSON,
    LIST,
    ROSTERS,
    TIMESTAMP,
    Roster,
)
from sources.claude_admin.hashed import with_hashed_path, with_hashed_texts
from sources.door import NOBODY
from sources.errors import ApiError, KeyRefused, NotWhole, Refused, Unreachable
from sources.http import HttpClient
from sources.http.answers import Response, json_object
from sources.paging import BY_CURSOR, BY_ID, Pages, begun_anew, read_pages

ADMIN_API = claude_api(
    name="the Admin API",
    section="claude_admin",
    reads="the roster",
    key_advice="Every request needs one with the scopes read:members, read:rbac_groups and "
    "read:spend_limits;\nthe primary owner creates it in claude.ai.",
    what_it_takes="The key may lack access to the roster, or the organisation may not have this "
    "list\n(groups and spend limits take the plan Claude Enterprise)",
    most_megabytes=32,
    if_not_whole="A roster is stored whole or not at all, so the stored one stays as it is.",
)
BY_TOKEN = replace(ADMIN_API, key_header=("authorization", "Bearer "))
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


def take_snapshot(
    client_for: Callable[[Roster], HttpClient], is_asked: Callable[[str], bool] = lambda _: True
) -> Snapshot:
    """Every roster that is asked for, each whole or not at all."""
    snapshot = Snapshot()
    for roster in ROSTERS:
        if not is_asked(roster.table):
            snapshot.refused[roster.table] = NOBODY
            continue
        parents: Sequence[Row] = [{}]
        if roster.for_each:
            if roster.for_each not in snapshot.rows:
                reason = f"{roster.table} were not read, because {roster.for_each} could not be."
                where = snapshot.failures if roster.for_each in snapshot.failures else None
                (snapshot.refused if where is None else where)[roster.table] = reason
                continue
            parents = [
                row
                for row in snapshot.rows[roster.for_each]
                if (roster.not_for is None or row[roster.not_for] is None)
                and (roster.only_for is None or row[roster.only_for] is not None)
            ]
        try:
            client = client_for(roster)
            rows = [
                row
                for parent in parents
                for row in begun_anew(
                    partial(_rows, client, roster, parent.get(roster.parent_id, ""))
                )
            ]
            snapshot.rows[roster.table] = _distinct(roster, rows)
        except (KeyRefused, Unreachable) as error:
            if isinstance(error, Refused) and roster.takes_token and snapshot.rows:
                snapshot.refused[roster.table] = token_words(roster, error)
                continue
            # What one roster meets here, every other would meet too, a minute later.
            met = snapshot.refused if isinstance(error, Refused) else snapshot.failures
            known = snapshot.rows.keys() | snapshot.refused.keys() | snapshot.failures.keys()
            met |= {other.table: str(error) for other in ROSTERS if other.table not in known}
            break
        except Refused as error:
            words = token_words(roster, error) if roster.takes_token else str(error)
            snapshot.refused[roster.table] = words
        except ApiError as error:
            snapshot.failures[roster.table] = str(error)
    return snapshot


def token_words(roster: Roster, refusal: Refused) -> str:
    """Why a list that takes an administrator's token is not there."""
    return (
        f"{roster.table} is refused ({str(refusal).splitlines()[0]})\n"
        "The API gives it to an OAuth token with the scope org:admin, not to a key.\n"
        "Set SOURCES__CLAUDE_ADMIN__ORG_ADMIN_TOKEN if it is wanted; all else is loaded without."
    )


def check(client: HttpClient, roster: Roster) -> None:
    """See that the roster can be read, with one request.

    Raises:
        ApiError: Why not.
    """
    params = {} if roster.paging == "none" else {"limit": "1", **roster.params}
    client.ask(
        roster.path, params, what=roster.table, read=json_object, headers=roster.headers or None
    )


def raw_row(roster: Roster, entry: Any, parent_id: str = "") -> Row:
    """An API row as the raw table has it: flat, typed, with what we have not declared as JSON.

    `parent_id` is the row's of another list in whose list this one stands.

    Raises:
        ApiError: A field is not of its type, or the row's key is missing.
    """
    if not isinstance(entry, dict):
        raise _unreadable(roster, "a row that is no object")
    row: Row = dict.fromkeys(roster.columns)
    older, undeclared = {}, {}
    for name, value in _flat(roster, entry):
        if name in roster.hashed:
            row[name] = _typed(roster, name, with_hashed_texts(value))
        elif name in roster.addresses:
            row[name] = _typed(roster, name, with_hashed_path(value))
        elif name in row:
            row[name] = _typed(roster, name, value)
        elif name in roster.older_names:
            column = roster.older_names[name]
            older[column] = _typed(roster, column, value)
        elif name not in roster.left_out:
            undeclared[name] = value
    row |= {column: value for column, value in older.items() if row[column] is None}
    if roster.parent_column:
        row[roster.parent_column] = parent_id
    may_lack = {*roster.one_of, *roster.may_lack}
    missing = [name for name in roster.key if not row[name] and name not in may_lack]
    if missing or (roster.one_of and not any(row[name] for name in roster.one_of)):
        raise _unreadable(roster, f"a row without {' or '.join(missing or roster.one_of)}")
    row["undeclared_fields"] = json.dumps(undeclared, sort_keys=True) if undeclared else None
    return row


def _rows(client: HttpClient, roster: Roster, parent_id: str) -> list[Row]:
    """All rows of a roster, or of its part that belongs to a row of another one."""
    path = roster.path.format(id=quote(parent_id, safe="", errors="replace"))
    ask = partial(
        client.ask,
        path,
        what=roster.table,
        count_as=roster.table,
        headers=roster.headers or None,
    )
    if roster.paging == "none":
        return [ask({}, read=lambda response: raw_row(roster, json_object(response)))]

    def ask_page(pages: Pages) -> list[Row]:
        def read(response: Response) -> list[Row]:
            answer = json_object(response)
            entries = answer.get("data")
            if not isinstance(entries, list):
                raise NotWhole("the answer has no list data, which is not an empty one")
            rows = [raw_row(roster, entry, parent_id) for entry in entries]
            pages.turn(answer, lambda: json.dumps(entries) if entries else "")
            return rows

        params = {**PAGE_SIZE, **roster.params, **pages.params}
        return ask(params, read=read, refusal=pages.lost)

    return list(chain.from_iterable(read_pages(_PAGING[roster.paging], ask_page)))


_PAGING = {"ids": BY_ID, "cursor": BY_CURSOR}


def _flat(roster: Roster, entry: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The row's fields by flat name; an object that we have not declared stays as it is."""
    for field_name, value in entry.items():
        name = prefix + field_name
        if not any(column.startswith(f"{name}__") for column in roster.columns):
            yield name, value
        elif isinstance(value, dict):
            yield from _flat(roster, value, f"{name}__")
        elif value is not None:
            raise _unreadable(roster, f"{name} that is no object")


def _typed(roster: Roster, name: str, value: Any) -> Any:
    if value is None:
        return None
    try:
        return _value(roster.columns[name], value)
    except (ValueError, TypeError, ArithmeticError):
        raise _unreadable(roster, f"{name} that is not of its documented type") from None


def _value(kind: TColumnSchema, value: Any) -> Any:
    if kind is LIST and not isinstance(value, list):
        raise TypeError
    if kind in (LIST, JSON):
        # These lists are sets: an order that changes is no change.
        is_list = isinstance(value, list)
        return _json(sorted(value, key=_json) if is_list else value)
    if kind is COUNT:
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError
        return value
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
        amount = _EXACT.quantize(Decimal(value), _SMALLEST_CENTS)
        if not amount.is_finite():
            raise ValueError
        return amount
    return value


_json = partial(json.dumps, sort_keys=True)
_SMALLEST_CENTS = Decimal("1e-12")
_EXACT = Context(prec=38, traps=[InvalidOperation, Inexact])
"""An amount that the column cannot hold to its last digit is none that we know how to read."""


def _distinct(roster: Roster, rows: Sequence[Row]) -> list[Row]:
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
