"""The sandbox answers as the reference says, and its organisation is consistent with itself."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any

import anthropic
import httpx
import pydantic
import pytest
from anthropic.types import organization
from anthropic.types.beta.organization import (
    BetaAnalyticsCostReportTimeBucket,
    BetaAnalyticsCostUsersItem,
    BetaAnalyticsUsageReportTimeBucket,
    BetaAnalyticsUsageUsersItem,
)
from anthropic.types.beta.organization.analytics import (
    BetaAnalyticsCostItem,
    BetaAnalyticsUsageItem,
)
from anthropic.types.organization.rbac_groups import RBACGroupMember

from sources.claude_analytics.endpoints import ENDPOINTS
from sources.errors import ForeseenError
from sources.sandbox import Sandbox, engagement
from sources.sandbox.engagement import START
from sources.sandbox.limits import RateWindow

TODAY = "2026-06-15"
NEWEST = "2026-06-12"
PATHS = {served.table: START + path for path, served in engagement.PATHS.items()}
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


def test_an_organisation_of_five_hundred_is_there_at_once() -> None:
    with Sandbox(today=TODAY, seats=500) as sandbox:
        assert len(rows(sandbox, "users", NEWEST)) > 200


def test_ctrl_c_ends_the_command_without_a_traceback() -> None:
    words = ["sandbox", "--today", "2026-06-15", "--seats", "20", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", "from pipelines.cli import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while "Ctrl-C" not in (line := process.stdout.readline()):
            assert line, "ended before it said how to use it"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)

    assert (process.returncode, err) == (130, "The sandbox has ended.\n")


BETA = "analytics-usage-cost-2026-08-24"
MAY: dict[str, Any] = {"starting_at": "2026-05-01T00:00:00Z", "ending_at": "2026-06-01T00:00:00Z"}
BY_ACTOR = ("actor", "product", "model", "cost_type")
AS_PUBLISHED = (*BY_ACTOR, "context_window", "speed", "token_type")


def ask(sandbox: Sandbox, path: str, *, beta: str = BETA, **params: Any) -> httpx.Response:
    """An answer of any path; list parameters go by their name without brackets."""
    listed = {f"{n}[]" if isinstance(v, tuple) else n: v for n, v in params.items()}
    sent = {"x-api-key": sandbox.api_key, "anthropic-beta": beta}
    return HTTP.get(f"{sandbox.url}/v1/organizations/{path}", params=listed, headers=sent)


def walk(sandbox: Sandbox, path: str, **params: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list that is paged by cursor."""
    pages: list[list[dict[str, Any]]] = []
    page: str | None = None
    while True:
        answer = ask(sandbox, path, **params, **({"page": page} if page else {}))
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()["data"])
        page = answer.json()["next_page"]
        assert answer.json().get("has_more", page is not None) == (page is not None)
        if page is None:
            return pages


def walk_ids(sandbox: Sandbox, path: str, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        after = {"after_id": found[-1]["id"]} if found else {}
        body = ask(sandbox, path, **params, **after).json()
        found += body["data"]
        if not body["has_more"]:
            return found


def costs(sandbox: Sandbox, *group_by: str, day: str = "2026-05-12") -> list[dict[str, Any]]:
    return list(chain.from_iterable(money_of(sandbox, "cost", day, group_by)))


def money_of(
    sandbox: Sandbox, family: str, day: str, group_by: tuple[str, ...], limit: int = 1000
) -> list[list[dict[str, Any]]]:
    return walk(
        sandbox,
        f"analytics/{family}",
        starting_at=f"{day}T00:00:00Z",
        ending_at=f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00Z",
        time_bucket_width="1d",
        group_by=group_by,
        limit=limit,
    )


def total(rows: list[dict[str, Any]], field: str = "amount") -> Decimal:
    return sum((Decimal((row.get("cost") or row)[field]) for row in rows), Decimal(0))


def valid_as(kind: Any, rows: list[dict[str, Any]]) -> None:
    """Every row reads as the official client's type, and has no field that it lacks."""
    assert rows
    for row in rows:
        read = pydantic.TypeAdapter(kind).validate_python(row)
        assert not undeclared(read), undeclared(read)


def undeclared(model: Any) -> set[str]:
    if isinstance(model, pydantic.BaseModel):
        extra = set(model.model_extra or {})
        return extra.union(*(undeclared(getattr(model, name)) for name in type(model).model_fields))
    return set()


def test_plugins_and_artifacts_read_as_the_official_client_says(sandbox: Sandbox) -> None:
    valid_as(organization.AnalyticsPluginActivity, rows(sandbox, "plugins", NEWEST))
    artifacts = ask(sandbox, "analytics/artifacts", date=NEWEST).json()
    valid_as(organization.AnalyticsArtifactActivity, artifacts["data"])
    assert artifacts["next_page"] is None
    for row in artifacts["data"]:
        assert row["published_artifacts_created_count"] <= row["artifacts_created_count"]


def test_ungrouped_artifacts_are_one_page(sandbox: Sandbox) -> None:
    refused: list[dict[str, Any]] = [{"limit": "10"}, {"page": "x"}, {"starting_date": NEWEST}]
    for params in refused:
        assert ask(sandbox, "analytics/artifacts", date=NEWEST, **params).status_code == 400


def test_costs_and_usage_read_as_the_official_client_says(sandbox: Sandbox) -> None:
    valid_as(BetaAnalyticsCostItem, costs(sandbox, *BY_ACTOR))
    (usage,) = money_of(sandbox, "usage", "2026-05-12", ("actor", "product", "model"))
    valid_as(BetaAnalyticsUsageItem, usage)
    for row in usage:
        counts = row["usage"]
        parts = [v for n, v in counts.items() if n.endswith("_tokens") and n != "total_tokens"]
        assert counts["total_tokens"] == sum(parts) + sum(counts["cache_creation"].values())


def test_the_official_client_walks_the_unified_costs(sandbox: Sandbox) -> None:
    with anthropic.Anthropic(api_key=sandbox.api_key, base_url=sandbox.url) as client:
        read = list(
            client.beta.organization.analytics.cost.list(
                starting_at="2026-05-12T00:00:00Z",
                ending_at="2026-05-13T00:00:00Z",
                time_bucket_width="1d",
                group_by=["actor", "product", "model", "cost_type"],
                limit=7,
            )
        )

    assert [row.cost.amount for row in read] == [
        row["cost"]["amount"] for row in costs(sandbox, *BY_ACTOR)
    ]


@pytest.mark.parametrize(
    "group_by",
    [
        (),
        ("product",),
        ("actor",),
        ("actor_type", "model"),
        ("cost_type",),
        ("cost_type", "token_type"),
        ("context_window", "inference_geo", "speed"),
        ("slack_channel_id", "claude_tag_category", "claude_tag_user_id"),
        ("workspace_id", "api_key_id"),
        BY_ACTOR,
    ],
)
def test_every_grouping_of_costs_has_the_same_sum(
    sandbox: Sandbox, group_by: tuple[str, ...]
) -> None:
    whole = costs(sandbox)
    split = costs(sandbox, *group_by)

    assert len(whole) == 1
    assert total(split) == total(whole) > 0
    assert total(split, "list_amount") == total(whole, "list_amount") > total(whole)
    if not {"cost_type", "token_type"} & set(group_by):
        assert sum(r["cost"]["requests"] for r in split) == whole[0]["cost"]["requests"]
    for row in split:
        asked = {name: value for name, value in row["group"].items() if name in group_by}
        assert asked.keys() == set(group_by)
        assert all(row["group"][name] is None for name in row["group"].keys() - asked.keys())


def test_costs_of_groups_overlap_and_one_row_is_in_no_group(sandbox: Sandbox) -> None:
    by_group = costs(sandbox, "rbac_group_id")

    assert total(by_group) > total(costs(sandbox))
    assert [row["group"]["rbac_group_id"] for row in by_group].count(None) == 1


def test_every_row_of_costs_comes_once_and_parts_do_not_count_for_the_limit(
    sandbox: Sandbox,
) -> None:
    whole = costs(sandbox, *BY_ACTOR)
    pages = money_of(sandbox, "cost", "2026-05-12", BY_ACTOR, limit=10)

    assert list(chain.from_iterable(pages)) == whole
    assert max(len(page) for page in pages) > 10
    for page in pages:
        group = [json.dumps({**r["group"], "cost_type": None}) for r in page if r["group"]["actor"]]
        assert len(set(group)) <= 10
    grouped = [{**row["group"], "cost_type": None} for row in whole]
    changes = sum(one != other for one, other in pairwise(grouped))
    assert changes <= len({json.dumps(group) for group in grouped}) + len(grouped) // 20


def test_spend_has_actors_of_every_kind_and_null_ones_in_several_rows(sandbox: Sandbox) -> None:
    found = list(
        chain.from_iterable(
            walk(
                sandbox,
                "analytics/cost",
                **MAY,
                time_bucket_width="1d",
                group_by=BY_ACTOR,
                limit=1000,
            )
        )
    )
    actors = [row["group"]["actor"] for row in found]
    kinds = {actor["type"] for actor in actors if actor}
    nobodies = Counter(
        (row["starting_at"], row["group"]["product"], row["group"]["model"])
        for row in found
        if row["group"]["actor"] is None and row["group"]["cost_type"] == "tokens"
    )
    people = [actor for actor in actors if actor and actor["type"] == "user_actor"]

    assert kinds == {"user_actor", "service_account_actor", "api_actor", "federated_actor"}
    assert max(nobodies.values()) > 1
    assert {row["group"]["cost_type"] for row in found} == {
        "tokens",
        "web_search",
        "code_execution",
    }
    assert {None, "claude_tag", "other"} < {row["group"]["product"] for row in found}
    assert len({row["group"]["model"] for row in found}) == 4
    assert any(Decimal(row["cost"]["amount"]) < 0 for row in found)
    assert any(row["cost"]["amount"][-1] != "0" for row in found)
    assert any(person["name"] == "Claude Security" for person in people)


def test_a_deleted_account_has_no_email_and_a_removed_member_keeps_it() -> None:
    with Sandbox(today="2026-12-20", seats=200, days_ahead=0) as sandbox:
        found = [
            row["group"]["actor"]
            for page in walk(
                sandbox,
                "analytics/cost",
                starting_at="2026-01-12T00:00:00Z",
                ending_at="2026-02-01T00:00:00Z",
                group_by=("actor",),
                actor_types=("user_actor",),
                limit=1000,
            )
            for row in page
        ]
        kept = walk(
            sandbox,
            "analytics/user_cost_report",
            starting_at="2026-01-12T00:00:00Z",
            ending_at="2026-02-01T00:00:00Z",
            exclude_deleted_users="true",
            limit=1000,
        )
    gone = [actor for actor in found if actor["deleted"]]

    assert {actor["name"] == "Deleted User" for actor in gone} == {True, False}
    assert all(
        (actor["email_address"] is None) == (actor["name"] == "Deleted User") for actor in gone
    )
    assert {row["actor"]["user_id"] for page in kept for row in page} == {
        actor["user_id"] for actor in found if not actor["deleted"]
    }


def test_costs_are_revised_for_thirty_days_and_then_final() -> None:
    with Sandbox(today="2026-05-01", seats=60) as sandbox:
        seen: Counter[str] = Counter()
        for day in (date(2026, 5, 4) + timedelta(days=n) for n in range(8)):
            versions, totals = [], []
            for age in (2, 16, 30, 40):
                sandbox.today = day + timedelta(days=age)
                found = costs(sandbox, *BY_ACTOR, day=str(day))
                versions.append(Counter(json.dumps([r["group"], r["cost"]]) for r in found))
                totals.append(total(found))
            assert versions[2] == versions[3]
            seen["changed"] += versions[0] != versions[2]
            seen["stable"] += versions[0] == versions[2]
            seen["moved"] += versions[0] != versions[2] and totals[0] == totals[2]
            seen["late change"] += versions[1] != versions[2]

    assert seen["changed"] and seen["stable"] and seen["late change"]
    assert seen["moved"]  # the total stayed while rows went to other people


def test_the_day_of_the_last_refresh_is_partial_and_later_ones_are_empty() -> None:
    with Sandbox(today=TODAY, seats=60) as sandbox:
        sandbox.data_refreshed_at = datetime(2026, 6, 11, 12, tzinfo=UTC)
        partial = total(costs(sandbox, day="2026-06-11"))
        after = costs(sandbox, day="2026-06-12")
        sandbox.data_refreshed_at = None
        answer = ask(sandbox, "analytics/cost", starting_at="2026-06-10T00:00:00Z").json()
        whole = total(costs(sandbox, day="2026-06-11"))

    assert 0 < partial < whole
    assert after == []
    assert answer["data_refreshed_at"] == "2026-06-14T20:00:00Z"


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"starting_at": "2025-12-31T00:00:00Z"}, "2026-01-01"),
        ({"starting_at": "2026-05-01T00:00:00"}, "time zone"),
        ({"starting_at": "May"}, "RFC 3339"),
        ({}, "Field required"),
        ({**MAY, "ending_at": "2026-06-02T00:00:00Z"}, "31 days"),
        ({**MAY, "ending_at": "2026-05-01T00:00:00Z"}, "after"),
        ({"starting_at": "2026-05-01T00:00:00Z", "time_bucket_width": "1d"}, "ending_at"),
        ({**MAY, "group_by": ("colour",)}, "colour"),
        (
            {
                **MAY,
                "group_by": (
                    "actor",
                    "product",
                    "model",
                    "speed",
                    "inference_geo",
                    "context_window",
                ),
            },
            "at most 5",
        ),
        ({**MAY, "order_by": "colour"}, "order_by"),
        ({**MAY, "limit": "1001"}, "limit"),
        ({**MAY, "exclude_deleted_users": "true"}, "group_by[]=actor"),
        ({**MAY, "page": "page_x"}, "cursor"),
    ],
)
def test_a_wrong_question_about_costs_is_refused(
    sandbox: Sandbox, params: dict[str, Any], says: str
) -> None:
    answer = ask(sandbox, "analytics/cost", **params)

    assert answer.status_code == 400
    assert says in message(answer)


def test_costs_are_answered_for_a_year() -> None:
    with Sandbox.empty(today="2027-03-01") as sandbox:
        old = ask(sandbox, "analytics/cost", starting_at="2026-02-28T00:00:00Z")
        oldest = ask(sandbox, "analytics/cost", starting_at="2026-03-01T00:00:00Z")

    assert (old.status_code, oldest.status_code) == (400, 200)


def test_the_unified_endpoints_need_the_beta_header_and_an_enrolled_organisation() -> None:
    with Sandbox.empty(today=TODAY, cost_api="reports") as sandbox:
        bare = ask(sandbox, "analytics/cost", **MAY, beta="other")
        foreign = ask(sandbox, "analytics/usage", **MAY)
        older = ask(sandbox, "analytics/cost_report", **MAY)

    assert (bare.status_code, foreign.status_code, older.status_code) == (400, 400, 200)
    assert BETA in message(bare)
    error = foreign.json()["error"]
    assert error["details"]["error_code"] == "organization_not_enrolled_in_beta"


def test_a_cost_cursor_belongs_to_its_query_and_to_its_export() -> None:
    with Sandbox(today=TODAY) as sandbox:
        params: dict[str, Any] = {**MAY, "group_by": ("actor",), "limit": 3}
        page = ask(sandbox, "analytics/cost", **params).json()["next_page"]
        other = ask(sandbox, "analytics/cost", **{**params, "limit": 4}, page=page)
        again = ask(sandbox, "analytics/cost", **params, page=page)
        sandbox.publish("costs", "2026-05-05", [])
        expired = ask(sandbox, "analytics/cost", **params, page=page)
        fresh = ask(sandbox, "analytics/cost", **params).json()["next_page"]
        sandbox.today = date(2026, 6, 16)
        refreshed = ask(sandbox, "analytics/cost", **params, page=fresh)
        sandbox.answer("/cost", status=410, when=lambda params: "page" not in params)
        ordered = ask(sandbox, "analytics/cost", **params)

    assert [a.status_code for a in (other, again, expired, refreshed, ordered)] == [
        400,
        200,
        410,
        410,
        410,
    ]
    assert message(other) == "cursor does not match current query parameters"
    assert message(ordered) == message(expired)


def test_the_older_reports_agree_with_the_unified_costs(sandbox: Sandbox) -> None:
    span = {**MAY, "ending_at": "2026-05-10T00:00:00Z"}
    buckets = [
        bucket
        for page in walk(
            sandbox, "analytics/cost_report", **span, group_by=("product", "cost_type"), limit=4
        )
        for bucket in page
    ]
    user_rows = list(
        chain.from_iterable(
            walk(
                sandbox,
                "analytics/user_cost_report",
                **span,
                bucket_width="1d",
                group_by=("product", "model", "cost_type"),
                limit=50,
            )
        )
    )
    usage = ask(sandbox, "analytics/usage_report", **span, group_by=("product",)).json()
    user_usage = ask(sandbox, "analytics/user_usage_report", **span, limit=1000).json()["data"]

    assert [bucket["starting_at"][8:10] for bucket in buckets] == [f"{n:02}" for n in range(1, 10)]
    assert [len(page) for page in walk(sandbox, "analytics/cost_report", **span)] == [7, 2]
    for bucket in buckets:
        day = bucket["starting_at"][:10]
        found = costs(sandbox, "actor", day=day)
        of_people = [
            row for row in found if (row["group"]["actor"] or {}).get("type") == "user_actor"
        ]
        assert total(bucket["results"]) == total(found)
        mine = [row for row in user_rows if row["starting_at"] == bucket["starting_at"]]
        assert total(mine) == total(of_people)
        if bucket["results"]:
            assert total(mine) < total(found)
    products = {row["product"] for bucket in buckets for row in bucket["results"]}
    assert "claude-tag" in products and "claude_tag" not in products
    for bucket in usage["data"]:
        valid_as(BetaAnalyticsUsageReportTimeBucket, [bucket])
    for bucket in buckets:
        valid_as(BetaAnalyticsCostReportTimeBucket, [bucket])
    valid_as(BetaAnalyticsCostUsersItem, user_rows)
    valid_as(BetaAnalyticsUsageUsersItem, user_usage)
    assert {row["starting_at"] for row in user_usage} == {None}
    assert usage["organization_id"]


def test_a_report_gives_a_days_hundred_largest_groups_and_no_remainder() -> None:
    with Sandbox.empty(today=TODAY) as sandbox:
        many = [
            {"group": {"model": f"model-{n:03}"}, "cost": {"amount": f"{n + 1}.5"}}
            for n in range(120)
        ]
        sandbox.publish("costs", "2026-05-05", many)
        (report,) = walk(sandbox, "analytics/cost_report", **MAY, group_by=("model",), limit=31)
        unified = costs(sandbox, "model", day="2026-05-05")

    (results,) = [bucket["results"] for bucket in report if bucket["results"]]
    assert len(report) == 31
    assert len(results) == 100 and results[-1]["model"] == "model-020"
    assert len(unified) == 120


def test_published_costs_go_out_as_they_are_and_are_summed_for_other_groupings() -> None:
    ada = {"user_id": "user_ada"}
    with Sandbox.empty(today=TODAY) as sandbox:
        sandbox.publish(
            "costs",
            "2026-05-05",
            [
                {"group": {"actor": ada, "product": "chat"}, "cost": {"amount": "0.1234567"}},
                {"group": {"actor": ada, "product": "cowork"}, "cost": {"amount": "-1"}},
                {"group": {"product": "chat"}, "cost": {"amount": "2.5", "new_field": [1]}},
                {"group": {"product": "chat"}, "cost": {"amount": "2.5", "currency": "USD"}},
            ],
        )
        raw = costs(sandbox, *AS_PUBLISHED, day="2026-05-05")
        products = costs(sandbox, "product", day="2026-05-05")
        users = walk(sandbox, "analytics/user_cost_report", **MAY)
        sandbox.publish("costs", "2026-05-05", [])
        emptied = costs(sandbox, *AS_PUBLISHED, day="2026-05-05")

    assert [row["cost"]["amount"] for row in raw] == ["0.1234567", "-1", "2.5", "2.5"]
    assert raw[2]["cost"]["new_field"] == [1]
    assert raw[0]["group"]["actor"]["email_address"] == "user_ada@northwind.example"
    assert {row["group"]["product"]: row["cost"]["amount"] for row in products} == {
        "chat": "5.1234567",
        "cowork": "-1.000000",
    }
    assert [row["amount"] for row in users[0]] == ["-0.8765433"]
    assert emptied == []


def test_an_empty_organisation_has_no_costs_and_no_roster() -> None:
    with Sandbox.empty(today=TODAY) as sandbox:
        answer = ask(sandbox, "analytics/cost", **MAY, group_by=("actor",)).json()
        lists = [ask(sandbox, path).json() for path in ("users", "invites")]
        pages = [ask(sandbox, p).json() for p in ("rbac_groups", "spend_limits/effective")]

    assert answer["data"] == [] and answer["data_refreshed_at"] == "2026-06-14T20:00:00Z"
    assert [(each["data"], each["last_id"], each["has_more"]) for each in lists] == [
        ([], None, False)
    ] * 2
    assert pages == [{"data": [], "next_page": None}] * 2


def test_the_roster_reads_as_the_official_client_says(sandbox: Sandbox) -> None:
    members = walk_ids(sandbox, "users", limit=7)
    (groups,) = walk(sandbox, "rbac_groups")
    (roles,) = walk(sandbox, "rbac_roles")
    limits = list(chain.from_iterable(walk(sandbox, "spend_limits/effective", limit=9)))

    valid_as(organization.OrganizationUser, members)
    valid_as(organization.OrganizationInvite, walk_ids(sandbox, "invites", limit=11))
    valid_as(organization.RBACGroup, groups)
    valid_as(organization.RBACRole, roles)
    valid_as(organization.SpendSummary, limits)
    permissions = walk(sandbox, f"rbac_roles/{roles[2]['id']}/permissions", limit=1)
    assert [len(page) for page in permissions] == [1, 1]
    assert ask(sandbox, "me").json()["type"] == "organization"
    assert {row["actor"]["user_id"] for row in limits} == {row["id"] for row in members}
    assert {row["source"]["type"] for row in limits} == {
        "user",
        "rbac_group",
        "seat_tier",
        "organization",
    }
    assert {None, "0"} < {row["amount"] for row in limits}


def test_members_are_paged_newest_first_in_both_directions(sandbox: Sandbox) -> None:
    members = walk_ids(sandbox, "users", limit=1000)
    ids = [row["id"] for row in members]
    before = ask(sandbox, "users", before_id=ids[10], limit=4).json()

    assert [row["id"] for row in walk_ids(sandbox, "users", limit=7)] == ids
    assert len(set(ids)) == len(ids)
    assert [row["added_at"] for row in members] == sorted(
        (row["added_at"] for row in members), reverse=True
    )
    assert [row["id"] for row in before["data"]] == ids[6:10] and before["has_more"]
    assert ask(sandbox, "users", before_id=ids[1], after_id=ids[2]).status_code == 400
    assert [row["role"] for row in members].count("primary_owner") == 1
    email = members[3]["email"].upper().replace("@", "+news@")
    assert [row["id"] for row in walk_ids(sandbox, "users", email=email)] == [ids[3]]
    managed = walk_ids(sandbox, "users", roles=("managed", "owner"))
    assert {row["role"] for row in managed} == {"managed", "owner"}


def test_the_roster_agrees_with_the_summaries_of_its_day(sandbox: Sandbox) -> None:
    for day in (date(2026, 4, 15), date(2026, 5, 20), date(2026, 6, 12)):
        (summary,) = summaries(sandbox, day, day + timedelta(days=1))
        with Sandbox(today=day, seats=60) as then:
            members = walk_ids(then, "users", limit=1000)
            pending = walk_ids(then, "invites", limit=1000, statuses=("pending",))
        assert summary["assigned_seat_count"] == len(members)
        assert summary["pending_invite_count"] == len(pending)


def test_people_join_leave_and_change_as_time_passes() -> None:
    with Sandbox(today="2026-02-01", seats=120, days_ahead=330) as sandbox:
        early = {row["id"]: row for row in walk_ids(sandbox, "users", limit=1000)}
        early_groups = walk(sandbox, "rbac_groups")[0]
        sandbox.today = date(2026, 12, 1)
        late = {row["id"]: row for row in walk_ids(sandbox, "users", limit=1000)}
        late_groups = walk(sandbox, "rbac_groups")[0]
        invites = walk_ids(sandbox, "invites", limit=1000)
    both = early.keys() & late.keys()

    assert early.keys() - late.keys() and late.keys() - early.keys()
    assert any(early[id]["role"] != late[id]["role"] for id in both)
    assert any(early[id]["email"] != late[id]["email"] for id in both)
    assert {row["status"] for row in invites} >= {"accepted", "expired"}
    assert {row["name"] for row in early_groups} != {row["name"] for row in late_groups}
    assert [row["name"] for row in late_groups].count("Finance") == 2


def test_group_members_come_in_short_pages_and_groups_overlap(sandbox: Sandbox) -> None:
    (groups,) = walk(sandbox, "rbac_groups")
    members = {
        group["id"]: walk(sandbox, f"rbac_groups/{group['id']}/members", limit=6)
        for group in groups
    }
    user_ids = {
        id: [row["user_id"] for page in pages for row in page] for id, pages in members.items()
    }
    people = Counter(chain.from_iterable(user_ids.values()))

    assert all(len(set(ids)) == len(ids) for ids in user_ids.values())
    assert any(len(page) < 6 for pages in members.values() for page in pages[:-1])
    assert max(people.values()) > 1
    valid_as(RBACGroupMember, next(p[0] for p in members.values() if p[0]))
    assert ask(sandbox, "rbac_groups/rbac_group_other/members").status_code == 404


def test_the_roles_of_a_group_are_sometimes_unknown() -> None:
    with Sandbox(today="2026-06-01") as sandbox:
        roles = []
        for day in range(1, 15):
            sandbox.today = date(2026, 6, day)
            roles += [group["role_ids"] for group in walk(sandbox, "rbac_groups")[0]]

    assert None in roles and sum(role is None for role in roles) < len(roles) / 2


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("users", "read:members"),
        ("invites", "read:members"),
        ("rbac_roles", "read:members"),
        ("rbac_groups", "read:rbac_groups"),
        ("spend_limits/effective", "read:spend_limits"),
        ("analytics/cost", "read:analytics"),
    ],
)
def test_each_list_needs_its_scope(path: str, scope: str) -> None:
    with Sandbox.empty(today=TODAY, scopes=("read:other",)) as sandbox:
        refused = ask(sandbox, path, **MAY)
        me = ask(sandbox, "me")
        sandbox.scopes = (scope,)
        granted = ask(sandbox, path, **(MAY if "cost" in path else {}))

    assert (refused.status_code, me.status_code, granted.status_code) == (403, 200, 200)
    assert message(refused) == (f"Missing required scopes. Got: ['read:other'] Needed: ['{scope}']")


def test_each_api_has_a_rate_limit_of_its_own() -> None:
    with Sandbox.empty(today=TODAY, requests_per_minute=1) as sandbox:
        spends = [ask(sandbox, "spend_limits/effective").status_code for _ in range(61)]
        users = [ask(sandbox, "users").status_code for _ in range(101)]
        analytics = [ask(sandbox, "analytics/cost", **MAY).status_code for _ in range(2)]

    assert (spends[59:], users[99:], analytics) == ([200, 429], [200, 429], [200, 429])


def test_published_rosters_apply_from_their_day_on() -> None:
    with Sandbox.empty(today="2026-03-10") as sandbox:
        sandbox.publish_roster("members", [{"id": "user_ada"}, {"id": "user_ben"}])
        sandbox.publish_roster("members", [{"id": "user_ada", "role": "owner"}], since="2026-03-12")
        sandbox.publish_roster("rbac_groups", [{"id": "g1", "role_ids": None}])
        sandbox.publish_roster("rbac_group_members", [{"rbac_group_id": "g1", "user_id": "u1"}])
        sandbox.publish_roster(
            "spend_limits", [{"actor": {"user_id": "user_ada"}, "amount": "100"}]
        )
        before = walk_ids(sandbox, "users")
        groups = walk(sandbox, "rbac_groups")
        members = walk(sandbox, "rbac_groups/g1/members")
        limits = walk(sandbox, "spend_limits/effective")
        sandbox.today = date(2026, 3, 12)
        after = walk_ids(sandbox, "users")

    assert [row["id"] for row in before] == ["user_ada", "user_ben"]
    assert [(row["id"], row["role"]) for row in after] == [("user_ada", "owner")]
    assert groups[0][0]["name"] == "g1" and members[0][0]["email"] == "u1@northwind.example"
    assert limits[0][0]["amount"] == "100"
    valid_as(organization.SpendSummary, limits[0])


def test_truth_of_spend_agrees_with_what_is_answered(sandbox: Sandbox) -> None:
    truth = sandbox.truth("spend_daily")
    day = date(2026, 5, 12)
    of_day = [row for row in truth if row["activity_date"] == day]
    (usage,) = money_of(sandbox, "usage", str(day), ("actor_type",))
    kinds = {
        "user_actor": "user",
        "service_account_actor": "service_account",
        "api_actor": "api_key",
        "federated_actor": "federated",
        None: "unattributed",
    }
    answered = {
        (
            kinds[row["group"]["actor_type"]],
            row["group"]["product"],
            row["group"]["cost_type"],
        ): Decimal(row["cost"]["amount"]) / 100
        for row in costs(sandbox, "actor_type", "product", "cost_type")
    }
    summed: dict[tuple[str, str | None, str], Decimal] = {}
    for row in of_day:
        key = (row["actor_type"], row["product"], row["cost_type"])
        summed[key] = summed.get(key, Decimal(0)) + row["spend_usd"]

    assert {key: usd for key, usd in summed.items() if usd} == answered
    for row in usage:
        kind = kinds[row["group"]["actor_type"]]
        mine = [each for each in of_day if each["actor_type"] == kind]
        for name in ("uncached_input_tokens", "output_tokens", "cache_read_input_tokens"):
            assert sum(each[name] or 0 for each in mine) == row["usage"][name]
        assert sum(each["request_count"] or 0 for each in mine) == row["usage"]["requests"]


def test_truth_of_chargeback_is_the_whole_bill(sandbox: Sandbox) -> None:
    chargeback = sandbox.truth("chargeback_monthly")
    (answered,) = walk(sandbox, "analytics/cost", **MAY)
    may = [row for row in chargeback if row["month"] == date(2026, 5, 1)]
    pools = {
        pool: sum(row["amount_usd"] for row in may if row["cost_pool"] == pool)
        for pool in ("metered", "shared", "seats")
    }
    chart = sandbox.truth("org_chart")
    moved = {row["email"].casefold() for row in chart if row["valid_from"] == date(2026, 5, 14)}

    assert pools["metered"] + pools["shared"] == Decimal(answered[0]["cost"]["amount"]) / 100
    assert min(pools.values()) > 0
    assert {"Unmapped", "Engineering"} < {row["department"] for row in may}
    assert len({row["month"] for row in chargeback if row["cost_pool"] == "metered"}) == 6
    spenders = {(row["email"] or "").casefold() for row in sandbox.truth("spend_daily")}
    assert moved & spenders


def test_truth_of_seats_knows_everyone_once(sandbox: Sandbox) -> None:
    seats = sandbox.truth("seats")
    members = {row["id"]: row for row in walk_ids(sandbox, "users", limit=1000)}
    pending = walk_ids(sandbox, "invites", limit=1000, statuses=("pending",))
    held = {
        row["user_id"]: row for row in seats if row["seat_status"] not in ("invited", "removed")
    }
    nightly = sandbox.truth("seat_utilization_daily", roster_since="2026-06-01")

    assert held.keys() == members.keys()
    assert all(held[id]["email"] == members[id]["email"] for id in members)
    assert all(held[id]["name"] == members[id]["name"] for id in members)
    assert [row["seat_status"] for row in seats].count("invited") == len(pending)
    assert {"active", "never_active"} <= {row["seat_status"] for row in seats}
    known = [row["inactive_seats"] for row in nightly if row["inactive_seats"] is not None]
    assert len(known) == 12 and all(0 < count < len(members) for count in known)
    assert {row["inactive_seats"] for row in sandbox.truth("seat_utilization_daily")} == {None}
