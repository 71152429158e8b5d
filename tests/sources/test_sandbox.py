"""The sandbox answers as the reference says, and its organisation is consistent with itself."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from typing import Any

import anthropic
import httpx
import pytest

from sources.claude_analytics.endpoints import ENDPOINTS
from sources.errors import ForeseenError
from sources.sandbox import Sandbox
from sources.sandbox.limits import RateWindow

TODAY = "2026-06-15"
NEWEST = "2026-06-12"
PATHS = {endpoint.table: endpoint.path for endpoint in ENDPOINTS}
COLUMNS = {endpoint.table: endpoint.columns for endpoint in ENDPOINTS}
DAILY = ("users", "chat_projects", "skills", "connectors")
HTTP = httpx.Client()
GROUPED_ONLY = {"rbac_group_id", "rbac_group_name", "product", "user_id"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today=TODAY, seats=60) as sandbox:
        yield sandbox


def get(sandbox: Sandbox, table: str, **params: str) -> httpx.Response:
    headers = {"x-api-key": sandbox.api_key}
    return HTTP.get(sandbox.url + PATHS.get(table, table), params=params, headers=headers)


def rows(sandbox: Sandbox, table: str, day: date | str) -> list[dict[str, Any]]:
    answer = get(sandbox, table, date=str(day), limit="1000")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def summaries(sandbox: Sandbox, first: date, end: date) -> list[dict[str, Any]]:
    answer = get(sandbox, "summaries", starting_date=str(first), ending_date=str(end))
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def message(answer: httpx.Response) -> str:
    body = answer.json()
    assert body["type"] == "error"
    assert body["request_id"] == answer.headers["request-id"]
    return str(body["error"]["message"])


def flat(row: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    blocks = (
        flat(value, f"{prefix}{name}__") if isinstance(value, dict) else {prefix + name: value}
        for name, value in row.items()
    )
    return dict(chain.from_iterable(block.items() for block in blocks))


def products_used(row: dict[str, Any]) -> set[str]:
    """The products in which a row of users is active, by the definition of the marts."""
    unified = row["chat_cowork_unified_metrics"]
    cowork = row["cowork_metrics"]
    used = {
        "chat": row["chat_metrics"]["message_count"],
        "claude_code": row["claude_code_metrics"]["core_metrics"]["distinct_session_count"],
        "cowork": cowork["message_count"] + cowork["distinct_session_count"],
        "chat_cowork_unified": unified["chat"]["message_count"]
        + unified["sessions"]["message_count"]
        + unified["sessions"]["distinct_session_count"],
        "office_agent": sum(app["message_count"] for app in row["office_metrics"].values()),
        "claude_design": row["design_metrics"]["message_count"],
        "science": row["science_metrics"]["message_count"],
        "claude_tag": row["claude_tag_metrics"]["active_message_count"],
    }
    return {product for product, amount in used.items() if amount > 0}


def test_the_official_client_reads_every_endpoint_page_by_page(sandbox: Sandbox) -> None:
    with anthropic.Anthropic(api_key=sandbox.api_key, base_url=sandbox.url) as client:
        analytics = client.organization.analytics
        read: dict[str, list[anthropic.BaseModel]] = {
            "users": list(analytics.users.list(date="2026-06-10", limit=7)),
            "chat_projects": list(analytics.apps.chat.projects.list(date="2026-06-10", limit=3)),
            "skills": list(analytics.skills.list(date="2026-06-10", limit=2)),
            "connectors": list(analytics.connectors.list(date="2026-06-10", limit=1)),
        }
        series = list(analytics.summaries.list(starting_date="2026-06-01", ending_date=NEWEST))

    for table, pages in read.items():
        assert len(pages) > 2
        assert [json.loads(row.to_json()) for row in pages] == [
            json.loads(type(row).model_validate(served).to_json())
            for row, served in zip(pages, rows(sandbox, table, "2026-06-10"), strict=True)
        ]
    assert [str(day.starting_at.date()) for day in series][::10] == ["2026-06-01", "2026-06-11"]


@pytest.mark.parametrize("table", DAILY)
def test_rows_have_every_declared_field_and_no_other(sandbox: Sandbox, table: str) -> None:
    found = {name for row in rows(sandbox, table, NEWEST) for name in flat(row)}
    assert found - {"created_by"} == COLUMNS[table].keys() - GROUPED_ONLY


def test_summaries_have_every_declared_field_and_no_other(sandbox: Sandbox) -> None:
    (row,) = summaries(sandbox, date(2026, 6, 12), date(2026, 6, 13))
    assert row.keys() == COLUMNS["summaries"].keys()


def test_an_organisation_without_optional_parts_leaves_them_out() -> None:
    with Sandbox(today=TODAY, without=("unified", "claude_tag")) as sandbox:
        user = rows(sandbox, "users", NEWEST)[0]
        (series,) = summaries(sandbox, date(2026, 6, 12), date(2026, 6, 13))

    assert {"chat_cowork_unified_metrics", "claude_tag_metrics"}.isdisjoint(user)
    assert not [name for name in series if name.startswith(("claude_tag", "chat_cowork_unified"))]


@pytest.mark.parametrize(
    ("table", "params", "status", "says"),
    [
        ("users", {"date": "2026-06-13"}, 400, f"recent available day is {NEWEST}"),
        ("users", {"date": "2026-03-16"}, 400, "earliest available day is 2026-03-17"),
        ("users", {"date": "2025-12-31"}, 400, "date: must be on or after 2026-01-01."),
        ("users", {"date": "yesterday"}, 400, "YYYY-MM-DD"),
        ("users", {}, 400, "date: Field required"),
        ("users", {"date": NEWEST, "starting_date": NEWEST}, 400, "not both"),
        ("users", {"date": NEWEST, "limit": "0"}, 400, "limit"),
        ("users", {"date": NEWEST, "limit": "1001"}, 400, "limit"),
        ("users", {"date": NEWEST, "page": "page_x"}, 400, "cursor"),
        ("users", {"date": NEWEST, "group_by[]": "colour"}, 400, "group_by[]"),
        ("summaries", {"starting_date": "2026-06-01", "ending_date": "2026-06-14"}, 400, NEWEST),
        ("summaries", {"starting_date": "2026-06-13"}, 400, NEWEST),
        ("summaries", {"starting_date": "2026-05-01", "ending_date": "2026-06-02"}, 400, "31 days"),
        ("summaries", {"starting_date": NEWEST, "ending_date": NEWEST}, 400, "after"),
        ("/v1/organizations/analytics/dreams", {"date": NEWEST}, 404, "Not found"),
        ("users", {"date": "2026-03-17"}, 200, '"data"'),
        ("users", {"date": NEWEST, "limit": "1000"}, 200, '"next_page": null'),
        ("summaries", {"starting_date": "2026-05-13", "ending_date": "2026-06-13"}, 200, NEWEST),
        ("summaries", {"starting_date": "2026-06-01"}, 200, f'"starting_at":"{NEWEST}T00:00:00Z"'),
    ],
)
def test_a_request_is_answered_within_the_documented_limits(
    sandbox: Sandbox, table: str, params: dict[str, str], status: int, says: str
) -> None:
    answer = get(sandbox, table, **params)

    assert answer.status_code == status
    assert says in (answer.text if status == 200 else message(answer))


def test_a_cursor_belongs_to_its_query(sandbox: Sandbox) -> None:
    page = get(sandbox, "users", date=NEWEST, limit="5").json()["next_page"]

    again = get(sandbox, "users", date=NEWEST, limit="5", page=page)
    other = get(sandbox, "users", date="2026-06-11", limit="5", page=page)

    assert again.json()["data"] == rows(sandbox, "users", NEWEST)[5:10]
    assert message(other) == "cursor does not match current query parameters"


def test_an_unknown_key_and_a_key_without_scope_are_refused() -> None:
    with Sandbox.empty(today=TODAY, scopes=("read:members",)) as sandbox:
        unknown = HTTP.get(sandbox.url + PATHS["users"], headers={"x-api-key": "sk-ant-other"})
        unscoped = get(sandbox, "users", date=NEWEST)

    assert (unknown.status_code, message(unknown)) == (401, "invalid x-api-key")
    assert (unscoped.status_code, message(unscoped)) == (
        403,
        "Missing required scopes. Got: ['read:members'] Needed: ['read:analytics']",
    )


def test_the_request_over_the_limit_is_told_how_long_to_wait() -> None:
    with Sandbox.empty(today=TODAY, requests_per_minute=2) as sandbox:
        answers = [get(sandbox, "skills", date=NEWEST) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 58 <= int(answers[2].headers["retry-after"]) <= 60
    assert [request.status for request in sandbox.requests] == [200, 200, 429]


def test_waiting_as_told_is_enough() -> None:
    window = RateWindow(2)
    assert [window.seconds_to_wait(now) for now in (0.0, 30.4, 59.5)] == [0, 0, 1]
    assert window.seconds_to_wait(60.5) == 0
    assert window.seconds_to_wait(60.6) == 30
    assert window.seconds_to_wait(90.6) == 0


def test_a_later_date_header_moves_the_clock_of_its_request(sandbox: Sandbox) -> None:
    headers = {"x-api-key": sandbox.api_key, "date": "Tue, 16 Jun 2026 12:00:00 GMT"}
    url = sandbox.url + PATHS["users"]

    assert get(sandbox, "users", date="2026-06-13").status_code == 400
    assert HTTP.get(url, params={"date": "2026-06-13"}, headers=headers).status_code == 200
    earlier = {**headers, "date": "Mon, 01 Jun 2026 12:00:00 GMT"}
    assert HTTP.get(url, params={"date": NEWEST}, headers=earlier).status_code == 200


def test_a_seed_always_gives_the_same_bytes_and_another_seed_others() -> None:
    def answers(seed: int, today: str = TODAY) -> list[bytes]:
        with Sandbox(today=today, seed=seed) as sandbox:
            sandbox.today = date.fromisoformat(TODAY)
            daily = [get(sandbox, table, date=NEWEST).content for table in DAILY]
            return [*daily, get(sandbox, "summaries", starting_date="2026-06-01").content]

    first = answers(1)
    assert first == answers(1)
    assert first == answers(1, today="2026-06-01")
    assert all(ours != other for ours, other in zip(first, answers(2), strict=True))


def test_days_are_revised_for_a_week_and_rows_vanish() -> None:
    seen: Counter[str] = Counter()
    with Sandbox(today="2026-05-01", seats=60) as sandbox:
        for day in (date(2026, 5, 4) + timedelta(days=n) for n in range(5)):
            versions = []
            for age in (3, 10, 40):
                sandbox.today = day + timedelta(days=age)
                versions.append({row["user"]["id"]: row for row in rows(sandbox, "users", day)})
            first, settled, later = versions
            assert settled == later
            seen["vanished"] += len(first.keys() - settled.keys())
            seen["late"] += len(settled.keys() - first.keys())
            seen["changed"] += sum(first[id] != settled[id] for id in first.keys() & settled.keys())
            seen["rows"] += len(settled)

    assert 0 < seen["vanished"] < seen["rows"] / 10
    assert 0 < seen["late"] < seen["rows"] / 10
    assert 0 < seen["changed"] < seen["rows"] / 5


def test_a_holiday_is_empty_and_a_sunday_is_revised_to_nothing(sandbox: Sandbox) -> None:
    assert rows(sandbox, "users", "2026-05-01") == []
    with Sandbox(today="2026-04-08", seats=60) as revised:
        assert rows(revised, "users", "2026-04-05")
        revised.today = date(2026, 4, 10)
        assert rows(revised, "users", "2026-04-05") == []


def test_the_organisation_has_people_of_every_kind() -> None:
    with Sandbox(today="2026-09-01", seats=200) as sandbox:
        days = [date(2026, 6, 5) + timedelta(days=n) for n in range(0, 85, 3)]
        users = {day: rows(sandbox, "users", day) for day in days}
        projects = rows(sandbox, "chat_projects", days[-1])
        (last,) = summaries(sandbox, days[-1], days[-1] + timedelta(days=1))
        connectors = [rows(sandbox, "connectors", day)[0] for day in (days[0], days[-1])]
    people = [row["user"] for day in days for row in users[day]]
    emails = {person["email_address"] for person in people}
    ids = {person["id"] for person in people}
    late = {row["user"]["id"] for day in days[-10:] for row in users[day]}

    assert any(not email.isascii() for email in emails)
    assert any(email != email.lower() for email in emails)
    assert len(emails) > len(ids)  # someone's e-mail changed
    assert ids - late  # leavers and dormant seats
    assert len(ids) < last["assigned_seat_count"]  # seats that are never used
    assert last["claude_tag_daily_active_user_count"] >= 1
    assert last["chat_cowork_unified_daily_active_user_count"] >= 1
    assert {project["created_by"] is None for project in projects} == {True, False}
    assert connectors[0]["managed_auth_distinct_user_count"] is None
    assert connectors[1]["managed_auth_distinct_user_count"] is not None


def test_summaries_and_truth_agree_with_the_rows_of_users(sandbox: Sandbox) -> None:
    last = date.fromisoformat(NEWEST)
    days = [last - timedelta(days=n) for n in range(40)]
    used = {
        day: {row["user"]["id"]: products_used(row) for row in rows(sandbox, "users", day)}
        for day in days
    }
    truth = {row["activity_date"]: row for row in sandbox.truth("active_users_daily")}
    by_product = {
        (row["activity_date"], row["product"]): row
        for row in sandbox.truth("product_active_users_daily")
    }
    seats = {row["activity_date"]: row for row in sandbox.truth("seat_utilization_daily")}

    def active(day: date, length: int, product: str | None = None) -> int:
        window = [day - timedelta(days=n) for n in range(length)]
        return len(
            {
                id
                for each in window
                for id, products in used[each].items()
                if (products if product is None else product in products)
            }
        )

    for row in summaries(sandbox, last - timedelta(days=9), last + timedelta(days=1)):
        day = date.fromisoformat(row["starting_at"][:10])
        counted = {"daily": active(day, 1), "weekly": active(day, 7), "monthly": active(day, 30)}
        for span, users in counted.items():
            assert row[f"{span}_active_user_count"] == users
            assert truth[day][f"reported_{span}_active_users"] == users
            assert truth[day][f"computed_{span}_active_users"] == users
            rate = users / row["assigned_seat_count"]
            assert row[f"{span}_adoption_rate"] == round(100 * rate, 2)
            assert seats[day][f"{span}_utilization_rate"] == pytest.approx(rate)
        for product in ("chat", "cowork", "claude_code", "chat_cowork_unified", "science"):
            length = 28 if product == "chat_cowork_unified" else 30
            monthly = active(day, length, product)
            assert row[f"{product}_monthly_active_user_count"] == monthly
            computed = by_product[day, product]["computed_monthly_active_users"]
            # Ours counts those who switched to unified chat and Cowork where they were before.
            assert computed > monthly if product in ("chat", "cowork") else computed == monthly
            assert by_product[day, product]["monthly_window_days"] == length
        tag = by_product[day, "claude_tag"]
        assert tag["computed_monthly_active_users"] == active(day, 28, "claude_tag")
        assert tag["reported_monthly_active_users"] > tag["computed_monthly_active_users"]


def test_truth_knows_which_windows_a_warehouse_covers(sandbox: Sandbox) -> None:
    truth = sandbox.truth("active_users_daily", "2026-05-01")

    assert len(truth) == 43
    assert [row["covered_days_in_30"] for row in truth[27:]] == [28, 29, *[30] * 14]
    computed = [row["computed_monthly_active_users"] for row in truth]
    assert computed[:29] == [None] * 29 and None not in computed[29:]
    assert [row["computed_weekly_active_users"] for row in truth[:6]] == [None] * 6


def test_truth_of_user_activity_agrees_with_the_rows_of_users(sandbox: Sandbox) -> None:
    truth = [
        row
        for row in sandbox.truth("user_activity_daily")
        if row["activity_date"] == date.fromisoformat(NEWEST)
    ]
    served = {row["user"]["id"]: row for row in rows(sandbox, "users", NEWEST)}

    assert served.keys() == {row["user_id"] for row in truth}
    for row in truth:
        answer = served[row["user_id"]]
        tools = answer["claude_code_metrics"]["tool_actions"].values()
        assert row["is_active"] == bool(products_used(answer))
        assert row["email"] == answer["user"]["email_address"]
        assert row["tool_accepted_count"] == sum(tool["accepted_count"] for tool in tools)
        assert row["chat_message_count"] == (
            answer["chat_metrics"]["message_count"]
            + answer["chat_cowork_unified_metrics"]["chat"]["message_count"]
        )


def test_published_rows_are_filled_with_what_the_api_would_say() -> None:
    with Sandbox.empty(today="2026-01-08") as sandbox:
        sandbox.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
        user = {"user": {"id": "u1"}, "chat_metrics": {"message_count": 3}, "new_field": [1]}
        sandbox.publish("users", "2026-01-05", [user])
        sandbox.publish("summaries", date(2026, 1, 5), {"assigned_seat_count": 7})
        sandbox.publish("connectors", "2026-01-05", [{"connector_name": 7}], fill=False)
        (skill,) = rows(sandbox, "skills", "2026-01-05")
        (found,) = rows(sandbox, "users", "2026-01-05")
        (summary,) = summaries(sandbox, date(2026, 1, 1), date(2026, 1, 6))
        connectors = rows(sandbox, "connectors", "2026-01-05")
        unpublished = rows(sandbox, "users", "2026-01-04")

    assert skill["skill_name"] == "pdf"
    assert flat(skill).keys() == COLUMNS["skills"].keys() - GROUPED_ONLY
    assert found["user"]["id"] == "u1" and found["user"]["email_address"]
    assert found["chat_metrics"]["message_count"] == 3
    assert found["chat_metrics"]["thinking_message_count"] == 0
    assert found["new_field"] == [1]
    assert found["last_activity_date"] == "2026-01-05"
    assert summary["starting_at"] == "2026-01-05T00:00:00Z"
    assert (summary["assigned_seat_count"], summary["daily_active_user_count"]) == (7, 0)
    assert summary.keys() == COLUMNS["summaries"].keys()
    assert connectors == [{"connector_name": 7}]
    assert unpublished == []


def test_publishing_again_replaces_the_day() -> None:
    with Sandbox(today=TODAY) as sandbox:
        sandbox.publish("skills", NEWEST, [{"skill_name": str(n)} for n in range(10)])
        first = len(rows(sandbox, "skills", NEWEST))
        sandbox.publish("skills", NEWEST, [{"skill_name": str(n)} for n in range(7)])
        second = len(rows(sandbox, "skills", NEWEST))
        sandbox.publish("skills", NEWEST, [])
        third = len(rows(sandbox, "skills", NEWEST))

    assert (first, second, third) == (10, 7, 0)


def test_wrong_answers_can_be_ordered() -> None:
    with Sandbox.empty(today=TODAY) as sandbox:
        sandbox.publish("skills", NEWEST, [{"skill_name": "pdf"}])

        sandbox.answer("skills", status=529, headers={"retry-after": "1"})
        overloaded = get(sandbox, "skills", date=NEWEST)
        sandbox.answer("skills", body="<html>Sign in</html>")
        html = get(sandbox, "skills", date=NEWEST)
        sandbox.answer("skills", truncate=True)
        with pytest.raises(httpx.RemoteProtocolError):
            get(sandbox, "skills", date=NEWEST)
        sandbox.answer("skills", drop=True)
        with pytest.raises(httpx.RemoteProtocolError):
            get(sandbox, "skills", date=NEWEST)
        sandbox.answer("skills", delay_seconds=0.2)
        start = time.monotonic()
        late = get(sandbox, "skills", date=NEWEST)
        sandbox.answer("skills", status=500, times=2, when=lambda p: p["date"] == NEWEST)
        statuses = [
            get(sandbox, "skills", date=day).status_code
            for day in ("2026-06-11", NEWEST, NEWEST, NEWEST)
        ]

    assert message(overloaded) == "Overloaded" and overloaded.headers["retry-after"] == "1"
    assert html.text.startswith("<html>") and html.headers["content-type"].startswith("text/html")
    assert time.monotonic() - start >= 0.2 and late.json()["data"]
    assert statuses == [200, 500, 500, 200]


def test_a_taken_port_is_named() -> None:
    with Sandbox.empty(today=TODAY) as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(ForeseenError, match=f"Port {port}"):
            Sandbox.empty(today=TODAY, port=port)


def test_an_organisation_of_five_hundred_starts_quickly() -> None:
    start = time.monotonic()
    with Sandbox(today=TODAY, seats=500) as sandbox:
        assert len(rows(sandbox, "users", NEWEST)) > 200
    assert time.monotonic() - start < 3


def test_ctrl_c_ends_the_command_without_a_traceback() -> None:
    program = (
        "from datetime import date; from sources.sandbox import serve;"
        "serve(today=date(2026, 6, 15), seats=20, port=0)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while "Ctrl-C" not in (line := process.stdout.readline()):
            assert line, "ended before it said how to use it"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (0, "")
    assert "has ended" in out
