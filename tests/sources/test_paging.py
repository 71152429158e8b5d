"""An answer that contradicts its own completeness is never taken for a whole one, by any source."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sources.claude_admin.snapshot import ADMIN_API, take_snapshot
from sources.claude_analytics.client import Client
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS
from sources.claude_compliance.feed import COMPLIANCE_API, Feed, Reading
from sources.claude_compliance.windows import Window
from sources.errors import ApiError
from sources.http import HttpClient
from sources.paging import begun_anew
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox

DAY = date(2026, 6, 10)
WINDOW = Window(datetime(2026, 6, 9, tzinfo=UTC), datetime(2026, 6, 11, tzinfo=UTC))
ENDPOINT = {endpoint.table: endpoint for endpoint in (*ENDPOINTS, *COST_API)}
ALWAYS = 1000
GROUP = {"id": "rbac_group_1", "name": "Sales"}


@dataclass
class Reader:
    """Reads one list through its source's own way, and says how many rows there were."""

    path: str
    cursor: str
    row: Callable[[int], dict[str, Any]]
    read: Callable[[str, RateBudget], int]


Ask = Callable[[Reader], int]


def analytics(table: str) -> Callable[[str, RateBudget], int]:
    def read(url: str, budget: RateBudget) -> int:
        with Client(base_url=url, api_key="sk-ant-api01-sandbox", budget=budget) as client:
            pages = begun_anew(lambda: list(client.pages(ENDPOINT[table], DAY, DAY)))
        return sum(len(page.rows) + len(page.rejected) for page in pages)

    return read


def roster(table: str) -> Callable[[str, RateBudget], int]:
    def read(url: str, budget: RateBudget) -> int:
        with HttpClient(
            ADMIN_API, base_url=url, api_key="sk-ant-api01-sandbox", budget=budget
        ) as client:
            snapshot = take_snapshot(lambda _: client)
        if table in snapshot.failures:
            raise ApiError(snapshot.failures[table])
        return len(snapshot.rows[table])

    return read


def feed(url: str, budget: RateBudget) -> int:
    reading = Reading(WINDOW)
    with HttpClient(
        COMPLIANCE_API, base_url=url, api_key="sk-ant-api01-sandbox", budget=budget
    ) as client:
        list(Feed(client, "/v1/compliance/activities").read(reading))
    if reading.error:
        raise reading.error
    return reading.activity_count


def event(number: int) -> dict[str, Any]:
    moment = datetime(2026, 6, 10, tzinfo=UTC) + timedelta(seconds=number)
    return {"id": f"activity_{number}", "type": "x", "created_at": moment.isoformat()}


READERS = {
    "daily": Reader("analytics/skills", "next_page", lambda n: {"skill_name": str(n)},
                    analytics("skills")),
    "summaries": Reader("analytics/summaries", "next_page",
                        lambda n: {"starting_at": f"2026-06-1{n}"}, analytics("summaries")),
    "cost": Reader(COST_API[0].path, "next_page",
                   lambda n: {"amount": str(n), "currency": "USD",
                              "starting_at": "2026-06-10T00:00:00Z"},
                   analytics(COST_API[0].table)),
    "members": Reader("organizations/users", "last_id",
                      lambda n: {"id": f"user_{n}", "email": f"{n}@example.com"},
                      roster("members")),
    "groups": Reader("/rbac_groups", "next_page", lambda n: {"id": f"g{n}", "name": str(n)},
                     roster("rbac_groups")),
    "group members": Reader("rbac_group_1/members", "next_page",
                            lambda n: {"rbac_group_id": "rbac_group_1", "user_id": f"user_{n}"},
                            roster("rbac_group_members")),
    "spend limits": Reader("spend_limits/effective", "next_page",
                           lambda n: {"actor": {"type": "user_actor", "user_id": f"user_{n}"},
                                      "period": "monthly"},
                           roster("spend_limits")),
    "feed": Reader("compliance/activities", "last_id", event, feed),
}  # fmt: skip
"""One for each kind of question with pages."""

CONTRADICTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "nothing of what comes after": lambda cursor: {"organization_id": None},
    "more, and no cursor": lambda cursor: {"has_more": True, cursor: None},
    "more, and no such field": lambda cursor: {"has_more": True},
    "more, and an empty cursor": lambda cursor: {"has_more": True, cursor: ""},
    "an empty cursor": lambda cursor: {cursor: ""},
    "a cursor that is a number": lambda cursor: {"has_more": True, cursor: 7},
    "a cursor that fits no address": lambda cursor: {"has_more": True, cursor: "x" * 100_000},
    "has_more is text": lambda cursor: {"has_more": "true", cursor: "c1"},
    "has_more is a number": lambda cursor: {"has_more": 0, cursor: None},
    "no list": lambda cursor: {"data": None, "has_more": False, cursor: None},
    "no list at all": lambda cursor: {"data": ..., "has_more": False, cursor: None},
    "no more, and a cursor": lambda cursor: {"has_more": False, "next_page": "c1"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox.empty(today="2026-06-15") as sandbox:
        yield sandbox


@pytest.fixture
def api(server: Sandbox) -> Iterator[Sandbox]:
    server.requests.clear()
    yield server
    server.clear_answers()


@pytest.fixture
def ask(api: Sandbox, tmp_path: Path) -> Ask:
    return lambda reader: reader.read(api.url, RateBudget(tmp_path / "budget.db", 100_000))


def body(reader: Reader, *numbers: int, **beside: Any) -> dict[str, Any]:
    place = beside or {"has_more": False, reader.cursor: None}
    whole = {"data": [reader.row(number) for number in numbers], **place}
    return {name: value for name, value in whole.items() if value is not ...}


def answer(api: Sandbox, reader: Reader, *answers: dict[str, Any], last_times: int = 1) -> None:
    if reader.path.startswith("rbac_group_1"):
        page = {"data": [GROUP], "next_page": None}
        api.answer("/rbac_groups", body=page, when=lambda _: not is_about_members(api))
    for number, content in enumerate(answers):
        times = last_times if number == len(answers) - 1 else 1
        api.answer(reader.path, body=content, times=times)


def is_about_members(api: Sandbox) -> bool:
    return api.requests[-1].path.endswith("/members")


CASES = [
    pytest.param(name, contradiction, id=f"{name}-{contradiction}")
    for name, reader in READERS.items()
    for contradiction in CONTRADICTIONS
    # There, the last page has an id too; and summaries have no pages.
    if (contradiction, reader.cursor) != ("no more, and a cursor", "last_id")
    and (contradiction, name) != ("nothing of what comes after", "summaries")
]


@pytest.mark.parametrize(("name", "contradiction"), CASES)
def test_a_contradiction_that_passes_is_asked_again(
    api: Sandbox, ask: Ask, name: str, contradiction: str
) -> None:
    reader = READERS[name]
    wrong = body(reader, 1, **CONTRADICTIONS[contradiction](reader.cursor))
    answer(api, reader, wrong, body(reader, 1, 2))

    assert ask(reader) == 2


@pytest.mark.parametrize(("name", "contradiction"), CASES)
def test_a_contradiction_that_stays_is_a_failure_and_never_a_whole_answer(
    api: Sandbox, ask: Ask, name: str, contradiction: str
) -> None:
    reader = READERS[name]
    wrong = body(reader, 1, **CONTRADICTIONS[contradiction](reader.cursor))
    answer(api, reader, wrong, last_times=ALWAYS)

    with pytest.raises(ApiError, match="3 times in a row"):
        ask(reader)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("cursors", ["aa", "aba"])
def test_a_cursor_that_comes_again_is_a_failure(
    api: Sandbox, ask: Ask, name: str, cursors: str
) -> None:
    reader = READERS[name]
    pages = [
        body(reader, number, has_more=True, **{reader.cursor: cursor})
        for number, cursor in enumerate(cursors)
    ]
    answer(api, reader, *pages, last_times=ALWAYS)

    with pytest.raises(ApiError, match="same page cursor twice"):
        ask(reader)


@pytest.mark.parametrize("name", READERS)
def test_the_same_page_again_under_another_cursor_is_a_failure(
    api: Sandbox, ask: Ask, name: str
) -> None:
    reader = READERS[name]
    first = body(reader, 1, has_more=True, **{reader.cursor: "a"})
    answer(api, reader, first, {**first, reader.cursor: "b"}, last_times=ALWAYS)

    with pytest.raises(ApiError, match="rows of an earlier page once more"):
        ask(reader)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("status", [400, 410])
def test_a_cursor_that_expires_begins_anew_with_page_one(
    api: Sandbox, ask: Ask, name: str, status: int
) -> None:
    reader = READERS[name]
    first = body(reader, 1, has_more=True, **{reader.cursor: "a"})
    answer(api, reader, first)
    api.answer(reader.path, status=status)
    answer(api, reader, first, body(reader, 2))

    assert ask(reader) == 2


@pytest.mark.parametrize("name", READERS)
def test_a_cursor_that_expires_each_time_is_a_failure_that_says_what_happened(
    api: Sandbox, ask: Ask, name: str
) -> None:
    reader = READERS[name]
    first = body(reader, 1, has_more=True, **{reader.cursor: "a"})
    for _ in range(6):
        answer(api, reader, first)
        api.answer(reader.path, status=410)

    with pytest.raises(ApiError, match="refreshed while its pages were read") as caught:
        ask(reader)

    asked = [request for request in api.requests if reader.path in request.path]
    assert len(asked) >= 10
    says = "Events that were read stay" if name == "feed" else "stored"
    assert says in str(caught.value)
