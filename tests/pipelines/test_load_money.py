"""Cost and usage: which days are read again, and which generation of the API brings them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS, HOURLY_API, REPORTS_API
from sources.days import days_between
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.conftest import Load, Query
from tests.loading import load_source
from tests.versions import create_views

HOURS = [endpoint.table for endpoint in HOURLY_API]
MONEY = [endpoint.table for endpoint in COST_API]
EITHER = [endpoint.table for endpoint in (*COST_API, *REPORTS_API)]
ADA = {"type": "user_actor", "user_id": "user_ada", "email_address": "ada@example.com"}
BEN = {"type": "user_actor", "user_id": "user_ben", "email_address": "ben@example.com"}


@pytest.fixture
def load(load: Load) -> Load:
    """Load what is about money, and nothing else."""
    return partial(load, only=EITHER)


def cost(cents: str, actor: dict[str, str] | None = ADA, requests: int = 1) -> dict[str, Any]:
    group = {
        "actor": actor,
        "product": "chat",
        "model": "claude-opus-5-5",
        "cost_type": "tokens",
    }
    amounts = {"amount": cents, "list_amount": cents, "currency": "USD", "requests": requests}
    return {"group": group, "cost": amounts}


def usage(tokens: int, actor: dict[str, str] | None = ADA) -> dict[str, Any]:
    group = {"actor": actor, "product": "chat", "model": "claude-opus-5-5"}
    counts = {"uncached_input_tokens": tokens, "total_tokens": tokens, "requests": 1}
    return {"group": group, "usage": counts}


def asked_days(api: Sandbox, path_end: str, *, by: str = "actor") -> list[date]:
    """Days that were asked for, of the requests grouped by this and nothing before it."""
    days: list[date] = []
    for request in api.requests:
        groups = request.params.get("group_by[]", "").split(",")
        if request.path.endswith(path_end) and groups[0] == by:
            first, end = (
                date.fromisoformat(request.params[name][:10])
                for name in ("starting_at", "ending_at")
            )
            days += days_between(first, end - timedelta(days=1))
    return sorted(days)


def jan(*days: int) -> list[date]:
    return [date(2026, 1, day) for day in days]


@pytest.fixture
def year(api: Sandbox) -> Sandbox:
    """Costs and usage on two January days."""
    api.publish("costs", "2026-01-05", [cost("100.5"), cost("30", None)])
    api.publish("costs", "2026-01-06", [cost("50", BEN)])
    api.publish("usage", "2026-01-05", [usage(1000), usage(10, None)])
    api.publish("usage", "2026-01-06", [usage(500, BEN)])
    return api


def test_a_first_connect_reads_every_day_of_money_that_the_api_serves(
    year: Sandbox, load: Load, query: Query
) -> None:
    load(today="2026-01-09")

    every_day = days_between(date(2026, 1, 1), date(2026, 1, 8))
    for table in MONEY:
        days = f"select activity_date from claude_raw.loaded_days where endpoint = '{table}'"
        assert query(f"{days} order by 1") == [(day,) for day in every_day]
    assert query(
        "select activity_date, group__actor__user_id, cost__amount"
        " from counting_costs order by 1, 2"
    ) == [
        (date(2026, 1, 5), "user_ada", Decimal("100.5")),
        (date(2026, 1, 5), None, Decimal(30)),
        (date(2026, 1, 6), "user_ben", Decimal(50)),
    ]


def grouped_by(api: Sandbox, path_end: str) -> set[str]:
    """What rows of actors were grouped by, of the requests that got an answer."""
    return {
        request.params["group_by[]"]
        for request in api.requests
        if request.path.endswith(path_end)
        and request.params.get("group_by[]", "").startswith("actor")
    }


def test_cost_and_usage_are_asked_by_what_the_price_of_a_token_depends_on(
    year: Sandbox, load: Load
) -> None:
    load(today="2026-01-09")

    by = "actor,product,model,context_window,speed"
    assert grouped_by(year, "/cost") == {f"{by},cost_type,token_type"}
    assert grouped_by(year, "/usage") == {by}


def test_the_organisations_cost_and_usage_are_asked_by_region_and_tier_without_anybody(
    year: Sandbox, load: Load, query: Query
) -> None:
    row = cost("7", BEN)
    row["group"] |= {"inference_geo": "us", "token_type": "output_tokens"}
    year.publish("costs", "2026-01-07", [row, cost("5"), cost("2", BEN)])

    load(today="2026-01-09")

    first = [
        each.params["group_by[]"]
        for each in year.requests
        if "inference_geo" in each.params.get("group_by[]", "")
    ]
    by = "product,model,inference_geo,service_tier"
    assert sorted(first) == [by, f"{by},cost_type,token_type"]  # Nine days in one request.
    assert query(
        "select group__inference_geo, group__token_type, cost__amount from counting_region_costs"
        " where activity_date = '2026-01-07' order by 1"
    ) == [("us", "output_tokens", Decimal(7)), (None, None, Decimal(7))]
    year.requests.clear()
    year.publish("costs", "2026-01-05", [cost("90.5")])

    load(today="2026-01-09")

    # Read again where the organisation's total moved, and there alone.
    assert asked_days(year, "/cost", by="product").count(date(2026, 1, 5)) == 2
    assert asked_days(year, "/cost", by="product").count(date(2026, 1, 7)) == 1


def test_an_organisation_without_service_tiers_is_read_by_region_alone(
    year: Sandbox, load: Load, query: Query
) -> None:
    message = "group_by[]: service_tier is not a dimension of this organisation."
    year.answer(
        "/analytics/",
        status=400,
        body={"error": {"message": message}},
        times=1_000,
        when=lambda params: "service_tier" in params.get("group_by[]", ""),
    )

    report = load(today="2026-01-09")

    assert report.problems == []
    assert "region_costs come without service_tier, which stay unknown" in "\n".join(report.details)
    assert query("select sum(cost__amount) from counting_region_costs") == [(Decimal("180.5"),)]


def test_an_organisation_that_cannot_be_asked_so_is_asked_for_less(
    year: Sandbox, load: Load, query: Query
) -> None:
    message = "group_by[]: speed is not a dimension of this endpoint."
    year.answer(
        "/analytics/",
        status=400,
        body={"type": "error", "error": {"type": "invalid_request_error", "message": message}},
        times=1_000,
        when=lambda params: "speed" in params.get("group_by[]", ""),
    )

    load(today="2026-01-09")

    assert "actor,product,model,cost_type" in grouped_by(year, "/cost")
    assert "actor,product,model" in grouped_by(year, "/usage")
    assert query("select sum(cost__amount) from claude_raw.costs") == [(Decimal("180.5"),)]
    assert query("select sum(usage__uncached_input_tokens) from claude_raw.usage") == [(1510,)]
    year.requests.clear()

    load(today="2026-01-10")

    # A refusal costs a request a night, and not one for each day.
    assert (
        len([each for each in year.requests if "speed" in each.params.get("group_by[]", "")]) == 2
    )


def test_a_day_whose_totals_moved_is_read_again_and_no_other(
    year: Sandbox, load: Load, query: Query
) -> None:
    load(today="2026-01-09")
    year.requests.clear()
    year.publish("costs", "2026-01-05", [cost("90.5"), cost("30", None)])

    load(today="2026-01-10")

    new_day = jan(9)
    assert asked_days(year, "/cost") == jan(5) + new_day
    assert asked_days(year, "/usage") == new_day
    assert query(
        "select cost__amount from counting_costs"
        " where activity_date = '2026-01-05' and group__actor__user_id = 'user_ada'"
    ) == [(Decimal("90.5"),)]


def test_a_night_on_which_nothing_moved_costs_one_request_for_each_kind_of_totals(
    year: Sandbox, load: Load
) -> None:
    load(today="2026-01-09")
    year.requests.clear()

    load(today="2026-01-09")

    money = [request for request in year.requests if "group_by[]" in request.params]
    assert sorted((request.path[-5:], request.params["group_by[]"]) for request in money) == [
        ("/cost", "product"),
        ("usage", "product"),
    ]


def test_usage_that_moved_does_not_make_costs_be_read_again(year: Sandbox, load: Load) -> None:
    load(today="2026-01-09")
    year.requests.clear()
    year.publish("usage", "2026-01-06", [usage(501, BEN)])

    load(today="2026-01-09")

    assert asked_days(year, "/usage") == jan(6)
    assert asked_days(year, "/cost") == []


def test_a_day_is_read_once_more_when_it_has_settled_because_rows_move_between_people(
    year: Sandbox, load: Load, query: Query
) -> None:
    year.publish("costs", "2026-01-06", [cost("50", BEN, requests=2)])
    load(today="2026-01-09", only="cost_totals")
    load(today="2026-01-09", only="costs")
    year.publish("costs", "2026-01-06", [cost("20", BEN), cost("30", ADA)])
    year.requests.clear()

    load(today="2026-02-04", only="cost_totals")
    load(today="2026-02-04", only="costs")
    assert date(2026, 1, 6) not in asked_days(year, "/cost")
    load(today="2026-02-05", only="cost_totals")
    load(today="2026-02-05", only="costs")
    assert asked_days(year, "/cost").count(date(2026, 1, 6)) == 1
    year.requests.clear()
    load(today="2026-02-06", only="costs")

    assert date(2026, 1, 6) not in asked_days(year, "/cost")
    assert query(
        "select group__actor__user_id, cost__amount from counting_costs"
        " where activity_date = '2026-01-06' order by 1"
    ) == [("user_ada", Decimal(30)), ("user_ben", Decimal(20))]


def test_a_run_killed_between_totals_and_rows_leaves_the_day_to_be_read(
    year: Sandbox, load: Load
) -> None:
    load(today="2026-01-09")
    year.publish("costs", "2026-01-05", [cost("90.5")])
    load(today="2026-01-10", only="cost_totals")
    year.requests.clear()

    load(today="2026-01-11")

    assert date(2026, 1, 5) in asked_days(year, "/cost")


def test_days_after_the_newest_data_are_not_loaded_and_never_empty(
    year: Sandbox, load: Load, query: Query
) -> None:
    year.data_refreshed_at = datetime(2026, 1, 6, 10, tzinfo=UTC)
    load(today="2026-01-09")

    assert query(
        "select endpoint, max(activity_date), max(data_refreshed_at)::timestamp"
        " from claude_raw.loaded_days where data_refreshed_at is not null group by 1 order by 1"
    ) == [(table, date(2026, 1, 6), datetime(2026, 1, 6, 10)) for table in sorted(MONEY)]
    assert query(
        "select distinct newest_available_date from claude_raw.endpoint_runs where kind = 'money'"
    ) == [(date(2026, 1, 6),)]


def by_token_type(asked: dict[str, str]) -> bool:
    return "token_type" in str(asked)


UNKNOWN = {"error": {"message": "group_by[]: token_type is not a dimension of this organisation."}}


def test_an_organisation_that_knows_fewer_dimensions_is_read_by_those_and_that_is_said(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("costs", "2026-01-05", [cost("100")])
    api.answer("/cost", status=400, body=UNKNOWN, times=1_000, when=by_token_type)

    report = load(today="2026-01-09", only=["cost_totals", "costs"])

    assert report.problems == []
    told = "\n".join(report.details)
    assert "costs come without context_window, speed, token_type, which stay unknown" in told
    assert "token_type is not a dimension of this organisation" in told
    assert query("select sum(cost__amount) from counting_costs") == [(Decimal(100),)]


def test_one_refusal_of_a_dimension_or_one_of_something_else_makes_nothing_coarser(
    api: Sandbox, load: Load, query: Query
) -> None:
    row = cost("100")
    row["group"]["token_type"] = "output_tokens"
    api.publish("costs", "2026-01-05", [row])
    api.answer("/cost", status=400, body={"error": {"message": "No."}}, when=by_token_type)
    assert "(400 for costs" in "".join(load(today="2026-01-09", only="costs").problems)
    api.answer("/cost", status=400, body=UNKNOWN, when=by_token_type)

    report = load(today="2026-01-09", only="costs")

    assert (report.problems, len(report.details)) == ([], 1)
    assert query("select group__token_type from counting_costs") == [("output_tokens",)]

    # Where it was read by all of them before, a refusal is one of tonight.
    api.today = date(2026, 1, 10)
    api.publish("costs", "2026-01-08", [row])
    api.answer("/cost", status=400, body=UNKNOWN, times=1_000, when=by_token_type)
    assert "(400 for costs" in "".join(load(today="2026-01-10", only="costs").problems)


@pytest.fixture
def older_api() -> Iterator[Sandbox]:
    """An organisation that has only the older reports."""
    with Sandbox.empty(today="2026-01-08", cost_api="reports") as sandbox:
        yield sandbox


def test_an_organisation_without_the_newer_api_is_read_from_the_older_reports(
    older_api: Sandbox, load: Load, query: Query
) -> None:
    older_api.publish("costs", "2026-01-05", [cost("100.5"), cost("30", None)])
    older_api.publish("usage", "2026-01-05", [usage(1000), usage(10, None)])

    report = load(today="2026-01-09", base_url=older_api.url)

    assert report.problems == []
    assert report.with_outcome("unavailable") == {}
    assert query("select actor__user_id, amount from counting_user_cost_reports") == [
        ("user_ada", Decimal("100.5"))
    ]
    assert query("select product, model, amount from counting_cost_reports") == [
        ("chat", "claude-opus-5-5", Decimal("130.5"))
    ]
    assert query("select group__product, cost__amount from counting_cost_totals") == [
        ("chat", Decimal("130.5"))
    ]
    assert query("select sum(uncached_input_tokens) from counting_usage_reports") == [(1010,)]
    assert query(
        "select count(*) from claude_raw.loaded_days where endpoint in ('costs', 'usage')"
    ) == [(0,)]


def test_the_older_reports_too_are_read_again_only_where_totals_moved(
    older_api: Sandbox, load: Load
) -> None:
    older_api.publish("costs", "2026-01-05", [cost("100.5")])
    older_api.publish("costs", "2026-01-06", [cost("10")])
    load(today="2026-01-09", base_url=older_api.url)
    older_api.requests.clear()
    older_api.publish("costs", "2026-01-06", [cost("11")])

    load(today="2026-01-09", base_url=older_api.url)

    assert asked_days(older_api, "/user_cost_report", by="product") == jan(6)
    assert asked_days(older_api, "/user_usage_report", by="product") == []


def is_newer_api(params: dict[str, str]) -> bool:
    return "time_bucket_width" in params


def newer_requests(api: Sandbox) -> list[str]:
    return [request.path[-6:] for request in api.requests if is_newer_api(request.params)]


def test_an_organisation_that_had_the_newer_api_does_not_fall_back(
    year: Sandbox, load: Load, query: Query
) -> None:
    load(today="2026-01-09")
    year.answer("/analytics/cost", status=404, times=1_000, when=is_newer_api)
    report = load(today="2026-01-10")

    assert list(report.with_outcome("failed")) == ["cost_totals"]
    assert 'cost_api = "reports"' in report.problems[0]
    assert query(
        "select count(*) from claude_raw.loaded_days where endpoint = 'user_cost_reports'"
    ) == [(0,)]
    assert query("select count(*) from counting_costs") == [(3,)]


@pytest.mark.parametrize("status", [400, 403, 404])
def test_one_refusal_on_the_first_load_does_not_choose_the_older_reports(
    year: Sandbox, load: Load, query: Query, status: int
) -> None:
    year.answer("/analytics/cost", status=status)
    report = load(today="2026-01-09")

    assert report.problems == []
    assert query("select count(*) from counting_costs") == [(3,)]
    assert not any("report" in request.path for request in year.requests)


def test_an_organisation_that_may_not_use_the_newer_api_is_asked_once_a_night(
    year: Sandbox, load: Load, query: Query
) -> None:
    year.answer("/analytics/", status=400, times=1_000, when=is_newer_api)
    first = load(today="2026-01-09")

    assert first.problems == []
    assert sorted(newer_requests(year)) == ["/usage", "s/cost"]
    assert query("select sum(amount) from counting_cost_reports") == [(Decimal("180.5"),)]
    year.requests.clear()
    assert load(today="2026-01-10").problems == []
    assert newer_requests(year) == ["s/cost"]

    # When it may, two answers change that.
    year.clear_answers()
    assert load(today="2026-01-11").problems == []
    assert query("select count(*) from counting_costs") == [(3,)]


def test_an_api_that_has_neither_is_asked_again_the_next_night(
    year: Sandbox, load: Load, query: Query
) -> None:
    year.publish("users", "2026-01-05", [{"user": {"id": "user_ada"}}])
    year.answer("/analytics/", status=404, times=1_000, when=lambda params: "group_by[]" in params)
    report = load(today="2026-01-09", only=["users", *EITHER])

    assert report.problems == []
    assert set(report.with_outcome("unavailable")) == set(MONEY)
    year.clear_answers()
    assert load(today="2026-01-09").problems == []
    assert query("select count(*) from counting_costs") == [(3,)]


def test_where_engagement_is_not_for_this_type_of_organisation_cost_loads_all_the_same(
    year: Sandbox, load: Load, query: Query
) -> None:
    details = {"error_code": "organization_type_not_supported"}
    body = {"error": {"message": "Not for this organization.", "details": details}}
    year.answer(
        "/analytics/", status=400, body=body, times=1_000, when=lambda asked: "date" in asked
    )
    report = load(today="2026-01-09", only=())

    assert report.problems == []
    assert set(report.with_outcome("unavailable")) == {endpoint.table for endpoint in ENDPOINTS}
    asked = [request for request in year.requests if "/analytics/" in request.path]
    assert sum("group_by[]" not in request.params for request in asked) == 1
    assert query("select count(*) from counting_costs") == [(3,)]


def test_an_endpoint_that_was_read_before_and_is_refused_tonight_failed_tonight(
    year: Sandbox, load: Load
) -> None:
    load(today="2026-01-09", only=["users", "skills"])
    year.answer("/skills", status=403, times=1_000)
    report = load(today="2026-01-10", only=["users", "skills"])

    assert "skills was read before" in report.problems[0]
    assert report.with_outcome("unavailable") == {}


def test_a_setting_decides_which_api_of_money_is_read(year: Sandbox, load: Load) -> None:
    load(today="2026-01-09", cost_api="reports")

    paths = {request.path.rpartition("/")[2] for request in year.requests}
    assert {"user_cost_report", "cost_report"} <= paths
    assert not {"cost", "usage"} & paths


def test_a_window_of_cost_days_is_a_setting(year: Sandbox, load: Load, query: Query) -> None:
    load(today="2026-01-09", cost_window_days=3)

    assert query(
        "select min(activity_date) from claude_raw.loaded_days where endpoint = 'costs'"
    ) == [(date(2026, 1, 7),)]


def money_rows(data_dir: DataDir, query: str = "from counting_{table}") -> dict[str, list[Any]]:
    """The stored rows of cost and usage, or what else is asked of each table."""
    with duckdb.connect(str(data_dir.warehouse), read_only=True) as warehouse:
        create_views(warehouse)
        return {
            table: sorted(warehouse.execute(query.format(table=table)).fetchall(), key=repr)
            for table in MONEY
        }


SUMS = """
    select
        activity_date, group__product, group__model,
        sum(columns('(cost__.*amount|usage__.*)'))
    from counting_{table}
    group by activity_date, group__product, group__model
"""


@pytest.mark.long
def test_thirty_nights_of_restated_costs_end_as_a_fresh_load_does(tmp_path: Path) -> None:
    """Costs change for 30 days, rows vanish, and rows move between people within a total.

    The last is seen when a day has settled; until then every sum is that of a fresh load.
    """
    nightly, fresh, settled = (DataDir(tmp_path / name) for name in ("nightly", "fresh", "settled"))
    first, requests_by_night = date(2026, 3, 1), []

    with Sandbox(seats=8, today=first) as organisation:

        def load_money(data_dir: DataDir, today: date) -> int:
            settings = AnalyticsSettings(
                base_url=organisation.url,
                api_key=organisation.api_key,
                requests_per_minute=100_000,
                cost_window_days=40,
            )
            with data_dir.held("test"):
                report = load_source(
                    data_dir, "claude_analytics", Clock.at(today), settings, only=MONEY
                )
            assert report.problems == []
            return report.request_count

        for night in range(30):
            requests_by_night.append(load_money(nightly, first + timedelta(days=night)))
        last_night = first + timedelta(days=29)
        requests_of_a_fresh_load = load_money(fresh, last_night)
        since = f"where activity_date > '{last_night - timedelta(days=40)}'"
        sums_by_night = money_rows(nightly, SUMS.replace("group by", f"{since} group by"))
        sums_of_a_fresh_load = money_rows(fresh, SUMS)
        load_money(nightly, last_night + timedelta(days=30))
        load_money(settled, last_night + timedelta(days=30))

    print(f"requests by night: {requests_by_night}, of a fresh load: {requests_of_a_fresh_load}")
    assert sums_by_night == sums_of_a_fresh_load
    both_have = (
        "from counting_{table} where activity_date "
        f"between '{last_night - timedelta(days=9)}' and '{last_night}'"
    )
    assert money_rows(nightly, both_have) == money_rows(settled, both_have)
    # A night that read its 30 days again would send 62 requests for them, day by day.
    assert max(requests_by_night[1:]) < 40


# By the hour.


def test_hours_are_read_only_where_that_is_set_and_of_the_newest_days(
    year: Sandbox, load: Load, query: Query
) -> None:
    load(today="2026-01-09", only=[*EITHER, *HOURS])
    assert not any(request.params.get("time_bucket_width") == "1h" for request in year.requests)

    load(today="2026-01-09", only=[*EITHER, *HOURS], hourly=True)

    asked = [each.params for each in year.requests if each.params.get("time_bucket_width") == "1h"]
    assert [(each["starting_at"][:10], each["ending_at"][:10]) for each in asked] == [
        ("2026-01-06", "2026-01-09")
    ] * 2
    assert {each["group_by[]"] for each in asked} == {"actor,product,model"}
    assert query(
        "select activity_date, starting_at::timestamp, group__actor__user_id, cost__amount"
        " from counting_hourly_costs"
    ) == [(date(2026, 1, 6), datetime(2026, 1, 6), "user_ben", Decimal(50))]
    year.requests.clear()

    load(today="2026-01-09", only=[*EITHER, *HOURS], hourly=True)

    assert not any(request.params.get("time_bucket_width") == "1h" for request in year.requests)
