"""What a load leaves in the raw tables."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from dlt.common.storages import FileStorage, PackageStorage

from pipelines.data_dir import DataDir
from pipelines.raw_tables import warehouse_pipeline
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.days import days_between
from sources.errors import ForeseenError
from sources.sandbox import Sandbox
from tests.conftest import Load, Query

JAN_5, JAN_6 = date(2026, 1, 5), date(2026, 1, 6)


def asked_days(api: Sandbox, path_end: str) -> list[str]:
    return sorted(
        request.params["date"] for request in api.requests if request.path.endswith(path_end)
    )


def raw_counts(query: Query) -> dict[str, int]:
    tables = query("select table_name from duckdb_tables() where schema_name = 'claude_raw'")
    return {
        table: query(f"select count(*) from claude_raw.{table}")[0][0]
        for (table,) in tables
        if not table.startswith("_dlt_")
    }


def test_a_day_revised_from_ten_rows_to_seven_ends_with_seven(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": f"skill-{n}"} for n in range(10)])
    load(today="2026-01-08")

    api.publish("skills", "2026-01-05", [{"skill_name": f"skill-{n}"} for n in range(7)])
    load(today="2026-01-09")

    assert query("select count(*) from counting_skills") == [(7,)]


def test_a_day_revised_to_nothing_ends_up_empty(api: Sandbox, load: Load, query: Query) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08")

    api.publish("skills", "2026-01-05", [])
    load(today="2026-01-09")

    assert query("select count(*) from counting_skills") == [(0,)]
    assert query(
        """
        select outcome, row_count from claude_raw.loaded_days
        where endpoint = 'skills' and activity_date = '2026-01-05' order by fetched_at
        """
    ) == [("loaded", 1), ("empty", 0)]


def test_a_night_without_revisions_adds_rows_to_the_ledgers_alone(
    api: Sandbox, load: Load, query: Query
) -> None:
    for day in days_between(JAN_5, date(2026, 1, 7)):
        api.publish(
            "skills", day, [{"skill_name": "pdf"}, {"skill_name": "bad", "invocation_count": "x"}]
        )
        api.publish("users", day, [{"user": {"id": "user_ada"}}])
    load(today="2026-01-10")
    before = raw_counts(query)

    load(today="2026-01-10")

    after = raw_counts(query)
    assert {table for table, count in after.items() if count != before[table]} == {
        "loaded_days",
        "endpoint_runs",
    }


def test_a_days_former_version_stays_and_counts_no_more(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08", only="skills")
    api.publish("skills", "2026-01-05", [{"skill_name": "docx"}])
    load(today="2026-01-09", only="skills")
    load(today="2026-01-10", only="skills")

    assert query("select skill_name from claude_raw.skills order by version") == [
        ("pdf",), ("docx",),
    ]  # fmt: skip
    assert query("select skill_name from counting_skills") == [("docx",)]
    [first, second, third] = query(
        "select fetch_number, version from claude_raw.loaded_days"
        " where activity_date = '2026-01-05' order by fetch_number"
    )
    assert first[0] == first[1] < second[0] == second[1] < third[0]
    assert third[1] == second[1]


def test_a_version_that_is_kept_apart_counts_once_a_later_fetch_names_it(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08", only="skills")
    api.publish("skills", "2026-01-05", [])
    load(today="2026-01-09", only="skills")
    newest = (
        "where fetch_number = (select max(fetch_number) from claude_raw.loaded_days"
        " where activity_date = '2026-01-05')"
    )
    query(f"update claude_raw.loaded_days set outcome = 'kept_apart' {newest}")
    assert query("select skill_name from counting_skills") == [("pdf",)]
    [(kept,)] = query(f"select version from claude_raw.loaded_days {newest}")

    query(
        "insert into claude_raw.loaded_days by name"
        f" select * replace ('empty' as outcome, fetch_number + 1000 as fetch_number)"
        f" from claude_raw.loaded_days {newest}"
    )

    assert query(f"select version from claude_raw.loaded_days {newest}") == [(kept,)]
    assert query("select skill_name from counting_skills") == []


def test_a_day_of_which_a_row_is_stored_twice_is_fetched_again_and_counts_once(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-20", only="skills", revision_days=0)
    query("insert into claude_raw.skills select * from claude_raw.skills")

    load(today="2026-01-20", only="skills", revision_days=0)

    assert query("select skill_name from counting_skills") == [("pdf",)]
    api.requests.clear()
    load(today="2026-01-20", only="skills", revision_days=0)
    assert asked_days(api, "/skills") == []


def test_rows_whose_key_is_null_are_kept(api: Sandbox, load: Load, query: Query) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": None, "invocation_count": 3}])
    load(today="2026-01-08")

    assert query("select skill_name, invocation_count from counting_skills") == [(None, 3)]


def test_the_first_load_asks_for_each_day_of_the_window_once(api: Sandbox, load: Load) -> None:
    load(today="2026-06-15")

    window = [str(day) for day in days_between(date(2026, 3, 17), date(2026, 6, 12))]
    for path_end in ("/users", "/projects", "/skills", "/connectors", "/plugins", "/artifacts"):
        assert asked_days(api, path_end) == window


def test_summaries_are_asked_for_at_most_31_days_at_a_time(api: Sandbox, load: Load) -> None:
    load(today="2026-06-15", only="summaries")

    asked = sorted(
        (request.params["starting_date"], request.params["ending_date"])
        for request in api.requests
        if request.path.endswith("/summaries")
    )
    assert asked == [
        ("2026-03-17", "2026-04-17"),
        ("2026-04-17", "2026-05-18"),
        ("2026-05-18", "2026-06-13"),
    ]


def test_the_next_load_asks_only_for_the_new_day_and_those_that_may_change(
    api: Sandbox, load: Load
) -> None:
    load(today="2026-06-15", only="users")
    api.requests.clear()

    load(today="2026-06-16", only="users")

    assert asked_days(api, "/users") == [f"2026-06-{day:02}" for day in range(6, 14)]


def test_a_day_fetched_when_it_was_settled_is_never_asked_for_again(
    api: Sandbox, load: Load
) -> None:
    load(today="2026-06-15", only="users", revision_days=0)
    api.requests.clear()

    load(today="2026-06-16", only="users", revision_days=0)

    assert asked_days(api, "/users") == ["2026-06-13"]


def test_a_skipped_fortnight_heals_itself(api: Sandbox, load: Load, query: Query) -> None:
    load(today="2026-06-01", only="users")
    load(today="2026-06-15", only="users")

    loaded = query("select distinct activity_date from claude_raw.loaded_days order by all")
    assert [day for (day,) in loaded] == days_between(date(2026, 3, 3), date(2026, 6, 12))


def test_a_hole_heals_itself_without_losing_its_neighbours(
    api: Sandbox, load: Load, query: Query
) -> None:
    for day in days_between(date(2026, 1, 1), date(2026, 2, 10)):
        api.publish("skills", day, [{"skill_name": "pdf"}])
    api.answer("/skills", status=500, times=100, when=lambda asked: asked["date"] == "2026-01-09")
    report = load(today="2026-02-13", only="skills")
    assert "500" in str(report.endpoints["skills"].message)
    assert query("select count(*) from counting_skills") == [(40,)]

    api.clear_answers()
    load(today="2026-02-13", only="skills")

    assert query("select count(distinct activity_date) from counting_skills") == [(41,)]


def test_an_old_day_backfilled_later_replaces_only_itself_and_leaves_the_cursor(
    api: Sandbox, load: Load, query: Query, data_dir: DataDir
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "old"}])
    api.publish("skills", "2026-01-06", [{"skill_name": "kept"}])
    load(today="2026-01-20", only="skills")
    cursor = warehouse_pipeline(data_dir).state["sources"]

    api.publish("skills", "2026-01-05", [{"skill_name": "new"}])
    load(today="2026-03-20", only="skills", backfill=[JAN_5])

    assert query("select skill_name from counting_skills order by all") == [("kept",), ("new",)]
    assert warehouse_pipeline(data_dir).state["sources"] == cursor


def test_a_run_dated_before_the_last_one_loses_no_rows(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-06-15", only="skills")

    load(today="2026-01-08", only="skills")

    assert query("select count(*) from counting_skills") == [(1,)]


def test_the_same_run_twice_stores_nothing_twice(api: Sandbox, load: Load, query: Query) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08")
    load(today="2026-01-08")

    assert query("select count(*) from counting_skills") == [(1,)]
    fetched = "from claude_raw.loaded_days where endpoint = 'skills'"
    assert query(f"select count(distinct activity_date), count(*) {fetched}") == [(5, 10)]


def test_everything_is_dated_by_the_runs_clock(api: Sandbox, load: Load, query: Query) -> None:
    load(today="2026-01-08", only="users")

    midnight = datetime(2026, 1, 8, tzinfo=UTC)
    assert query("select distinct fetched_at from claude_raw.loaded_days") == [(midnight,)]
    assert query("select run_at from claude_raw.endpoint_runs") == [(midnight,)]


def test_one_bad_row_is_kept_aside_and_the_rest_of_its_page_is_loaded(
    api: Sandbox, load: Load, query: Query
) -> None:
    rows = [{"skill_name": "good"}, {"skill_name": "bad", "invocation_count": "many"}]
    api.publish("skills", "2026-01-05", rows)
    report = load(today="2026-01-08")

    assert report.rejected_count == 1
    assert query("select skill_name from counting_skills") == [("good",)]
    [(endpoint, day, reason, row_json)] = query(
        "select endpoint, activity_date, reason, row_json from counting_rejected_rows"
    )
    assert (endpoint, day) == ("skills", JAN_5)
    assert reason == "invocation_count is text, not a whole number"
    assert '"many"' in row_json


def test_a_rejected_row_is_asked_for_again_and_goes_when_it_is_mended(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "bad", "invocation_count": "many"}])
    load(today="2026-01-08", only="skills", revision_days=0)

    api.publish("skills", "2026-01-05", [{"skill_name": "bad", "invocation_count": 3}])
    load(today="2026-02-08", only="skills", revision_days=0)

    assert query("select count(*) from counting_rejected_rows") == [(0,)]
    assert query("select invocation_count from counting_skills") == [(3,)]


def test_a_field_nobody_knew_is_kept_and_never_changes_a_type(
    api: Sandbox, load: Load, query: Query
) -> None:
    for day, value in ((JAN_5, 7), (JAN_6, 7.5), (date(2026, 1, 7), "seven")):
        api.publish("skills", day, [{"skill_name": "pdf", "mood": value}])
    report = load(today="2026-01-10")

    assert report.endpoints["skills"].undeclared == {"mood"}
    assert query("select undeclared_fields from counting_skills order by activity_date") == [
        ('{"mood": 7}',),
        ('{"mood": 7.5}',),
        ('{"mood": "seven"}',),
    ]


def test_an_endpoint_the_organisation_does_not_have_is_unavailable_and_never_empty(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.answer("/connectors", status=404, times=1_000)
    report = load(today="2026-01-08")

    assert list(report.with_outcome("unavailable")) == ["connectors"]
    assert query("select count(*) from claude_raw.loaded_days where endpoint = 'connectors'") == [
        (0,)
    ]
    assert query("select count(*) from counting_connectors") == [(0,)]


def test_when_users_is_refused_nothing_is_unavailable_and_the_source_fails(
    api: Sandbox, load: Load
) -> None:
    api.scopes = ("read:members",)
    report = load(today="2026-01-08")

    assert report.fatal is not None
    assert "It holds read:members; this API needs read:analytics." in report.fatal
    assert list(report.with_outcome("failed")) == list(report.endpoints)


def test_a_server_that_lags_more_ends_the_range_quietly(
    api: Sandbox, load: Load, query: Query
) -> None:
    load(today="2026-01-20", lag_days="1")

    assert query(
        "select endpoint, max(activity_date) from claude_raw.loaded_days where settles_on"
        " < activity_date + 30 group by all order by all"
    ) == [(table, date(2026, 1, 17)) for table in sorted(endpoint.table for endpoint in ENDPOINTS)]
    assert query(
        "select distinct outcome, newest_available_date from claude_raw.endpoint_runs"
        " where kind = 'engagement'"
    ) == [("ok", date(2026, 1, 17))]


def test_an_automatic_lag_takes_the_newest_day_that_the_api_grants(
    load: Load, query: Query
) -> None:
    load(today="2026-01-20", lag_days="auto")

    assert query(
        "select max(activity_date) from claude_raw.loaded_days where endpoint = 'users'"
    ) == [(date(2026, 1, 17),)]


def test_a_deleted_working_folder_is_rebuilt_from_the_warehouse(
    api: Sandbox, load: Load, query: Query, data_dir: DataDir
) -> None:
    import shutil

    load(today="2026-01-20", only="users")
    api.requests.clear()
    shutil.rmtree(data_dir.dlt)

    load(today="2026-01-21", only="users", revision_days=0)

    assert asked_days(api, "/users") == ["2026-01-18"]


def test_a_deleted_warehouse_is_loaded_anew(
    api: Sandbox, load: Load, query: Query, data_dir: DataDir
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08")
    data_dir.warehouse.unlink()

    load(today="2026-01-08")

    assert query("select skill_name from counting_skills") == [("pdf",)]


def test_a_clock_before_the_apis_first_day_is_told(load: Load) -> None:
    with pytest.raises(ForeseenError, match="no day before 2026-01-01"):
        load(today="2025-12-30")


def test_on_the_apis_first_days_there_is_nothing_to_ask_for(api: Sandbox, load: Load) -> None:
    load(today="2026-01-02")

    assert [request.path for request in api.requests if "date" in request.params] == []


def test_nothing_is_lost_between_pages(api: Sandbox, load: Load, query: Query) -> None:
    users = [{"user": {"id": f"user_{number}"}} for number in range(2_500)]
    api.publish("users", "2026-01-05", users)
    load(today="2026-01-08", only="users")

    assert query("select count(distinct user__id) from counting_users") == [(2_500,)]
    assert query(
        "select page_count, row_count from claude_raw.loaded_days where activity_date='2026-01-05'"
    ) == [(3, 2_500)]


def test_the_key_is_in_no_file(load: Load, data_dir: DataDir) -> None:
    load(today="2026-01-08", api_key="sk-ant-api01-sandbox")

    key = b"sk-ant-api01-sandbox"
    holders = [
        file for file in data_dir.root.rglob("*") if file.is_file() and key in file.read_bytes()
    ]
    assert holders == []


def test_what_an_earlier_run_was_about_to_forget_takes_nothing_new_with_it(
    api: Sandbox, load: Load, query: Query, data_dir: DataDir
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-07", only="skills")
    pipeline = warehouse_pipeline(data_dir)
    pipeline.extract([{"left": "behind"}], table_name="pending")
    pipeline.normalize()
    [load_id] = pipeline.list_normalized_load_packages()
    packages = Path(pipeline.working_dir) / "load" / "normalized"
    PackageStorage(FileStorage(str(packages)), "normalized").set_abort_flag(load_id)

    load(today="2026-01-08", only="skills")

    assert query("select skill_name from counting_skills") == [("pdf",)]


def test_a_day_that_contradicts_itself_is_asked_again_and_stays_open(
    api: Sandbox, load: Load, query: Query
) -> None:
    ada = {"user": {"id": "user_ada"}, "web_search_count": 1}
    api.publish("users", "2026-01-05", [ada, ada])
    load(today="2026-01-09", only="users")
    stored = "select user__id, web_search_count from counting_users"
    assert query(stored) == [("user_ada", 1)]

    api.publish("users", "2026-01-05", [ada, {**ada, "web_search_count": 2}])
    api.requests.clear()
    [problem] = load(today="2026-01-10", only="users").problems

    assert "two rows of user_ada that differ" in problem
    assert sum(request.params["date"] == "2026-01-05" for request in api.requests) == 2
    assert query(stored) == [("user_ada", 1)]
    api.publish("users", "2026-01-05", [{**ada, "web_search_count": 2}])
    assert load(today="2026-01-10", only="users").problems == []
    assert query(stored) == [("user_ada", 2)]


def test_fetches_go_on_counting_beside_what_else_is_called_a_version(
    api: Sandbox, load: Load, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    load(today="2026-01-08", only="skills")
    query("update claude_raw.loaded_days set fetch_number = fetch_number + 1000")
    query("create table claude_raw.runs as select '9.9.9' as version, 'kept' as run_id")

    load(today="2026-01-09", only="skills")

    [(least,)] = query(
        "select min(fetch_number) from claude_raw.loaded_days where fetched_at > '2026-01-08'"
    )
    assert least > 1000
    assert query("select run_id from claude_raw.runs") == [("kept",)]
