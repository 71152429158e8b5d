"""What is asked of the API, what is asked again, and what a refusal says to whom it concerns."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sources import http as http_module
from sources.claude_analytics.client import (
    Client,
    NotAvailable,
    NotTaken,
    NotThisOrganisation,
    WrongCurrency,
)
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.claude_analytics.pages import Page
from sources.errors import (
    ApiError,
    Expired,
    ForeseenError,
    KeyRefused,
    NotTheApi,
    Refused,
    Unreachable,
)
from sources.http.api import Connection
from sources.rate_budget import BudgetClosed, RateBudget
from sources.sandbox import Sandbox

ENDPOINT = {endpoint.table: endpoint for endpoint in ENDPOINTS}
TODAY = "2026-06-15"
DAY = date(2026, 6, 10)
NEWEST = date(2026, 6, 12)
OLDEST = date(2026, 3, 17)
ATTEMPTS = 7
ALWAYS = 1000
SKILLS = [{"skill_name": "docx"}, {"skill_name": "pdf"}]

Row = dict[str, Any]
Connect = Callable[..., Client]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox.empty(today=TODAY) as sandbox:
        sandbox.publish("skills", DAY, SKILLS)
        yield sandbox


@pytest.fixture
def api(server: Sandbox) -> Iterator[Sandbox]:
    """The server of this module, without the requests and wrong answers of other tests."""
    server.requests.clear()
    yield server
    server.clear_answers()


@pytest.fixture
def connect(api: Sandbox, tmp_path: Path) -> Iterator[Connect]:
    """Makes clients of the server, or of another base_url, with any other option."""
    with ExitStack() as clients:

        def connect(**options: Any) -> Client:
            budget = RateBudget(tmp_path / "rate_budget.db", 100_000)
            defaults = {"base_url": api.url, "api_key": api.api_key, "budget": budget}
            return clients.enter_context(Client(**{**defaults, **options}))

        yield connect


@pytest.fixture(scope="module")
def shared_client(server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    budget = RateBudget(tmp_path_factory.mktemp("shared") / "rate_budget.db", 100_000)
    with Client(base_url=server.url, api_key=server.api_key, budget=budget) as client:
        yield client


@pytest.fixture
def client(shared_client: Client) -> Client:
    """A client without a past."""
    shared_client.requests_by_table.clear()
    return shared_client


def read(client: Client, table: str = "skills", first: date = DAY, last: date = DAY) -> list[Page]:
    return list(client.pages(ENDPOINT[table], first, last))


def names(pages: list[Page]) -> list[str]:
    return [name for page in pages for name in page.rows["skill_name"].to_pylist()]


def error_body(message: str, **error: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": "api_error", "message": message, **error}}


def test_a_request_carries_the_key_and_the_version_and_the_key_nowhere_else(
    api: Sandbox, client: Client
) -> None:
    read(client)

    (request,) = api.requests
    assert request.path == "/v1/organizations/analytics/skills"
    assert request.params == {"date": "2026-06-10", "limit": "1000"}
    assert request.headers["anthropic-version"] == "2026-10-21"
    assert [name for name, text in request.headers.items() if api.api_key in text] == ["x-api-key"]
    assert request.headers["x-api-key"] == api.api_key


def test_a_clock_set_by_hand_goes_with_the_request_and_no_other_clock_does(
    api: Sandbox, client: Client, connect: Connect
) -> None:
    read(connect(clock=datetime(2026, 6, 20, 12, tzinfo=UTC)), "skills", date(2026, 6, 17))
    read(client)

    set_by_hand, not_set = api.requests
    assert set_by_hand.headers["date"] == "Sat, 20 Jun 2026 12:00:00 GMT"
    assert "date" not in not_set.headers


def test_every_answer_tells_the_time_of_the_server_whatever_its_status(
    api: Sandbox, client: Client
) -> None:
    for status, said in ((403, "Sun, 07 Jun 2026 09:30:00 GMT"), (404, "not a moment at all")):
        api.answer("connectors", status=status, headers={"date": said})
        with suppress(Refused):
            read(client, "connectors")

        assert client.server_now == datetime(2026, 6, 7, 9, 30, tzinfo=UTC)

    read(client)
    assert client.server_now is not None and client.server_now.date() == date(2026, 6, 15)


def test_pages_are_asked_for_to_the_end_with_the_same_parameters(
    api: Sandbox, client: Client
) -> None:
    day = date(2026, 6, 9)
    api.publish("skills", day, [{"skill_name": f"{n:04}"} for n in range(2500)], fill=False)

    pages = read(client, first=day, last=day)

    assert [len(page.rows) for page in pages] == [1000, 1000, 500]
    assert names(pages) == [f"{n:04}" for n in range(2500)]
    cursors = [request.params.pop("page", None) for request in api.requests]
    assert cursors == [None, *(page.place.get("next_page") for page in pages[:-1])]
    assert [request.params for request in api.requests] == [
        {"date": "2026-06-09", "limit": "1000"}
    ] * 3


def test_a_full_last_page_is_followed_by_no_other_request(api: Sandbox, client: Client) -> None:
    day = date(2026, 6, 8)
    api.publish("skills", day, [{"skill_name": f"{n:04}"} for n in range(1000)], fill=False)

    assert len(read(client, first=day, last=day)) == len(api.requests) == 1


def test_a_series_is_asked_for_in_one_request_with_an_exclusive_end(
    api: Sandbox, client: Client
) -> None:
    read(client, "summaries", date(2026, 5, 13), NEWEST)

    (request,) = api.requests
    assert request.params == {"starting_date": "2026-05-13", "ending_date": "2026-06-13"}


@pytest.mark.parametrize("cursors", ["aa", "aba", "abcb"])
def test_pages_that_never_end_are_an_error(api: Sandbox, client: Client, cursors: str) -> None:
    for number, cursor in enumerate(cursors):
        body = {"data": [{"skill_name": str(number)}], "next_page": cursor}
        api.answer("skills", body=body, times=1 if number < len(cursors) - 1 else ALWAYS)

    with pytest.raises(ApiError, match=r"skills, day 2026-06-10: .*same page cursor twice"):
        read(client)

    assert len(api.requests) == len(cursors) - 1 + 3


# What is asked again.


@pytest.mark.parametrize(
    "fault",
    [
        *({"status": status} for status in (408, 409, 429, 500, 502, 503, 504, 529)),
        {"drop": True},
        {"truncate": True},
        {"body": '{"data": [{"skill_name": "docx"}, {"ski'},
        {"body": ""},
        {"body": b'{"data": [{"skill_name": "\xff"}]}'},
        {"body": "<html>Bad gateway</html>"},
        {"body": "no gzip", "headers": {"content-encoding": "gzip"}},
        {"status": 429, "headers": {"retry-after": "soon"}},
        {"status": 429, "headers": {"retry-after": "Wed, 10 Jun 2026 07:28:00 GMT"}},
        {"status": 503, "headers": {"retry-after": "-5"}},
        {"status": 500, "headers": {"x-should-retry": "true"}},
    ],
    ids=repr,
)
def test_what_may_pass_is_asked_again(api: Sandbox, client: Client, fault: Row) -> None:
    api.answer("skills", **fault)

    assert names(read(client)) == ["docx", "pdf"]
    assert len(api.requests) == client.request_count == 2


def test_a_later_page_is_asked_again_alone(api: Sandbox, client: Client) -> None:
    api.answer("skills", body={"data": [{"skill_name": "csv"}], "next_page": "page_2"})
    api.answer("skills", status=500, when=lambda params: "page" in params)
    api.answer("skills", body={"data": [{"skill_name": "pdf"}], "next_page": None})

    assert names(read(client)) == ["csv", "pdf"]
    assert [request.params.get("page") for request in api.requests] == [None, "page_2", "page_2"]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"status": 500}, "the API answers 500"),
        ({"status": 429}, "the API answers 429"),
        ({"drop": True}, "the connection was lost"),
        ({"body": '{"data": ['}, "the answer is not complete JSON"),
    ],
)
def test_what_does_not_pass_is_given_up_after_seven_attempts(
    api: Sandbox, client: Client, fault: Row, says: str
) -> None:
    api.answer("skills", times=ALWAYS, **fault)

    with pytest.raises(ApiError) as caught:
        read(client)

    assert type(caught.value) is ApiError
    for text in (says, "skills, day 2026-06-10", "7 times", api.url, "Run again later"):
        assert text in str(caught.value)
    assert len(api.requests) == client.request_count == ATTEMPTS


def test_web_pages_instead_of_answers_are_given_up_after_three(
    api: Sandbox, client: Client
) -> None:
    api.answer("skills", times=ALWAYS, body="\n <!doctype html><title>Sign in</title>")

    with pytest.raises(NotTheApi) as caught:
        read(client)

    for text in ("skills, day 2026-06-10", "web page", api.url, "base_url"):
        assert text in str(caught.value)
    assert len(api.requests) == 3


@pytest.mark.parametrize("status", [429, 500, 529])
def test_what_the_api_says_not_to_ask_again_is_not(
    api: Sandbox, client: Client, status: int
) -> None:
    api.answer("skills", status=status, headers={"x-should-retry": "false"}, times=ALWAYS)

    with pytest.raises(ApiError, match=rf"\({status} for skills, day 2026-06-10\)"):
        read(client)

    assert len(api.requests) == 1


def test_every_attempt_counts_for_its_endpoint(api: Sandbox, client: Client) -> None:
    api.answer("skills", status=500, times=2)
    read(client)
    read(client, "connectors")

    assert dict(client.requests_by_table) == {"skills": 3, "connectors": 1}
    assert client.request_count == len(api.requests) == 4


class Waits:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("status", "seconds"), [(429, "25"), (529, "7.5"), (503, "40")])
def test_retry_after_is_waited_for_before_the_next_attempt(
    api: Sandbox,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    seconds: str,
) -> None:
    clock = Waits()
    start = clock.now
    budget = RateBudget(tmp_path / "waits.db", 60, clock=clock, wait=clock.wait)
    api.answer("skills", status=status, headers={"retry-after": seconds})
    monkeypatch.setattr("sources.http.FIRST_STEP_SECONDS", 1.0)

    read(connect(budget=budget))

    # It waits as all others do, and not a second time on its own.
    assert float(seconds) <= clock.now - start <= float(seconds) + 1


def test_retry_after_holds_the_others_also_where_this_request_is_given_up(
    api: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    clock = Waits()
    start = clock.now
    budget = RateBudget(tmp_path / "waits.db", 60, clock=clock, wait=clock.wait)
    client = connect(budget=budget)
    api.answer("skills", status=429, headers={"retry-after": "25", "x-should-retry": "false"})

    with pytest.raises(ApiError):
        read(client)
    read(client, "connectors")

    assert 25 <= clock.now - start <= 26


def test_attempts_keep_inside_the_rate_limit(
    api: Sandbox, connect: Connect, tmp_path: Path
) -> None:
    clock = Waits()
    start = clock.now
    budget = RateBudget(tmp_path / "small.db", 2, clock=clock, wait=clock.wait)
    api.answer("skills", status=500, times=2)

    read(connect(budget=budget))

    assert 60 <= clock.now - start <= 61


def test_who_waits_for_a_slot_is_released_when_the_client_closes(
    api: Sandbox, tmp_path: Path
) -> None:
    budget = RateBudget(tmp_path / "budget.db", 1)
    with Client(base_url=api.url, api_key=api.api_key, budget=budget) as client:
        read(client)

    with pytest.raises(BudgetClosed):
        read(client)


# What cannot be reached.


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("host", "reason", "attempts"),
    [("127.0.0.1", "refused", ATTEMPTS), ("nowhere.invalid", "not known", 3)],
)
def test_a_host_that_cannot_be_reached_is_named(
    connect: Connect, host: str, reason: str, attempts: int
) -> None:
    base_url = f"http://{host}:{free_port()}"
    client = connect(base_url=base_url, connection=Connection(allow_http=True))

    with pytest.raises(Unreachable) as caught:
        read(client)

    for text in (base_url, reason, "[sources.claude_analytics] base_url", "run again"):
        assert text in str(caught.value)
    assert client.request_count == attempts


@pytest.fixture
def waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Waits, RateBudget]:
    """A budget whose waits only move its clock, with the steps between attempts as ever."""
    monkeypatch.setattr("sources.http.FIRST_STEP_SECONDS", 1.0)
    clock = Waits()
    return clock, RateBudget(tmp_path / "waits.db", 100_000, clock=clock, wait=clock.wait)


def test_a_host_that_cannot_be_reached_is_said_soon_and_given_up_after_a_minute(
    connect: Connect, waits: tuple[Waits, RateBudget], caplog: pytest.LogCaptureFixture
) -> None:
    clock, budget = waits
    start = clock.now
    base_url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(Unreachable, match=r"tried for \d\d s"):
        read(connect(base_url=base_url, budget=budget))

    assert 55 <= clock.now - start <= 70
    (said,) = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(f"{base_url} cannot be reached yet (")
    assert "trying for 5" in said and said.endswith("s more.")


def test_whoever_asks_the_same_host_in_the_next_minute_does_not_try_as_long(
    connect: Connect, waits: tuple[Waits, RateBudget], tmp_path: Path
) -> None:
    clock, budget = waits
    base_url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unreachable):
        read(connect(base_url=base_url, budget=budget))
    start = clock.now
    sibling = connect(base_url=base_url, budget=budget)

    with pytest.raises(Unreachable):
        read(sibling)

    assert (sibling.request_count, clock.now) == (1, start)


def test_a_host_that_lets_every_attempt_wait_is_given_up_after_a_minute_too(
    connect: Connect, waits: tuple[Waits, RateBudget], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, budget = waits
    start = clock.now
    client = connect(base_url=f"http://127.0.0.1:{free_port()}", budget=budget)
    readings = iter(range(0, ALWAYS, 10))  # Each attempt seems to take 10 s.
    monkeypatch.setattr(http_module, "monotonic", lambda: next(readings))

    with pytest.raises(Unreachable):
        read(client)

    assert 60 <= clock.now - start + 10 * client.request_count <= 80
    assert client.request_count < ATTEMPTS


def test_a_connection_that_comes_back_is_used(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    waited: list[float] = []
    monkeypatch.setattr("sources.http.FIRST_STEP_SECONDS", 1.0)

    with ExitStack() as later:

        def wait(seconds: float) -> None:
            waited.append(seconds)
            if len(waited) == 3:
                later.enter_context(Sandbox.empty(today=TODAY, port=port))

        budget = RateBudget(tmp_path / "back.db", 100_000, wait=wait)
        (page,) = read(connect(base_url=f"http://127.0.0.1:{port}", budget=budget))

    assert len(page.rows) == 0


# What is refused.


REFUSALS: dict[str, tuple[type[ApiError], Row, list[str]]] = {
    "no billing": (
        KeyRefused, {"status": 402}, ["(402 for", "There is a problem with your account's billing."]
    ),
    "API switched off": (
        Refused, {"status": 403},
        ["(403 for", "API access is disabled for this organization.", "claude.ai"],
    ),
    "no such endpoint": (
        Refused, {"status": 404}, ["(404 for", "Not found", "base_url", "read:analytics"]
    ),
    "another kind of organisation": (
        NotThisOrganisation,
        {
            "status": 400,
            "body": error_body(
                "This endpoint is not supported for this type of organization.",
                details={"error_code": "organization_type_not_supported"},
            ),
        },
        ["(400 for", "not supported for this type of organization."],
    ),
    "a request it does not understand": (
        NotTaken,
        {"status": 400, "body": error_body("limit: must be between 1 and 1000.")},
        ["(400 for", "limit: must be between 1 and 1000."],
    ),
    "a request with a strange date": (
        NotTaken, {"status": 400, "body": error_body("date: 2026-99-99 is none.")}, ["2026-99-99"]
    ),
    "an expired cursor": (
        Expired,
        {"status": 410, "body": error_body("The page cursor has expired.")},
        [
            "(410 for", "The page cursor has expired.", "refreshed while its pages were read",
            "Nothing of these days was stored", "Run again later",
        ],
    ),
    "a status nobody documented": (ApiError, {"status": 418, "body": "<p>teapot"}, ["(418 for"]),
    "a redirect": (
        NotTheApi,
        {"status": 301, "body": "", "headers": {"location": "https://login.example.com/?a=secret"}},
        ["to login.example.com (301)", "not followed", "[sources.claude_analytics] base_url"],
    ),
    "a redirect to nowhere": (
        NotTheApi, {"status": 307, "body": "", "headers": {"location": "http://[::1"}}, ["(307)"]
    ),
    "an error without its envelope": (
        Refused, {"status": 404, "body": {"error": "gone"}}, ["(404 for"]
    ),
    "an error that is only a message": (
        Refused, {"status": 403, "body": {"message": "not you"}}, ["(403 for", 'It says "not you".']
    ),
    "an error with null details": (
        NotTaken, {"status": 400, "body": error_body("No.", details=None)}, ["(400 for", "No."]
    ),
    "an error that is a list": (NotTaken, {"status": 400, "body": "[1]"}, ["(400 for"]),
    "another currency": (
        WrongCurrency,
        {"body": {"data": [{"skill_name": "pdf", "currency": "EUR"}], "next_page": None}},
        ["EUR", "USD"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_says_what_and_why_and_is_not_asked_again(
    api: Sandbox, client: Client, name: str
) -> None:
    kind, fault, says = REFUSALS[name]
    api.answer("skills", times=ALWAYS, **fault)

    with pytest.raises(ApiError) as caught:
        read(client)

    assert type(caught.value) is kind
    for text in ["skills, day 2026-06-10", *says]:
        assert text in str(caught.value)
    assert "secret" not in str(caught.value)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-06-12T20:00:00Z", "2026-06-12T21:00:00Z"),
        (None, "2026-06-12T21:00:00Z"),
        ("2026-06-12T20:00:00Z", None),
    ],
)
def test_pages_of_different_refreshes_do_not_belong_together(
    api: Sandbox, client: Client, first: str | None, second: str | None
) -> None:
    body = {"data": [{"skill_name": "a"}], "next_page": "p2", "data_refreshed_at": first}
    api.answer("skills", body=body)
    api.answer("skills", body={"data": [], "next_page": None, "data_refreshed_at": second})

    with pytest.raises(Expired, match="skills, day 2026-06-10: the data was refreshed") as caught:
        read(client)

    assert "Run again later" in str(caught.value)
    assert len(api.requests) == 2


def test_pages_of_one_refresh_belong_together_however_its_moment_is_written(
    api: Sandbox, client: Client
) -> None:
    for number, moment in ((1, "2026-06-12T20:00:00Z"), (2, "2026-06-12T22:00:00.0+02:00")):
        body = {"data": [{"skill_name": str(number)}], "data_refreshed_at": moment}
        api.answer("skills", body={**body, "next_page": "p2" if number == 1 else None})

    assert names(read(client)) == ["1", "2"]


def test_a_wrong_key_is_refused_with_the_setting_to_check(api: Sandbox, connect: Connect) -> None:
    with pytest.raises(KeyRefused) as caught:
        read(connect(api_key="sk-ant-api01-wrong"))

    assert str(caught.value) == (
        "The API does not accept the key (401 for skills, day 2026-06-10).\n"
        'It says "invalid x-api-key": the key is wrong, revoked, or was cut when it was copied.\n'
        "Check SOURCES__CLAUDE_ANALYTICS__API_KEY or api_key in .dlt/secrets.toml."
    )
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("scopes", "held"),
    [
        (("read:members",), "read:members"),
        (
            ("read:members", "read:compliance_activities"),
            "read:members, read:compliance_activities",
        ),
        ((), "no scope"),
    ],
)  # fmt: skip
def test_a_key_without_the_scope_is_told_which_it_holds_and_needs(
    api: Sandbox,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    scopes: tuple[str, ...],
    held: str,
) -> None:
    monkeypatch.setattr(api, "scopes", scopes)

    with pytest.raises(Refused) as caught:
        read(client)

    assert type(caught.value) is Refused
    assert str(caught.value) == (
        "The key may not read analytics (403 for skills, day 2026-06-10).\n"
        f"It holds {held}; this API needs read:analytics.\n"
        "Create a key with that scope, then set SOURCES__CLAUDE_ANALYTICS__API_KEY."
    )


@pytest.mark.parametrize(
    ("table", "first", "last", "nearest"),
    [
        ("skills", date(2026, 6, 13), date(2026, 6, 13), NEWEST),
        ("skills", date(2026, 6, 30), date(2026, 6, 30), NEWEST),
        ("skills", date(2026, 3, 16), date(2026, 3, 16), OLDEST),
        ("skills", date(2025, 12, 31), date(2025, 12, 31), date(2026, 1, 1)),
        ("summaries", date(2026, 6, 1), date(2026, 6, 13), NEWEST),
        ("summaries", date(2026, 6, 13), date(2026, 6, 20), NEWEST),
        ("summaries", date(2026, 3, 1), date(2026, 3, 16), OLDEST),
        ("summaries", date(2026, 3, 16), date(2026, 4, 15), OLDEST),
    ],
)
def test_a_day_that_the_api_does_not_have_brings_the_nearest_that_it_has(
    api: Sandbox, client: Client, table: str, first: date, last: date, nearest: date
) -> None:
    with pytest.raises(NotAvailable) as caught:
        read(client, table, first, last)

    assert nearest in (caught.value.oldest, caught.value.newest)
    assert str(nearest) in str(caught.value)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "message",
    [
        "date: 2026-06-10 is not available yet. The most recent available day is 2026-06-07.",
        "Latest complete day: 2026-06-07 (you asked for 2026-06-10).",
        "Data begins 2026-01-01 and ends 2026-06-07; 2026-06-10 is outside.",
        "Too recent. Try 2026-06-07T00:00:00Z or earlier.",
    ],
)
def test_the_newest_day_is_found_in_any_wording(api: Sandbox, client: Client, message: str) -> None:
    api.answer("skills", status=400, body=error_body(message))

    with pytest.raises(NotAvailable) as caught:
        read(client)

    assert caught.value.newest == date(2026, 6, 7)


# The key and the address.


@pytest.mark.parametrize(
    "fault",
    [
        *(
            {"status": status, "body": error_body("You sent sk-ant-api01-sandbox, sir.")}
            for status in (400, 401, 402, 403, 404, 410)
        ),
        {"status": 403, "body": error_body("Got: ['sk-ant-api01-sandbox'] Needed: ['x']")},
        {
            "status": 500,
            "body": error_body("sk-ant-api01-sandbox"),
            "headers": {"x-should-retry": "false"},
        },
        {"status": 500, "body": error_body("sk-ant-api01-sandbox")},
        {"body": "<html>sk-ant-api01-sandbox</html>"},
        {"body": '{"sk-ant-api01-sandbox": '},
        {"body": {"sk-ant-api01-sandbox": []}},
        {"body": {"data": [{"skill_name": 1, "sk-ant-api01-sandbox": 2}], "next_page": None}},
    ],
    ids=repr,
)  # fmt: skip
def test_the_key_is_in_no_message_and_no_log_even_if_the_server_says_it(
    api: Sandbox, client: Client, caplog: pytest.LogCaptureFixture, fault: Row
) -> None:
    caplog.set_level(logging.DEBUG)
    api.answer("skills", times=ALWAYS, **fault)

    try:
        read(client)
    except ApiError as error:
        assert api.api_key not in str(error)

    assert api.api_key == "sk-ant-api01-sandbox"
    assert api.requests
    assert "skills" in caplog.text
    assert api.api_key not in caplog.text


@pytest.mark.parametrize("key", ["", " \n", "sk-ant-ä", "sk-ant-\x00", "sk-ant\r\nx-other: 1"])
def test_a_key_that_cannot_be_one_is_refused_before_any_request(
    api: Sandbox, connect: Connect, key: str
) -> None:
    with pytest.raises(ForeseenError, match="SOURCES__CLAUDE_ANALYTICS__API_KEY") as caught:
        connect(api_key=key)

    assert key.strip() == "" or key not in str(caught.value)
    assert api.requests == []


def test_blanks_around_a_key_and_an_address_do_not_matter(api: Sandbox, connect: Connect) -> None:
    read(connect(api_key=f" {api.api_key}\n", base_url=f" {api.url}/ "))

    (request,) = api.requests
    assert request.headers["x-api-key"] == api.api_key
    assert (request.path, request.status) == (ENDPOINT["skills"].path, 200)


def test_a_pause_until_the_end_of_time_is_told_as_one_of_a_month(
    api: Sandbox, connect: Connect
) -> None:
    api.answer("/skills", status=503, headers={"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"})

    with pytest.raises(ForeseenError, match=r"not to be called again .* \(in 30 days\)"):
        read(connect())


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "api.anthropic.com",
        "https://",
        "ftp://api.anthropic.com",
        "https://api.anthropic.com/v1",
        "https://api.anthropic.com/v1/organizations/analytics/",
        "http://[::1",
        "https://api.anthropic.com:port",
        "https://api.anthropic.com:99999",
        "https://api.anthropic.com:0",
        "https://api.anthropic.com\x00",
        "https://api..anthropic.com",
        f"https://{'a' * 64}.anthropic.com",
        "https://api.anthropic.com?key=1",
        "https://api.anthropic.com#top",
    ],
)
def test_an_address_that_is_not_scheme_and_host_is_refused_as_it_was_written(
    connect: Connect, base_url: str
) -> None:
    with pytest.raises(ForeseenError) as caught:
        connect(base_url=base_url)

    for text in (f"base_url is {base_url!r}", "https://api.anthropic.com", "scheme and host"):
        assert text in str(caught.value)
