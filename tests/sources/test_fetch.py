"""Planned days arrive whole and in order, and one refusal or failure costs only its own days."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sources.claude_analytics.client import Client
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS, REPORTS_API, Params
from sources.claude_analytics.fetch import WORKERS, FetchedDay, Fetcher
from sources.claude_analytics.plan import Span, spans
from sources.days import days_between
from sources.errors import KeyRefused, NotTheApi, Refused, Unreachable
from sources.paging import RESTARTS
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox

REPORTED = {endpoint.table: endpoint for endpoint in REPORTS_API}
ENDPOINT = REPORTED | {endpoint.table: endpoint for endpoint in (*ENDPOINTS, *COST_API)}
"""By table; of the tables that both generations of cost and usage fill, the newer one."""
TODAY = "2026-06-15"
NEWEST = date(2026, 6, 12)
OLDEST = date(2026, 3, 17)
ALWAYS = 1000
UNRETRIED = {"x-should-retry": "false"}

Start = Callable[..., Fetcher]


def june(*days: int) -> list[date]:
    return [date(2026, 6, day) for day in days]


DAYS = june(*range(1, 13))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox.empty(today=TODAY) as sandbox:
        for day in days_between(OLDEST, NEWEST):
            sandbox.publish("skills", day, [{"skill_name": f"skill of {day}"}], fill=False)
            sandbox.publish("users", day, [{"user": {"id": "user_1"}}], fill=False)
            sandbox.publish("summaries", day, [series_row(day)], fill=False)
        yield sandbox


@pytest.fixture
def api(server: Sandbox) -> Iterator[Sandbox]:
    """The server of this module, without the requests and wrong answers of other tests."""
    server.requests.clear()
    yield server
    server.clear_answers()


def client_of(server: Sandbox, folder: Path, **options: Any) -> Client:
    budget = RateBudget(folder / "rate_budget.db", 100_000)
    defaults = {"base_url": server.url, "api_key": server.api_key, "budget": budget}
    return Client(**{**defaults, **options})


@pytest.fixture(scope="module")
def client(server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with client_of(server, tmp_path_factory.mktemp("client")) as client:
        yield client


@pytest.fixture
def fetch(api: Sandbox, client: Client, tmp_path: Path) -> Iterator[Start]:
    """Fetch days of endpoints; the fetcher that did it tells how it went."""
    with ExitStack() as stack:

        def start(planned: Mapping[str, list[date]], **options: Any) -> Fetcher:
            chosen = stack.enter_context(client_of(api, tmp_path, **options)) if options else client
            endpoints = [ENDPOINT[table] for table in planned]
            fetcher = stack.enter_context(Fetcher(chosen, endpoints))
            fetcher.start(spans_of(planned))
            return fetcher

        yield start


def spans_of(planned: Mapping[str, list[date]]) -> list[Span]:
    return [span for table, days in planned.items() for span in spans(ENDPOINT[table], days)]


def arrived(fetcher: Fetcher, table: str) -> list[FetchedDay]:
    return list(fetcher.days(ENDPOINT[table]))


def days_of(fetcher: Fetcher, table: str) -> list[date]:
    return [day.day for day in arrived(fetcher, table)]


def counts(fetcher: Fetcher, table: str) -> dict[date, int]:
    """Rows of each day that arrived."""
    return {day.day: len(day.rows()) for day in arrived(fetcher, table)}


def asked_days(api: Sandbox, table: str) -> list[str]:
    path = ENDPOINT[table].path
    return [request.params["date"] for request in api.requests if request.path == path]


def on_days(*days: date) -> Callable[[Params], bool]:
    return lambda params: params.get("date") in [str(day) for day in days]


def series_row(day: date, **fields: Any) -> dict[str, Any]:
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(1)}T00:00:00Z",
        "daily_active_user_count": day.day,
        **fields,
    }


def series(*rows: Any) -> dict[str, Any]:
    return {"data": rows, "next_page": None}


# Whole days.


def test_days_arrive_in_order_whichever_is_answered_first(api: Sandbox, fetch: Start) -> None:
    api.answer("skills", when=on_days(DAYS[0]), delay_seconds=0.1)
    fetcher = fetch({"skills": DAYS})

    found = arrived(fetcher, "skills")

    assert [day.day for day in found] == DAYS
    assert [day.rows()["skill_name"].to_pylist() for day in found] == [
        [f"skill of {day}"] for day in DAYS
    ]
    assert all(day.rows()["activity_date"].to_pylist() == [day.day] for day in found)
    assert sorted(asked_days(api, "skills")) == [str(day) for day in DAYS]


def test_a_day_of_many_pages_is_one_day(api: Sandbox, fetch: Start) -> None:
    for number in range(3):
        rows = [{"skill_name": f"{number}"}, {"skill_name": f"{number}", "new": 1}, "bad"]
        next_page = None if number == 2 else f"page_{number}"
        api.answer("skills", body={"data": rows, "next_page": next_page})
    fetcher = fetch({"skills": [NEWEST]})

    (day,) = arrived(fetcher, "skills")

    assert day.rows()["skill_name"].to_pylist() == ["0", "0", "1", "1", "2", "2"]
    assert (day.row_count, len(day.pages), len(day.rejected)) == (6, 3, 3)
    assert day.undeclared == {"new"}
    progress = fetcher.progress["skills"]
    assert (progress.day_count, progress.row_count, progress.rejected_count) == (1, 6, 3)
    assert progress.undeclared == {"new"}


def test_a_day_whose_later_page_fails_does_not_arrive_in_part(api: Sandbox, fetch: Start) -> None:
    day = DAYS[3]
    api.answer("skills", when=on_days(day), body={"data": [{"skill_name": "a"}], "next_page": "p"})
    api.answer("skills", when=on_days(day), status=500, headers=UNRETRIED)
    fetcher = fetch({"skills": DAYS})

    assert days_of(fetcher, "skills") == [each for each in DAYS if each != day]
    assert len(fetcher.progress["skills"].failures) == 1


def test_an_empty_day_arrives_without_rows(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"connectors": DAYS})

    assert counts(fetcher, "connectors") == dict.fromkeys(DAYS, 0)
    assert fetcher.progress["connectors"].day_count == len(DAYS)


def test_each_endpoint_gets_its_own_days(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"users": june(1, 2), "skills": june(2, 5), "summaries": june(3, 4)})

    assert days_of(fetcher, "summaries") == june(3, 4)
    assert days_of(fetcher, "users") == june(1, 2)
    assert days_of(fetcher, "skills") == june(2, 5)
    assert fetcher.day_count == 6
    assert len(api.requests) == 5


def test_whoever_shows_the_progress_hears_of_every_answer(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"skills": []})
    heard: list[int] = []
    fetcher.on_progress = lambda: heard.append(fetcher.day_count)

    fetcher.start(spans_of({"skills": DAYS}))

    assert days_of(fetcher, "skills") == DAYS
    assert len(heard) == len(DAYS)
    assert heard[-1] == len(DAYS)


def test_who_stops_early_gets_no_day_and_no_error(
    api: Sandbox, fetch: Start, tmp_path: Path
) -> None:
    budget = RateBudget(tmp_path / "closed.db", 1)
    budget.close()
    fetcher = fetch({"skills": DAYS}, budget=budget)

    assert days_of(fetcher, "skills") == []
    assert fetcher.progress["skills"].failures == []
    assert api.requests == []


# Refusals and failures.


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 404},
        {"status": 403},
        {
            "status": 400,
            "body": {
                "error": {
                    "message": "This endpoint is not supported for this type of organization.",
                    "details": {"error_code": "organization_type_not_supported"},
                }
            },
        },
    ],
    ids=["404", "403", "another kind of organisation"],
)
def test_a_refused_endpoint_leaves_the_others_alone_and_is_no_failure(
    api: Sandbox, fetch: Start, refusal: dict[str, Any]
) -> None:
    days = days_between(OLDEST, NEWEST)
    api.answer("skills", times=ALWAYS, **refusal)
    fetcher = fetch({"users": DAYS, "skills": days, "connectors": DAYS})

    assert (days_of(fetcher, "users"), days_of(fetcher, "connectors")) == (DAYS, DAYS)
    assert days_of(fetcher, "skills") == []
    assert isinstance(fetcher.progress["skills"].refused, Refused)
    assert fetcher.progress["skills"].failures == []
    assert fetcher.fatal is None
    assert fetcher.progress["users"].refused is None
    assert len(asked_days(api, "skills")) <= WORKERS < len(days)


@pytest.mark.parametrize("status", [403, 404])
def test_when_users_is_refused_nothing_else_is_asked(
    api: Sandbox, fetch: Start, status: int
) -> None:
    api.answer("users", status=status, times=ALWAYS)
    fetcher = fetch({"skills": DAYS, "users": DAYS, "summaries": DAYS})

    for table in ("skills", "users", "summaries"):
        assert days_of(fetcher, table) == []
    assert isinstance(fetcher.fatal, Refused)
    assert f"({status} for users, day 2026-06-12)" in str(fetcher.fatal)
    assert len(api.requests) == 1


def test_a_wrong_key_costs_one_request(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"skills": DAYS, "users": DAYS}, api_key="sk-ant-api01-wrong")

    assert (days_of(fetcher, "skills"), days_of(fetcher, "users")) == ([], [])
    assert isinstance(fetcher.fatal, KeyRefused)
    assert len(api.requests) == 1


def test_a_key_revoked_meanwhile_ends_the_run_whatever_endpoint_it_hits(
    api: Sandbox, fetch: Start
) -> None:
    fetcher = fetch({"users": DAYS, "skills": []})
    assert days_of(fetcher, "users") == DAYS
    api.answer("skills", status=401, times=ALWAYS)

    fetcher.start(spans_of({"skills": days_between(OLDEST, NEWEST)}))

    assert days_of(fetcher, "skills") == []
    assert isinstance(fetcher.fatal, KeyRefused)
    assert len(asked_days(api, "skills")) <= WORKERS


def test_a_host_that_cannot_be_reached_ends_the_run(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"skills": DAYS, "users": DAYS}, base_url="http://127.0.0.1:1")

    assert (days_of(fetcher, "skills"), days_of(fetcher, "users")) == ([], [])
    assert isinstance(fetcher.fatal, Unreachable)


def test_a_sign_in_page_in_place_of_the_api_ends_the_run(api: Sandbox, fetch: Start) -> None:
    api.answer("", times=ALWAYS, body="<html>Sign in</html>")
    fetcher = fetch({"skills": DAYS, "users": DAYS})

    assert (days_of(fetcher, "skills"), days_of(fetcher, "users")) == ([], [])
    assert isinstance(fetcher.fatal, NotTheApi)
    assert len(api.requests) == 3


def test_another_currency_ends_the_run(api: Sandbox, fetch: Start) -> None:
    api.answer("skills", body=series({"skill_name": "pdf", "currency": "EUR"}))
    fetcher = fetch({"skills": [NEWEST]})

    assert days_of(fetcher, "skills") == []
    assert "EUR" in str(fetcher.fatal)


def test_one_failing_day_is_left_out_and_the_later_ones_arrive(api: Sandbox, fetch: Start) -> None:
    api.answer("skills", when=on_days(DAYS[2]), status=500, headers=UNRETRIED, times=ALWAYS)
    fetcher = fetch({"skills": DAYS, "users": DAYS})

    assert days_of(fetcher, "skills") == [day for day in DAYS if day != DAYS[2]]
    assert days_of(fetcher, "users") == DAYS
    (failure,) = fetcher.progress["skills"].failures
    assert "(500 for skills, day 2026-06-03)" in failure
    assert (fetcher.fatal, fetcher.progress["skills"].refused) == (None, None)


def test_three_failures_in_a_row_give_the_endpoint_up_and_no_other(
    api: Sandbox, fetch: Start
) -> None:
    days = days_between(OLDEST, NEWEST)
    api.answer("skills", status=500, headers=UNRETRIED, times=ALWAYS)
    fetcher = fetch({"skills": days, "users": DAYS})

    assert days_of(fetcher, "skills") == []
    assert days_of(fetcher, "users") == DAYS
    assert 3 <= len(asked_days(api, "skills")) <= 3 + WORKERS
    assert len(fetcher.progress["skills"].failures) == len(asked_days(api, "skills"))


def test_the_third_failure_in_a_row_is_the_last_one(api: Sandbox, fetch: Start) -> None:
    api.answer("skills", status=500, headers=UNRETRIED, times=ALWAYS)
    fetcher = fetch({"skills": []})
    for day in DAYS:  # One after the other, so that no thread is ahead.
        fetcher.start(spans_of({"skills": [day]}))
        assert days_of(fetcher, "skills") == []

    assert asked_days(api, "skills") == [str(day) for day in DAYS[:3]]


def test_failures_with_successes_between_them_give_nothing_up(api: Sandbox, fetch: Start) -> None:
    bad = [day for day in DAYS if day.day % 3]
    api.answer("skills", when=on_days(*bad), status=500, headers=UNRETRIED, times=ALWAYS)
    fetcher = fetch({"skills": []})
    found = []
    for day in DAYS:
        fetcher.start(spans_of({"skills": [day]}))
        found += days_of(fetcher, "skills")

    assert found == june(3, 6, 9, 12)
    assert len(fetcher.progress["skills"].failures) == len(bad)


# Days that the API does not have.


def test_a_day_too_recent_ends_the_range_without_a_word(api: Sandbox, fetch: Start) -> None:
    planned = days_between(date(2026, 6, 8), date(2026, 7, 31))
    fetcher = fetch({"skills": planned, "users": DAYS})

    assert days_of(fetcher, "skills") == june(8, 9, 10, 11, 12)
    assert days_of(fetcher, "users") == DAYS
    progress = fetcher.progress["skills"]
    assert (progress.failures, progress.refused, fetcher.fatal) == ([], None, None)
    assert progress.newest == NEWEST
    assert progress.closed_days == set(planned[5:])
    assert len(asked_days(api, "skills")) <= 5 + WORKERS
    assert fetcher.progress["users"].newest == date.max


def test_after_one_day_too_recent_no_later_one_is_asked_for(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"skills": june(13)})
    assert days_of(fetcher, "skills") == []

    fetcher.start(spans_of({"skills": june(11, 12, 14, 15, 16, 17)}))

    assert days_of(fetcher, "skills") == june(11, 12)
    assert sorted(asked_days(api, "skills")) == ["2026-06-11", "2026-06-12", "2026-06-13"]
    assert fetcher.progress["skills"].closed_days == set(june(13, 14, 15, 16, 17))


def test_a_day_too_old_begins_the_range_without_a_word(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"skills": []})
    for day in days_between(date(2026, 3, 15), date(2026, 3, 18)):
        fetcher.start(spans_of({"skills": [day]}))

    assert days_of(fetcher, "skills") == [OLDEST, date(2026, 3, 18)]
    assert fetcher.progress["skills"].oldest == OLDEST
    assert fetcher.progress["skills"].failures == []


def test_a_series_too_recent_at_its_end_is_asked_for_again_up_to_the_newest_day(
    api: Sandbox, fetch: Start
) -> None:
    fetcher = fetch({"summaries": june(*range(8, 21))})

    assert days_of(fetcher, "summaries") == june(8, 9, 10, 11, 12)
    assert fetcher.progress["summaries"].newest == NEWEST
    assert fetcher.progress["summaries"].closed_days == set(june(*range(13, 21)))
    assert len(api.requests) == 2


def test_a_series_wholly_too_recent_is_asked_for_once(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"summaries": june(13, 14, 15, 16)})

    assert days_of(fetcher, "summaries") == []
    assert fetcher.progress["summaries"].newest == NEWEST
    assert fetcher.progress["summaries"].failures == []
    assert len(api.requests) == 1


@pytest.mark.parametrize("last", [13, 14, 30])
def test_a_series_that_begins_with_the_newest_day_brings_that_day(
    api: Sandbox, fetch: Start, last: int
) -> None:
    fetcher = fetch({"summaries": june(*range(12, last + 1))})

    assert days_of(fetcher, "summaries") == [NEWEST]
    assert fetcher.progress["summaries"].failures == []
    assert fetcher.progress["summaries"].newest == NEWEST


def test_a_series_that_ends_with_the_oldest_day_brings_that_day(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"summaries": days_between(date(2026, 3, 10), OLDEST)})

    assert days_of(fetcher, "summaries") == [OLDEST]
    assert fetcher.progress["summaries"].failures == []
    assert fetcher.progress["summaries"].oldest == OLDEST


@pytest.mark.parametrize("first", [date(2026, 3, 16), date(2026, 3, 1)])
def test_a_series_too_old_at_its_start_loses_only_the_days_that_are_gone(
    api: Sandbox, fetch: Start, first: date
) -> None:
    fetcher = fetch({"summaries": days_between(first, NEWEST)})

    assert days_of(fetcher, "summaries") == days_between(OLDEST, NEWEST)
    assert fetcher.progress["summaries"].failures == []
    assert fetcher.progress["summaries"].newest >= NEWEST


def test_a_series_wholly_too_old_costs_only_itself(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"summaries": days_between(date(2026, 2, 1), date(2026, 2, 20))})
    assert days_of(fetcher, "summaries") == []

    fetcher.start(spans_of({"summaries": DAYS}))

    assert days_of(fetcher, "summaries") == DAYS


# A series is cut into days.


def test_a_series_is_cut_into_days_with_their_own_rows(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"summaries": DAYS})

    found = arrived(fetcher, "summaries")

    assert [day.day for day in found] == DAYS
    assert [day.rows()["daily_active_user_count"].to_pylist() for day in found] == [
        [day.day] for day in DAYS
    ]
    assert [day.rows()["activity_date"].to_pylist() for day in found] == [[day] for day in DAYS]
    assert fetcher.progress["summaries"].row_count == len(DAYS)
    assert len(api.requests) == 1


def test_a_day_that_a_series_leaves_out_or_ends_before_is_not_there_yet(
    api: Sandbox, fetch: Start
) -> None:
    api.answer("summaries", body=series(*(series_row(day) for day in june(1, 2, 4))))
    fetcher = fetch({"summaries": june(1, 2, 3, 4, 5, 6)})

    assert counts(fetcher, "summaries") == dict(zip(june(1, 2, 4), (1, 1, 1), strict=True))


def test_a_series_that_starts_late_has_empty_days_before_it(api: Sandbox, fetch: Start) -> None:
    api.answer("summaries", body=series(series_row(june(3)[0])))
    fetcher = fetch({"summaries": june(1, 2, 3)})

    assert counts(fetcher, "summaries") == dict(zip(june(1, 2, 3), (0, 0, 1), strict=True))


def test_days_that_were_not_asked_for_are_dropped(api: Sandbox, fetch: Start) -> None:
    sent = [date(2026, 5, 31), *june(1, 2, 3, 4, 5, 6)]
    api.answer("summaries", body=series(*(series_row(day) for day in sent)))
    fetcher = fetch({"summaries": june(1, 2, 5)})

    assert counts(fetcher, "summaries") == dict.fromkeys(june(1, 2, 5), 1)
    assert fetcher.progress["summaries"].row_count == 3


@pytest.mark.parametrize("sent", [june(1, 2, 3), june(4, 5, 6, 7, 8), june(20, 21)])
def test_the_answer_of_another_question_is_no_series_with_empty_days(
    api: Sandbox, fetch: Start, sent: list[date]
) -> None:
    api.answer("summaries", times=ALWAYS, body=series(*(series_row(day) for day in sent)))
    fetcher = fetch({"summaries": june(5, 6)})

    assert days_of(fetcher, "summaries") == []
    [failure] = fetcher.progress["summaries"].failures
    assert "2026-06-05 to 2026-06-06 were asked for" in failure


def test_an_explicitly_empty_series_is_so_many_empty_days(api: Sandbox, fetch: Start) -> None:
    api.answer("summaries", body=series())
    fetcher = fetch({"summaries": DAYS})

    assert counts(fetcher, "summaries") == dict.fromkeys(DAYS, 0)


@pytest.mark.parametrize("body", [{"next_page": None}, {"data": None}])
def test_a_series_without_its_list_brings_no_day(
    api: Sandbox, fetch: Start, body: dict[str, Any]
) -> None:
    api.answer("summaries", times=ALWAYS, body=body)
    fetcher = fetch({"summaries": DAYS})

    assert days_of(fetcher, "summaries") == []
    assert len(fetcher.progress["summaries"].failures) == 1


def test_a_series_of_many_pages_is_cut_as_one(api: Sandbox, fetch: Start) -> None:
    first, second = june(1, 2)
    api.answer("summaries", body={"data": [series_row(first)], "next_page": "p2"})
    api.answer("summaries", body=series(series_row(second)))
    fetcher = fetch({"summaries": [first, second]})

    assert counts(fetcher, "summaries") == {first: 1, second: 1}


def test_an_older_answer_of_a_series_is_cut_the_same(api: Sandbox, fetch: Start) -> None:
    api.answer("summaries", body={"summaries": [series_row(day) for day in june(1, 2)]})
    fetcher = fetch({"summaries": june(1, 2)})

    assert counts(fetcher, "summaries") == dict.fromkeys(june(1, 2), 1)


def test_a_rejected_row_belongs_to_its_day_and_its_day_arrives(api: Sandbox, fetch: Start) -> None:
    first, second, third, fourth = june(1, 2, 3, 4)
    bad = [series_row(day, daily_active_user_count="many") for day in (second, third)]
    api.answer("summaries", body=series(series_row(first), *bad))
    fetcher = fetch({"summaries": [first, second, third, fourth]})

    found = arrived(fetcher, "summaries")

    assert {day.day: (day.row_count, len(day.rejected)) for day in found} == {
        first: (1, 0), second: (0, 1), third: (0, 1),
    }  # fmt: skip
    assert [json.loads(row.row_json) for day in found for row in day.rejected] == bad
    assert all(row.day == day.day for day in found for row in day.rejected)
    assert fetcher.progress["summaries"].rejected_count == 2


def test_a_rejected_row_without_a_day_stays_with_the_first_one(api: Sandbox, fetch: Start) -> None:
    first, second = june(1, 2)
    api.answer("summaries", body=series({"starting_at": None}, series_row(second)))
    fetcher = fetch({"summaries": [first, second]})

    found = arrived(fetcher, "summaries")

    assert [len(day.rejected) for day in found] == [1, 0]


def test_a_series_whose_only_rejected_row_has_no_day_does_not_empty_the_others(
    api: Sandbox, fetch: Start
) -> None:
    api.answer("summaries", body=series("unreadable"))
    fetcher = fetch({"summaries": june(1, 2, 3)})

    assert counts(fetcher, "summaries") == {date(2026, 6, 1): 0}


# Cost and usage: known up to a moment, which moves.

EVENING = "2026-06-11T20:00:00Z"
NIGHT = "2026-06-12T02:00:00Z"


def cost_row(day: date, amount: str = "1", **fields: Any) -> dict[str, Any]:
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(1)}T00:00:00Z",
        "group": {"actor": None, "product": "chat"},
        "cost": {"amount": amount, "list_amount": amount, "currency": "USD"},
        **fields,
    }


def costs(*rows: Any, next_page: str | None = None, at: str | None = NIGHT) -> dict[str, Any]:
    return {
        "data": rows,
        "has_more": next_page is not None,
        "next_page": next_page,
        "data_refreshed_at": at,
    }


def amounts(fetcher: Fetcher, table: str = "costs") -> dict[int, list[Decimal]]:
    """Amounts of each day that arrived, by day of the month."""
    return {
        day.day.day: sorted(day.rows()["cost__amount"].to_pylist())
        for day in arrived(fetcher, table)
    }


def asked_cursors(api: Sandbox) -> list[str | None]:
    return [request.params.get("page") for request in api.requests]


def asked_spans(api: Sandbox) -> list[tuple[str, str]]:
    """First day and the day after the last one, of each request."""
    return sorted(
        (request.params["starting_at"][:10], request.params["ending_at"][:10])
        for request in api.requests
    )


def test_data_refreshed_between_pages_is_read_from_its_first_page_again(
    api: Sandbox, fetch: Start
) -> None:
    first, second = june(1, 2)
    api.answer("cost", body=costs(cost_row(first, "1"), next_page="p2", at=EVENING))
    api.answer("cost", status=410)
    api.answer("cost", body=costs(cost_row(first, "10"), cost_row(first, "3"), next_page="p2"))
    api.answer("cost", body=costs(cost_row(second, "20")))
    fetcher = fetch({"costs": [first, second]})

    assert amounts(fetcher) == {1: [3, 10], 2: [20]}
    assert asked_cursors(api) == [None, "p2", None, "p2"]
    progress = fetcher.progress["costs"]
    assert (progress.row_count, progress.failures, progress.refused) == (3, [], None)


def test_pages_of_two_refreshes_are_not_mixed_though_the_api_gives_both(
    api: Sandbox, fetch: Start
) -> None:
    (day,) = june(1)
    api.answer("cost", body=costs(cost_row(day, "1"), next_page="p2", at=EVENING))
    api.answer("cost", body=costs(cost_row(day, "2"), at=NIGHT))
    api.answer("cost", body=costs(cost_row(day, "10"), next_page="p2", at=NIGHT))
    api.answer("cost", body=costs(cost_row(day, "20"), at=NIGHT))
    fetcher = fetch({"costs": [day]})

    assert amounts(fetcher) == {1: [10, 20]}
    assert asked_cursors(api) == [None, "p2", None, "p2"]


@pytest.mark.parametrize(
    "second", [{"status": 410}, {"body": costs(cost_row(date(2026, 6, 1)), at=NIGHT)}]
)
def test_data_refreshed_again_and_again_is_a_failure_that_says_what_to_do(
    api: Sandbox, fetch: Start, second: dict[str, Any]
) -> None:
    page = costs(cost_row(date(2026, 6, 1)), next_page="p2", at=EVENING)
    api.answer("cost", body=page, when=lambda params: "page" not in params, times=ALWAYS)
    api.answer("cost", when=lambda params: "page" in params, times=ALWAYS, **second)
    fetcher = fetch({"costs": june(1, 2), "users": DAYS})

    assert days_of(fetcher, "costs") == []
    assert days_of(fetcher, "users") == DAYS
    (failure,) = fetcher.progress["costs"].failures
    assert "costs, day 2026-06-01" in failure
    assert "refreshed while its pages were read" in failure
    assert "Run again later" in failure
    assert fetcher.fatal is None
    of_costs = [request for request in api.requests if request.path.endswith("/cost")]
    assert len(of_costs) == 2 * RESTARTS


def test_another_error_behind_a_refresh_is_not_tried_again(api: Sandbox, fetch: Start) -> None:
    api.answer("cost", status=410)
    api.answer("cost", status=500, headers=UNRETRIED)
    fetcher = fetch({"costs": june(1)})

    assert days_of(fetcher, "costs") == []
    assert len(fetcher.progress["costs"].failures) == 1
    assert len(api.requests) == 2


@pytest.mark.parametrize(
    ("refreshed_at", "there"),
    [
        ("2026-06-12T02:00:00Z", [10, 11, 12]),
        ("2026-06-12T00:00:00.000001Z", [10, 11, 12]),
        ("2026-06-12T00:00:00Z", [10, 11]),
        ("2026-06-12T01:00:00+02:00", [10, 11]),
        ("2026-06-10T00:00:01Z", [10]),
        ("2026-06-10T00:00:00Z", []),
        ("2026-05-01T00:00:00Z", []),
        ("2026-07-01T00:00:00Z", [10, 11, 12, 13, 14]),
        (None, []),
    ],
)
@pytest.mark.parametrize("table", ["costs", "cost_totals", "usage"])
def test_days_are_there_as_far_as_their_data_and_later_ones_are_not_empty(
    api: Sandbox, fetch: Start, table: str, refreshed_at: str | None, there: list[int]
) -> None:
    api.answer("analytics", body=costs(at=refreshed_at))
    fetcher = fetch({table: june(10, 11, 12, 13, 14)})

    assert counts(fetcher, table) == dict.fromkeys(june(*there), 0)
    assert fetcher.progress[table].failures == []
    assert fetcher.progress[table].day_count == len(there)


def test_a_row_beyond_the_moment_of_the_data_makes_no_day(api: Sandbox, fetch: Start) -> None:
    api.answer("cost", body=costs(*(cost_row(day) for day in june(11, 12)), at=EVENING))
    fetcher = fetch({"costs": june(10, 11, 12)})

    assert amounts(fetcher) == {10: [], 11: [1]}


def test_a_day_knows_until_when_its_data_is_complete(api: Sandbox, fetch: Start) -> None:
    api.answer("cost", body=costs(cost_row(NEWEST), at=NIGHT))
    fetcher = fetch({"costs": june(11, 12)})

    expected = datetime(2026, 6, 12, 2, tzinfo=UTC)
    assert [day.data_refreshed_at for day in arrived(fetcher, "costs")] == [expected] * 2
    assert fetcher.progress["costs"].refreshed_at == expected


def test_the_newest_moment_of_several_requests_counts(api: Sandbox, fetch: Start) -> None:
    api.answer("cost", body=costs(at=NIGHT), when=lambda params: "06-01" in params["starting_at"])
    api.answer("cost", body=costs(at=EVENING), when=lambda params: "06-08" in params["starting_at"])
    fetcher = fetch({"costs": DAYS[:10]})

    assert days_of(fetcher, "costs") == DAYS[:10]
    assert fetcher.progress["costs"].refreshed_at == datetime(2026, 6, 12, 2, tzinfo=UTC)


def test_engagement_has_no_moment_of_its_data(api: Sandbox, fetch: Start) -> None:
    fetcher = fetch({"users": june(1), "summaries": june(1, 2)})

    found = [*arrived(fetcher, "users"), *arrived(fetcher, "summaries")]
    assert [day.data_refreshed_at for day in found] == [None] * 3


def test_days_that_nobody_asked_for_cost_no_request_where_rows_are_pages(
    api: Sandbox, fetch: Start
) -> None:
    api.answer("cost", body=costs(), times=ALWAYS)
    fetcher = fetch({"costs": june(1, 2, 4, 5, 12)})

    assert days_of(fetcher, "costs") == june(1, 2, 4, 5, 12)
    assert asked_spans(api) == [
        ("2026-06-01", "2026-06-03"),
        ("2026-06-04", "2026-06-06"),
        ("2026-06-12", "2026-06-13"),
    ]


def test_totals_of_a_month_are_one_request_whatever_lies_between(
    api: Sandbox, fetch: Start
) -> None:
    api.answer("cost", body=costs(), times=ALWAYS)
    fetcher = fetch({"cost_totals": june(1, 2, 4, 12)})

    assert days_of(fetcher, "cost_totals") == june(1, 2, 4, 12)
    assert asked_spans(api) == [("2026-06-01", "2026-06-13")]


def test_days_of_cost_come_with_every_actor_and_all_pages(api: Sandbox, fetch: Start) -> None:
    rows = [
        {
            "group": {
                "actor": {"type": "service_account_actor", "service_account_id": f"svac_{n:04}"},
                "product": "chat",
                "model": "m",
                "cost_type": "tokens",
            },
            "cost": {"amount": f"{n}.5", "list_amount": f"{n}.5", "currency": "USD"},
        }
        for n in range(1200)
    ]
    api.publish("costs", NEWEST, rows)
    fetcher = fetch({"costs": june(11, 12)})

    empty, full = arrived(fetcher, "costs")

    assert (empty.row_count, full.row_count) == (0, 1200)
    assert sum(full.rows()["cost__amount"].to_pylist()) == Decimal(sum(range(1200))) + 600
    assert len(set(full.rows()["group__actor__service_account_id"].to_pylist())) == 1200
    assert len(api.requests) == 2


# The older reports, in buckets.


def report_bucket(day: date, *results: Any) -> dict[str, Any]:
    bounds = {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{day + timedelta(1)}T00:00:00Z"}
    return {**bounds, "results": results}


def result(amount: str, **fields: Any) -> dict[str, Any]:
    money = {"amount": amount, "list_amount": amount, "currency": "USD", "requests": None}
    return {"product": "chat", **money, **fields}


def test_buckets_are_cut_into_days_and_empty_ones_are_empty_days(
    api: Sandbox, fetch: Start
) -> None:
    first, second, third, fourth = june(9, 10, 11, 12)
    api.answer(
        "cost_report",
        body=costs(
            report_bucket(first, result("1"), result("2", product=None)),
            report_bucket(second),
            report_bucket(third, result("3"), result("many")),
            report_bucket(fourth, result("4")),
            at=EVENING,
        ),
    )
    fetcher = fetch({"cost_reports": [first, second, third, fourth]})

    found = {
        day.day: (day.rows()["amount"].to_pylist(), len(day.rejected))
        for day in arrived(fetcher, "cost_reports")
    }

    assert found == {first: ([1, 2], 0), second: ([], 0), third: ([3], 1)}


def test_buckets_on_several_pages_are_cut_as_one(api: Sandbox, fetch: Start) -> None:
    first, second = june(1, 2)
    api.answer("cost_report", body=costs(report_bucket(first, result("1")), next_page="p2"))
    api.answer("cost_report", body=costs(report_bucket(second, result("2"))))
    fetcher = fetch({"cost_reports": [first, second]})

    assert counts(fetcher, "cost_reports") == {first: 1, second: 1}


def test_a_day_whose_bucket_is_missing_is_not_an_empty_day(api: Sandbox, fetch: Start) -> None:
    first, second, third = june(1, 2, 3)
    buckets = [report_bucket(first, result("1")), report_bucket(third, result("3"))]
    api.answer("cost_report", body=costs(*buckets))
    api.answer("cost_report", body=costs(buckets[0], report_bucket(second), buckets[1]))
    fetcher = fetch({"cost_reports": [first, second, third]})
    assert counts(fetcher, "cost_reports") == {first: 1, second: 0, third: 1}

    api.answer("cost_report", times=ALWAYS, body=costs(*buckets))
    fetcher = fetch({"cost_reports": [first, second, third]})
    assert days_of(fetcher, "cost_reports") == []
    (failure,) = fetcher.progress["cost_reports"].failures
    assert "no entry for 2026-06-02, which is not an empty day" in failure


@pytest.mark.parametrize(
    "body",
    [
        {"data_refreshed_at": NIGHT},
        {"data": None, "data_refreshed_at": NIGHT},
        costs({"starting_at": "2026-06-01T00:00:00Z"}),
        costs(
            report_bucket(date(2026, 6, 1)), {**report_bucket(date(2026, 6, 2)), "results": None}
        ),
    ],
    ids=["no data", "null", "no results", "null results"],
)
def test_buckets_without_their_list_bring_no_day(
    api: Sandbox, fetch: Start, body: dict[str, Any]
) -> None:
    api.answer("cost_report", times=ALWAYS, body=body)
    fetcher = fetch({"cost_reports": june(1, 2)})

    assert days_of(fetcher, "cost_reports") == []
    (failure,) = fetcher.progress["cost_reports"].failures
    assert "not an empty day" in failure


def test_an_organisation_without_the_newer_api_is_refused_there_and_nowhere_else(
    tmp_path: Path,
) -> None:
    with (
        Sandbox.empty(today=TODAY, cost_api="reports") as older,
        client_of(older, tmp_path) as client,
        Fetcher(client, [ENDPOINT["costs"], ENDPOINT["user_cost_reports"]]) as fetcher,
    ):
        fetcher.start(spans_of({"costs": DAYS, "user_cost_reports": DAYS}))

        assert days_of(fetcher, "costs") == []
        assert days_of(fetcher, "user_cost_reports") == DAYS
        assert isinstance(fetcher.progress["costs"].refused, Refused)
        assert fetcher.fatal is None
