"""The rules of the activity feed's source: windows, rows, and what is never stored."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.claude_compliance.activities import rows_of
from sources.claude_compliance.feed import COMPLIANCE_API, Feed, Reading
from sources.claude_compliance.windows import (
    MOST_PAGES,
    ReadWindow,
    Window,
    days_to_read,
    next_length,
    next_window,
    settled_days,
    start_of,
)
from sources.http import HttpClient
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox

HTTP = httpx.Client()
PATH = "/v1/compliance/activities"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def window(first: str, end: str) -> Window:
    return Window(at(first), at(end))


def test_a_day_is_read_again_until_the_overlap_after_its_end_has_passed() -> None:
    overlap = timedelta(hours=48)
    early = ReadWindow(window("2026-01-01", "2026-01-02"), at("2026-01-03T23:59"))
    late = ReadWindow(window("2026-01-01", "2026-01-02"), at("2026-01-04"))

    assert settled_days([early], overlap) == set()
    assert settled_days([late], overlap) == {date(2026, 1, 1)}


def test_a_day_of_which_only_a_part_was_read_is_not_settled() -> None:
    part = ReadWindow(window("2026-01-01", "2026-01-01T23:58"), at("2026-02-01"))

    assert settled_days([part], timedelta(0)) == set()


def test_a_hole_in_what_was_read_is_read_and_its_neighbours_are_not() -> None:
    settled = {date(2026, 1, day) for day in (1, 2, 4, 5)}
    days = days_to_read(date(2026, 1, 1), at("2026-01-06"), settled)

    assert days == [date(2026, 1, 3)]
    assert next_window(days, 8, at("2026-01-06")) == window("2026-01-03", "2026-01-04")


def test_nothing_newer_than_two_minutes_is_asked_for() -> None:
    days = days_to_read(date(2026, 1, 5), at("2026-01-06T00:01"), set())

    assert days == [date(2026, 1, 5)]
    assert next_window(days, 8, at("2026-01-06T00:01")).end == at("2026-01-05T23:59")
    assert days_to_read(date(2026, 1, 6), at("2026-01-06T00:01"), set()) == []


@given(
    length=st.integers(1, 32),
    now=st.datetimes(datetime(2026, 1, 2), datetime(2026, 3, 1)),
    settled=st.sets(st.dates(date(2026, 1, 1), date(2026, 2, 28))),
)
def test_the_windows_are_exactly_the_days_that_are_not_settled(
    length: int, now: datetime, settled: set[date]
) -> None:
    clock = now.replace(tzinfo=UTC)
    days = days_to_read(date(2026, 1, 1), clock, settled)
    covered: list[date] = []
    while days:
        each = next_window(days, length, clock)
        assert each.start == start_of(days[0])
        assert each.end <= clock
        covered += each.days
        days = days[len(each.days) :]

    last = (clock - timedelta(minutes=2, microseconds=1)).date()
    expected = [date(2026, 1, 1) + timedelta(days=n) for n in range(60)]
    assert covered == [day for day in expected if day <= last and day not in settled]


def test_windows_grow_while_they_bring_little_and_shrink_before_they_bring_too_much() -> None:
    assert next_length(8, page_count=1) == 16
    assert next_length(32, page_count=0) == 32
    assert next_length(8, page_count=MOST_PAGES // 2) == 8
    assert next_length(8, page_count=MOST_PAGES) == 4
    assert next_length(1, page_count=MOST_PAGES) == 1


EVENT = {
    "id": "activity_1",
    "type": "compliance_api_accessed",
    "created_at": "2026-11-21T15:02:10.412Z",
    "organization_id": None,
    "actor": {"type": "api_actor", "api_key_id": "apikey_1", "ip_address": "198.51.100.7"},
}


def row(**event: Any) -> dict[str, Any]:
    table, rejected = rows_of([{**EVENT, **event}])
    assert not rejected
    found: dict[str, Any] = table.to_pylist()[0]
    return found


def test_envelope_and_actor_are_columns_and_all_else_is_json() -> None:
    found = row(status_code=200, updates=[{"type": "a", "previous_value": False}])

    assert found["id"] == "activity_1"
    assert found["created_at"] == datetime(2026, 11, 21, 15, 2, 10, 412000, UTC)
    assert found["actor__api_key_id"] == "apikey_1"
    assert found["organization_id"] is None
    assert json.loads(found["attributes"]) == {
        "status_code": 200,
        "updates": [{"type": "a", "previous_value": False}],
    }


@pytest.mark.parametrize(
    "name", ["request_body", "Content", "prompt", "messages", "requestBody", "modelResponse"]
)
def test_what_somebody_wrote_is_dropped_at_any_depth(name: str) -> None:
    found = row(**{name: "secret words", "details": [{name: {"a": "secret words"}, "kept": 1}]})

    assert json.loads(found["attributes"]) == {"details": [{"kept": 1}]}


def test_a_field_of_the_actor_that_nobody_declared_is_kept_as_json() -> None:
    found = row(actor={"type": "user_actor", "shoe_size": 42, "provider": {"type": "aws"}})

    assert json.loads(found["attributes"]) == {"actor": {"shoe_size": 42}}
    assert json.loads(found["actor__provider"]) == {"type": "aws"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("text", "it is not an object"),
        ({**EVENT, "id": None}, "it has no id"),
        ({**EVENT, "id": " "}, "it has no id"),
        ({**EVENT, "created_at": "yesterday"}, "created_at is 'yesterday', which is no moment"),
        ({**EVENT, "created_at": None}, "created_at is None, which is no moment"),
        (
            {**EVENT, "created_at": "2026-11-21T15:02:10"},
            "created_at is '2026-11-21T15:02:10', without a time zone",
        ),
    ],
)
def test_an_event_that_cannot_be_a_row_is_set_aside_and_the_others_are_not(
    broken: Any, reason: str
) -> None:
    table, rejected = rows_of([EVENT, broken])

    assert table["id"].to_pylist() == ["activity_1"]
    assert [each.reason for each in rejected] == [reason]


def test_half_a_character_and_a_moment_of_another_zone_are_read() -> None:
    found = row(created_at="2026-11-22T01:30:00+02:00", filename="\ud83d.csv")

    assert found["created_at"] == datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert json.loads(found["attributes"])["filename"] == "?.csv"


@pytest.fixture
def feed() -> Any:
    with Sandbox.empty(today="2026-01-10") as sandbox:
        sandbox.publish_activities(
            [
                {
                    "id": f"activity_{number}",
                    "type": "sso_login_succeeded" if number % 2 else "claude_file_viewed",
                    "created_at": f"2026-01-0{number}T10:00:00Z",
                    "actor": {"type": "user_actor", "user_id": f"user_{number}"},
                }
                for number in range(1, 8)
            ]
        )
        yield sandbox


def get(sandbox: Sandbox, **params: Any) -> httpx.Response:
    named = {name.replace("__", "."): value for name, value in params.items()}
    return HTTP.get(sandbox.url + PATH, params=named, headers={"x-api-key": sandbox.api_key})


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [event["id"].removeprefix("activity_") for event in answer.json()["data"]]


@pytest.mark.parametrize("asked", [("2026-01-08", "2026-01-10"), ("2026-01-03", "2026-01-10")])
def test_events_of_another_window_are_not_taken_for_those_of_this_one(
    feed: Sandbox, tmp_path: Path, asked: tuple[str, str]
) -> None:
    cached = get(feed, created_at__lt="2026-01-05T00:00:00Z").json()
    feed.answer(PATH, body=cached, times=10)
    budget = RateBudget(tmp_path / "rate_budget.sqlite", 100_000)
    options: Any = {"base_url": feed.url, "api_key": feed.api_key, "budget": budget}
    reading = Reading(window(*asked))

    with HttpClient(COMPLIANCE_API, **options) as client:
        list(Feed(client, PATH).read(reading))

    assert not reading.is_complete
    assert "which are not those that were asked for" in str(reading.error)


def test_the_sandbox_has_the_newest_first_or_the_oldest_on_request(feed: Sandbox) -> None:
    assert ids(get(feed)) == list("7654321")
    assert ids(get(feed, order="asc")) == list("1234567")


def test_the_sandbox_takes_moments_and_lists(feed: Sandbox) -> None:
    between = {"created_at__gt": "2026-01-02T10:00:00Z", "created_at__lte": "2026-01-05T10:00:00Z"}

    assert ids(get(feed, **between)) == list("543")
    assert ids(get(feed, **{"activity_types[]": ["claude_file_viewed"]})) == list("642")
    assert ids(get(feed, **{"exclude_activity_types[]": ["claude_file_viewed"]})) == list("7531")
    assert ids(get(feed, **{"actor_ids[]": ["user_1", "user_2"]})) == list("21")


def test_the_sandbox_pages_in_both_directions_and_repeats_itself(feed: Sandbox) -> None:
    first = get(feed, limit=3)
    second = get(feed, limit=3, after_id=first.json()["last_id"])
    back = get(feed, limit=3, before_id=second.json()["first_id"])

    assert ids(first) == list("765")
    assert sorted(set(ids(second)) - set(ids(first))) == list("234")
    assert set(ids(second)) & set(ids(first))
    assert first.json()["has_more"] is second.json()["has_more"] is True
    assert ids(back) == list("765")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"created_at.gte": "2026-01-01"}, "created_at.gte: must be an RFC 3339 timestamp"),
        ({"limit": "5001"}, "limit: must be between 1 and 5000"),
        ({"after_id": "nowhere"}, "after_id: unusable cursor"),
        ({"order": "random"}, "order: must be asc or desc"),
        ({"after_id": "a", "before_id": "b"}, "after_id: cannot be combined with before_id"),
        ({"page": "2"}, "page: Extra inputs are not permitted"),
    ],
)
def test_the_sandbox_refuses_what_the_api_refuses(
    feed: Sandbox, params: dict[str, str], message: str
) -> None:
    answer = HTTP.get(feed.url + PATH, params=params, headers={"x-api-key": feed.api_key})

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_the_sandbox_needs_the_scope_of_the_feed(feed: Sandbox) -> None:
    feed.scopes = ("read:analytics",)
    answer = get(feed)

    assert answer.status_code == 403
    assert "Needed: ['read:compliance_activities']" in answer.json()["error"]["message"]


def test_the_sandbox_allows_600_requests_a_minute() -> None:
    with Sandbox.empty(today="2026-01-10", requests_per_minute=60) as sandbox:
        statuses = [get(sandbox, limit=1).status_code for _ in range(601)]

    assert statuses == [200] * 600 + [429]


def test_an_event_is_not_there_before_it_is_indexed() -> None:
    with Sandbox.empty(today="2026-01-10") as sandbox:
        sandbox.publish_activities([EVENT | {"created_at": "2026-01-05T00:00:00Z"}],
                                   indexed_at="2026-01-12T00:00:00Z")  # fmt: skip
        before = ids(get(sandbox))
        sandbox.today = "2026-01-12"
        after = ids(get(sandbox))

    assert (before, after) == ([], ["1"])


def test_the_invented_organisation_has_every_category_and_only_documented_fields() -> None:
    with Sandbox(today="2026-06-15", seats=40) as sandbox:
        events = get(sandbox, limit=5000, order="asc").json()["data"]

    types = {event["type"] for event in events}
    assert {
        "sso_login_succeeded", "sso_login_failed", "api_key_created", "scim_user_deleted",
        "claude_user_role_updated", "claude_organization_settings_updated",
        "claude_file_uploaded", "group_member_added", "compliance_api_accessed",
        "org_data_export_started", "mcp_server_created", "claude_chat_snapshot_created",
    } <= types  # fmt: skip
    envelope = {"id", "type", "created_at", "organization_id", "organization_uuid", "actor"}
    assert all(envelope <= event.keys() for event in events)
