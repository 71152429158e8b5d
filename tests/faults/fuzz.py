"""Answers whose structure was mutated: read whole, refused with words, or not at all."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from sources.claude_admin.endpoints import ROSTERS
from sources.claude_admin.snapshot import ADMIN_API, take_snapshot
from sources.claude_analytics.client import Client
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS, Endpoint
from sources.claude_compliance.feed import COMPLIANCE_API, Feed, Reading
from sources.claude_compliance.windows import Window
from sources.errors import ForeseenError
from sources.http import HttpClient
from sources.http.answers import Pool
from sources.langdock.client import ExportClient
from sources.langdock.entities import ENTITIES
from sources.langdock.reader import read_export
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox

DAY = date(2026, 1, 5)
MONTH = date(2025, 12, 1)
KEY = "sk-ant-api01-sandbox"
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, -(2**63), 1e308, "", " ", "x", "0", "-0.00", "1e3"),
    *("2026-13-45", "2026-01-05T25:00:00Z", "NaN", "\ud800", "\x00", "é" * 3_000, KEY),
    *([], {}, [[]], [None], {"": None}, {"data": []}),
)
LANGDOCK_KEY = "ld-sandbox"


@dataclass(frozen=True)
class Read:
    """What a source made of its answers: rows it kept, and rows it named as unreadable."""

    rows: int
    rejected: int


@dataclass(frozen=True, kw_only=True)
class Target:
    """An endpoint whose answers are mutated.

    Attributes:
        path: How the path of the mutated request ends.
        list_key: Of the list in its JSON; None where the answer is a file of lines.
        cursor: Field that leads to the next page, where there is one.
        unnest: Key of a list in each entry whose entries are the rows.
        counts_all: Each entry is a row or a rejected one, so that none may be missing.
        read: Asks the source; a source that takes nothing raises.
    """

    name: str
    path: str
    list_key: str | None = "data"
    cursor: str | None = "next_page"
    unnest: str | None = None
    counts_all: bool = True
    read: Callable[[str, Path], Read]


def _budget() -> RateBudget:
    return RateBudget(Path(":memory:"), 1_000_000)


def _analytics(endpoint: Endpoint) -> Callable[[str, Path], Read]:
    def read(url: str, _: Path) -> Read:
        with Client(base_url=url, api_key=KEY, budget=_budget()) as client:
            pages = list(client.pages(endpoint, DAY, DAY))
        return Read(sum(len(p.rows) for p in pages), sum(len(p.rejected) for p in pages))

    return read


def _roster(url: str, _: Path) -> Read:
    with HttpClient(ADMIN_API, base_url=url, api_key=KEY, budget=_budget()) as client:
        snapshot = take_snapshot(lambda roster: client)
    for why in (*snapshot.failures.values(), *snapshot.refused.values()):
        raise ForeseenError(why)
    return Read(len(snapshot.rows[ROSTERS[0].table]), 0)


def _feed(url: str, _: Path) -> Read:
    start = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC)
    reading = Reading(Window(start, start + timedelta(days=1)))
    with HttpClient(COMPLIANCE_API, base_url=url, api_key=KEY, budget=_budget()) as client:
        rows = sum(len(rows) for rows in Feed(client, "/v1/compliance/activities").read(reading))
    if not reading.is_complete:
        raise reading.error or ForeseenError("This window is too long.")
    return Read(rows, len(reading.rejected))


def _langdock(url: str, _: Path) -> Read:
    with ExportClient(base_url=url, api_key=LANGDOCK_KEY, budget=_budget()) as client:
        content = client.month(ENTITIES[0], MONTH).content
    if not content:
        return Read(0, 0)
    export = read_export(content, "export.csv")
    return Read(sum(map(len, export.rows.values())), len(export.rejected))


def _of(table: str) -> Endpoint:
    return next(endpoint for endpoint in (*ENDPOINTS, *COST_API) if endpoint.table == table)


def _target(name: str, table: str, **attributes: Any) -> Target:
    endpoint = _of(table)
    return Target(
        name=name,
        path=endpoint.path,
        list_key=endpoint.items[0],
        unnest=endpoint.unnest,
        read=_analytics(endpoint),
        **attributes,
    )


TARGETS = (
    _target("days of people", "users"),
    _target("other days", "skills"),
    _target("summaries", "summaries", cursor=None, counts_all=False),
    _target("cost", "costs", counts_all=False),
    _target("totals", "usage_totals", counts_all=False),
    Target(
        name="roster",
        path="/organizations/users",
        cursor="last_id",
        counts_all=False,
        read=_roster,
    ),
    Target(name="feed", path="/compliance/activities", cursor="last_id", read=_feed),
    Target(name="Langdock API", path="/csv", list_key=None, counts_all=False, read=_langdock),
    Target(name="Langdock files", path=".csv", list_key=None, counts_all=False, read=_langdock),
)


@dataclass(frozen=True)
class Recorded:
    """An answer of the sandbox."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Server:
    """Answers as the sandbox did, but for the first request that matches, which it spoils.

    Attributes:
        recorded: Request -> the sandbox's answer.
        body: What the spoilt request is answered with, each time.
        spoilt: Which request that is.
    """

    recorded: dict[str, Recorded] = field(default_factory=dict)
    body: bytes | None = None
    spoilt: str | None = None

    def answer(self, request: httpx.Request, upstream: httpx.BaseTransport) -> httpx.Response:
        asked = f"{request.method} {request.url.raw_path.decode()} {request.read().decode()}"
        if asked not in self.recorded:
            true = upstream.handle_request(request)
            kept = {"content-type": true.headers.get("content-type", "")}
            self.recorded[asked] = Recorded(true.status_code, kept, true.read())
        known = self.recorded[asked]
        content = self.body if self.body is not None and asked == self.spoilt else known.content
        stream = httpx.ByteStream(content)
        return httpx.Response(known.status, headers=known.headers, stream=stream)

    def transport(self, pool: Any) -> httpx.BaseTransport:
        return _Transport(self, Pool(pool))


class _Transport(httpx.BaseTransport):
    def __init__(self, server: Server, upstream: httpx.BaseTransport) -> None:
        self._server = server
        self._upstream = upstream

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._server.answer(request, self._upstream)

    def close(self) -> None:
        self._upstream.close()


@contextmanager
def served() -> Iterator[tuple[Server, str]]:
    """A server of recorded answers, and its address."""
    server = Server()
    with (
        Sandbox(today=date(2026, 1, 9), seats=8, seed=3) as sandbox,
        patch("sources.http.Pool", server.transport),
        patch("sources.http.FIRST_STEP_SECONDS", 0.0),
    ):
        yield server, sandbox.url


def mutated(body: bytes, target: Target, chance: random.Random) -> bytes:
    """The body with one to three changes of its structure, or of its bytes."""
    if target.list_key is None and not body.lstrip().startswith(b"{"):
        return _mutated_lines(body, chance)
    document = json.loads(body)
    for _ in range(chance.randint(1, 3)):
        document = _mutated_value(document, target, chance)
    text = json.dumps(document)
    if chance.random() < 0.15:
        return _mutated_bytes(text.encode(), chance)
    if chance.random() < 0.05:
        return text.replace(": ", ": NaN, ", 1).encode()
    return text.encode()


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*place, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value[:5]):
            yield from _places(inner, (*place, number))


def _mutated_value(document: Any, target: Target, chance: random.Random) -> Any:
    cursors = [(name,) for name in (target.cursor, "has_more", target.list_key) if name]
    places = [place for place in _places(document) if place]
    if not places or not isinstance(document, dict | list):
        return deepcopy(chance.choice(VALUES))
    place = chance.choice(cursors) if cursors and chance.random() < 0.25 else chance.choice(places)
    parent = document
    for key in place[:-1]:
        parent = parent[key]
    last = place[-1]
    there = isinstance(parent, list) or last in parent
    kind = chance.randrange(6)
    if kind == 0 and there:
        del parent[last]
    elif kind == 1 and there:
        parent[last] = [parent[last]]
    elif kind == 2 and there and isinstance(parent[last], list):
        parent[last] = parent[last] + deepcopy(parent[last][:1])
    elif kind == 3 and isinstance(parent, dict):
        parent[f"{last}_new"] = deepcopy(chance.choice(VALUES))
    elif kind == 4 and there:
        parent[last] = json.loads("[" * 120 + "]" * 120)
    else:
        parent[last] = deepcopy(chance.choice(VALUES))
    return document


def _mutated_bytes(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    return chance.choice(
        (
            body[:at],
            body[:at] + bytes([chance.randrange(256)]) + body[at:],
            body[:at] + body[at + 1 :],
            body + body,
            b"\xef\xbb\xbf" + body,
            body.decode().encode("utf-16"),
            b"[" * 50_000,
            b"",
        )
    )


def _mutated_lines(body: bytes, chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return _mutated_bytes(body, chance)
    lines = body.decode().splitlines()
    for _ in range(chance.randint(1, 3)):
        number = chance.randrange(len(lines))
        cells = lines[number].split(",")
        place = chance.randrange(len(cells))
        kind = chance.randrange(5)
        if kind == 0:
            del cells[place]
        elif kind == 1:
            cells.insert(place, str(chance.choice(VALUES)).replace("\ud800", "?"))
        elif kind == 2:
            cells[place] = '"' + cells[place]
        elif kind == 3:
            lines.append(lines[number])
        else:
            cells[place] = str(chance.choice(VALUES)).replace("\ud800", "?")
        lines[number] = ",".join(cells)
    return chance.choice(("\n", "\r\n")).join(lines).encode()


def contradiction(body: bytes, target: Target) -> str | None:
    """Why this answer cannot be taken for a whole one, if it cannot."""
    if target.list_key is None:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "it is no JSON"
    if not isinstance(document, dict) or not isinstance(document.get(target.list_key), list):
        return "it has no list"
    has_more, cursor = document.get("has_more"), document.get(target.cursor or "")
    if target.cursor is None:
        return None
    if not {"has_more", target.cursor} & document.keys():
        return "it does not say whether there is more"
    if has_more is not None and not isinstance(has_more, bool):
        return "has_more is neither true nor false"
    if cursor is not None and (not isinstance(cursor, str) or not cursor):
        return "the cursor is none"
    if has_more and cursor is None:
        return "there is more, and not where"
    if has_more is False and cursor is not None and target.cursor == "next_page":
        return "there is no more, and where it is"
    return None


@dataclass
class Counts:
    """What came of the cases; `faults` are descriptions of what must not happen, by kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def fuzz(target: Target, cases: int, folder: Path, server: Server, url: str) -> Counts:
    """Ask the source so often, each time with another answer to its first request."""
    server.body = server.spoilt = None
    seen = set(server.recorded)
    target.read(url, folder)
    asked = [each for each in server.recorded if each not in seen] or list(server.recorded)
    server.spoilt = next(each for each in asked if target.path in each.split(" ")[1])
    body = server.recorded[server.spoilt].content
    counts = Counts()
    for number in range(cases):
        chance = random.Random(f"{target.name} {number}")
        server.body = mutated(body, target, chance)
        what = f"{target.name}, case {number}: {server.body[:300]!r}"
        why = contradiction(server.body, target)
        try:
            read = target.read(url, folder)
        except ForeseenError as error:
            counts.outcomes["refused"] += 1
            if KEY in str(error) or LANGDOCK_KEY in str(error):
                counts.faults["leaked"].append(f"the key is told: {what}")
            if len(str(error).splitlines()) < 2:
                counts.faults["traces"].append(f"a message that gives no advice ({error}): {what}")
        except Exception as error:
            counts.outcomes["traced"] += 1
            counts.faults["traces"].append(f"{type(error).__name__} ({error}): {what}")
        else:
            counts.outcomes["read"] += 1
            if why:
                counts.faults["wrong"].append(f"taken for whole though {why}: {what}")
            elif target.counts_all:
                document: Mapping[str, Any] = json.loads(server.body)
                least = len(document[target.list_key or ""])
                if read.rows + read.rejected < least:
                    counts.faults["lost"].append(f"{read} of {least} rows: {what}")
    server.body = None
    return counts
