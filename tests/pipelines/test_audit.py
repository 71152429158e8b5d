"""The audit feed from the API to the served file, and the evidence that is taken from it."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED, REJECTED
from pipelines.warehouse.dbt import run_dbt, transform
from pipelines.warehouse.duckdb import target
from pipelines.warehouse.duckdb.publish import publish
from sources.claude_compliance import ComplianceSettings
from sources.contract import EndpointReport
from sources.paging import RESTARTS
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.conftest import Command, Query
from tests.loading import load_source
from tests.transforms.raw_tables import RawWarehouse, marts

pytestmark = pytest.mark.long

FEED = "/v1/compliance/activities"
SYNC = "sync --no-transform --today 2026-01-08"
DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
READ_WINDOWS = "select count(*) from claude_raw.activity_windows where outcome <> 'broken_off'"


def event(event_id: str, created_at: str | datetime, **more: Any) -> dict[str, Any]:
    moment = created_at if isinstance(created_at, str) else created_at.isoformat()
    return {
        "id": event_id,
        "type": "sso_login_succeeded",
        "created_at": moment,
        "organization_id": None,
        "actor": {
            "type": "user_actor",
            "user_id": f"user_of_{event_id}",
            "ip_address": "192.0.2.1",
        },
        **more,
    }  # fmt: skip


Read = Callable[..., EndpointReport]


def reader(api: Sandbox, data_dir: DataDir) -> Read:
    """Read the feed at a moment, as `sync` does."""

    def run(now: str | datetime, **options: Any) -> EndpointReport:
        moment = datetime.fromisoformat(now) if isinstance(now, str) else now
        given = {"base_url": api.url, "api_key": api.api_key, **options}
        with data_dir.held("test"):
            clock = Clock(moment.replace(tzinfo=UTC), is_set=True)
            report = load_source(data_dir, "claude_compliance", clock, ComplianceSettings(**given))
            return report.endpoints["activities"]

    return run


@pytest.fixture
def read(api: Sandbox, data_dir: DataDir) -> Read:
    return reader(api, data_dir)


def asked(api: Sandbox) -> list[tuple[str, str]]:
    """The windows that were asked for, without the search for the oldest event."""
    return [
        (request.params["created_at.gte"][:16], request.params["created_at.lt"][:16])
        for request in api.requests
        if "created_at.gte" in request.params
    ]


def test_an_event_that_appears_late_is_read_by_the_next_run(
    api: Sandbox, read: Read, query: Query
) -> None:
    api.publish_activities([event("a", "2026-01-10T10:00:00Z")])
    api.publish_activities([event("late", "2026-01-10T09:00:00Z")], indexed_at="2026-01-12T01:00Z")
    read("2026-01-11T12:00")
    assert query("select id from counting_activities") == [("a",)]

    read("2026-01-12T12:00")
    assert query("select id from counting_activities order by id") == [("a",), ("late",)]


def test_a_backfill_reads_its_days_again_whatever_is_known_of_them(
    api: Sandbox, command: Command, query: Query
) -> None:
    compliance = {
        "SOURCES__CLAUDE_COMPLIANCE__BASE_URL": api.url,
        "SOURCES__CLAUDE_COMPLIANCE__API_KEY": api.api_key,
        "SOURCES__CLAUDE_COMPLIANCE__FIRST_DAY": "2026-01-01",
    }
    api.publish_activities([event("late", "2026-01-02T09:00Z")], indexed_at="2026-01-20T01:00Z")
    command("sync --no-transform --only claude_compliance --today 2026-01-21", **compliance)
    api.publish_activities([event("later", "2026-01-02T10:00Z")], indexed_at="2026-01-22T01:00Z")
    words = "backfill --from 2026-01-02 --to 2026-01-03 --today 2026-01-23 --no-transform"
    command("sync --no-transform --only claude_compliance --today 2026-01-23", **compliance)
    assert query("select id from counting_activities") == [("late",)]

    ended = command(f"{words} --only claude_compliance", **compliance)

    assert ended.exit_code == DONE, ended.err
    assert query("select id from counting_activities order by id") == [("late",), ("later",)]


def test_days_that_ended_long_enough_ago_are_not_read_again(api: Sandbox, read: Read) -> None:
    api.publish_activities([event("a", "2026-01-01T10:00:00Z")])
    read("2026-01-06T12:00")
    api.requests.clear()

    read("2026-01-06T18:00")
    read("2026-01-06T18:05", overlap_hours=1)

    assert asked(api) == [
        ("2026-01-04T00:00", "2026-01-06T17:58"),
        ("2026-01-06T00:00", "2026-01-06T18:03"),
    ]


def test_the_first_read_begins_with_the_oldest_event_of_years(api: Sandbox, read: Read) -> None:
    api.publish_activities([event("old", "2021-03-03T10:00:00Z")])
    report = read("2026-01-06T12:00")

    assert asked(api)[0] == ("2021-03-03T00:00", "2021-03-11T00:00")
    assert report.outcome == "ok"
    assert report.request_count < 80


def test_the_feed_is_read_from_the_day_that_is_set(api: Sandbox, read: Read) -> None:
    read("2026-01-06T12:00", first_day="2026-01-05")
    assert asked(api) == [("2026-01-05T00:00", "2026-01-06T11:58")]

    api.requests.clear()
    read("2026-01-06T12:00", first_day="2025-12-31", overlap_hours=0)
    assert asked(api) == [
        ("2025-12-31T00:00", "2026-01-05T00:00"),
        ("2026-01-06T00:00", "2026-01-06T11:58"),
    ]


def test_each_window_has_a_line_in_the_ledger(api: Sandbox, read: Read, query: Query) -> None:
    api.publish_activities([event(f"e{number}", DAY_ONE) for number in range(3)])
    read("2026-01-01T12:00", first_day="2026-01-01")

    [(start, end, count, pages, first_id, last_id, requests)] = query(
        """
        select from_at::timestamp::text, to_at::timestamp::text, activity_count, page_count,
            first_id, last_id, request_ids
        from claude_raw.activity_windows
        """
    )
    assert (start, end, count, pages) == ("2026-01-01 00:00:00", "2026-01-01 11:58:00", 3, 1)
    assert first_id and last_id and first_id != last_id
    assert re.fullmatch(r"req_\d+", requests)


def test_all_pages_of_a_busy_day_are_read_though_they_repeat_themselves(
    api: Sandbox, read: Read, query: Query
) -> None:
    api.publish_activities(
        [event(f"e{number:05}", DAY_ONE + timedelta(seconds=number)) for number in range(10_400)]
    )
    report = read("2026-01-02T12:00", first_day="2026-01-01")

    assert query("select count(*), count(distinct id) from counting_activities") == [
        (10_400, 10_400)
    ]
    assert report.row_count == 10_404
    assert query("select page_count from claude_raw.activity_windows") == [(3,)]


def test_a_run_that_breaks_off_keeps_its_windows_and_the_next_goes_on_there(
    api: Sandbox, read: Read, query: Query
) -> None:
    api.publish_activities([event("a", "2026-01-01T10:00:00Z"), event("z", "2026-01-20T10:00:00Z")])
    api.answer(
        FEED, status=500, headers={"x-should-retry": "false"},
        when=lambda params: params.get("created_at.gte", "").startswith("2026-01-09"),
    )  # fmt: skip
    broken = read("2026-01-25")
    assert broken.outcome == "failed"
    assert query("select id from counting_activities") == [("a",)]
    api.requests.clear()

    assert read("2026-01-25").outcome == "ok"
    assert asked(api)[0][0] == "2026-01-09T00:00"
    assert query("select id from counting_activities order by id") == [("a",), ("z",)]


def test_a_window_whose_load_is_not_complete_is_read_again(
    api: Sandbox, read: Read, query: Query
) -> None:
    api.publish_activities([event("a", "2026-01-01T10:00:00Z")])
    read("2026-01-25")
    query("delete from claude_raw._dlt_loads where schema_name = 'claude_compliance'")
    api.requests.clear()

    read("2026-01-25", first_day="2026-01-01")
    assert asked(api)[0][0] == "2026-01-01T00:00"


@pytest.mark.parametrize("times", [1, RESTARTS])
def test_a_cursor_that_leads_nowhere_begins_the_window_anew_a_few_times(
    api: Sandbox, read: Read, query: Query, times: int
) -> None:
    api.publish_activities([event(f"e{number:04}", DAY_ONE) for number in range(5_100)])
    api.answer(
        FEED, status=400, times=times, when=lambda params: "after_id" in params,
        body={"error": {"type": "invalid_request_error", "message": "after_id: unusable cursor."}},
    )  # fmt: skip
    report = read("2026-01-02", first_day="2026-01-01")

    counted = query(READ_WINDOWS)
    if times == 1:
        assert report.outcome == "ok"
        assert query("select count(*) from counting_activities") == [(5_100,)]
        assert counted == [(1,)]
    else:
        assert "unusable cursor" in (report.message or "")
        assert report.outcome == "failed"
        assert counted == [(0,)]


def asks_for_a_window(asked: Mapping[str, str]) -> bool:
    """Not the question with which a run begins, which tells the API's own time."""
    return asked.get("limit") != "1"


@pytest.mark.parametrize(
    "page",
    [
        {"data": [event("a", "2026-01-01T01:00:00Z")], "has_more": True, "last_id": None},
        {"data": [event("a", "2026-01-01T01:00:00Z")], "has_more": True, "last_id": "same"},
        {"results": []},
    ],
)
def test_pages_that_never_end_or_have_no_list_are_not_taken_for_an_empty_feed(
    api: Sandbox, read: Read, query: Query, page: Mapping[str, Any]
) -> None:
    api.answer(FEED, body=page, times=10, when=asks_for_a_window)
    report = read("2026-01-02", first_day="2026-01-01")

    assert report.outcome == "failed"
    assert query(READ_WINDOWS) == [(0,)]


def test_request_bodies_reach_no_file_that_we_write(
    api: Sandbox, read: Read, data_dir: DataDir
) -> None:
    secret = "what-the-person-wrote-7f3a"
    api.publish_activities(
        [
            event("a", "2026-01-01T01:00:00Z", request_body={"x": secret}),
            event("b", "nonsense", id=None, content=secret) | {"created_at": "2026-01-01T02:00Z"},
        ]
    )
    report = read("2026-01-02", first_day="2026-01-01")

    assert (report.outcome, report.rejected_count) == ("ok", 1)
    files = [path for path in data_dir.root.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_a_rejected_event_is_kept_with_its_reason_until_it_can_be_read(
    api: Sandbox, command: Command, query: Query
) -> None:
    compliance = {
        "SOURCES__CLAUDE_COMPLIANCE__BASE_URL": api.url,
        "SOURCES__CLAUDE_COMPLIANCE__API_KEY": api.api_key,
        "SOURCES__CLAUDE_COMPLIANCE__FIRST_DAY": "2026-01-05",
    }
    broken = {"data": [{"id": None, "created_at": "2026-01-06T01:00:00Z"}], "has_more": False}
    api.answer(FEED, body=broken, when=asks_for_a_window)
    ended = command(SYNC, **compliance)

    assert ended.exit_code == REJECTED
    assert "1 events could not be read" in ended.out
    assert query(
        "select endpoint, activity_date::text, reason from counting_rejected_rows"
        " where endpoint = 'activities'"
    ) == [("activities", "2026-01-06", "it has no id")]

    assert command(SYNC, **compliance).exit_code == DONE
    assert query("select count(*) from counting_rejected_rows") == [(0,)]


def test_without_a_key_everything_else_works_and_status_and_doctor_say_what_is_missing(
    api: Sandbox, command: Command, query: Query
) -> None:
    ended = command(SYNC)

    assert ended.exit_code == DONE
    assert "The activity feed is not read: no key is set for it." in ended.out
    assert FEED not in {request.path for request in api.requests}
    assert query("select count(*) from counting_activities") == [(0,)]
    for words in ("status", "doctor --today 2026-01-08"):
        assert "SOURCES__CLAUDE_COMPLIANCE__API_KEY" in command(words).out


def test_a_missing_scope_is_named_and_costs_nothing_else(api: Sandbox, command: Command) -> None:
    api.scopes = ("read:analytics",)
    compliance = {
        "SOURCES__CLAUDE_COMPLIANCE__BASE_URL": api.url,
        "SOURCES__CLAUDE_COMPLIANCE__API_KEY": api.api_key,
    }
    ended = command(SYNC, **compliance)

    assert ended.exit_code == DONE
    assert "Unavailable: activities. The key may not read the activity feed (403" in ended.out
    assert "this API needs read:compliance_activities" in command("status", **compliance).out


def test_a_wrong_key_fails_the_run_after_everything_else_was_loaded(
    api: Sandbox, command: Command, query: Query
) -> None:
    api.publish("skills", "2026-01-05", [{"skill_name": "pdf"}])
    ended = command(
        SYNC,
        SOURCES__CLAUDE_COMPLIANCE__BASE_URL=api.url,
        SOURCES__CLAUDE_COMPLIANCE__API_KEY="sk-ant-api01-another",
    )

    assert ended.exit_code == FAILED
    assert "SOURCES__CLAUDE_COMPLIANCE__API_KEY" in ended.err
    assert "sk-ant-api01-another" not in ended.out + ended.err
    assert query("select count(*) from counting_skills") == [(1,)]


def test_another_path_can_be_set(api: Sandbox, read: Read) -> None:
    report = read("2026-01-02", activities_path="/v1/organizations/activity")

    assert report.outcome == "unavailable"
    assert api.requests[-1].path == "/v1/organizations/activity"


def test_a_feed_that_was_read_before_and_is_refused_now_is_a_failure(
    api: Sandbox, read: Read
) -> None:
    read("2026-01-02")
    api.answer("/activities", status=403, times=10)

    report = read("2026-01-03")

    assert report.outcome == "failed"
    assert "was read before" in (report.message or "")


Compiled = Sequence[tuple[str, str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The SQL with which dbt builds security_events, and what stands under it, in order."""
    folder = tmp_path_factory.mktemp("compiled")
    raw = RawWarehouse(folder / "warehouse.duckdb")
    raw.close()
    results = run_dbt(["compile", "--select", "+security_events"], target(raw.path, folder), {})
    return [
        (f"{result.node.schema}.{result.node.name}", result.node.compiled_code)
        for result in results
        if result.node.resource_type == "model"
    ]


def security_events(warehouse: Path, models: Compiled) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set timezone = 'UTC'")
        for name, sql in models:
            connection.execute(f"create schema if not exists {name.split('.')[0]}")
            connection.execute(f"create table {name} as {sql}")
        return connection.execute(
            """
            select
                event_id, event_at, event_type, category, actor_type, user_id, ip_address,
                attributes
            from claude_marts.security_events order by event_id
            """
        ).fetchall()


@st.composite
def feeds(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Events: when they happened, how much later they appear, and how often the feed has them."""
    return draw(
        st.lists(
            st.tuples(st.integers(0, 96 * 60), st.integers(0, 48 * 60), st.integers(1, 3)),
            min_size=1,
            max_size=12,
        )
    )


@given(
    feed=feeds(),
    runs=st.lists(st.integers(0, 7 * 24 * 60), max_size=4),
    overlap_hours=st.sampled_from([48, 60, 200]),
)
@settings(
    max_examples=6, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
def test_any_split_overlap_and_duplication_gives_the_same_security_events(
    models: Compiled, feed: list[tuple[int, int, int]], runs: list[int], overlap_hours: int
) -> None:
    expected = []
    with TemporaryDirectory() as folder, Sandbox.empty(today="2026-01-01") as api:
        data_dir = DataDir(Path(folder) / "data")
        for number, (happened, late, copies) in enumerate(feed):
            moment = DAY_ONE + timedelta(minutes=happened)
            name = f"e{number:02}"
            for _ in range(copies):
                api.publish_activities(
                    [event(name, moment, number=number)],
                    indexed_at=moment + timedelta(minutes=late),
                )
            expected.append(
                (
                    name, moment.replace(tzinfo=None), "sso_login_succeeded", "login",
                    "user_actor", f"user_of_{name}", "192.0.2.1", json.dumps({"number": number}),
                )
            )  # fmt: skip
        read = reader(api, data_dir)
        for minutes in [*sorted(runs), 10 * 24 * 60]:
            now = DAY_ONE + timedelta(minutes=minutes)
            assert read(now, overlap_hours=overlap_hours).outcome == "ok"

        assert security_events(data_dir.warehouse, models) == expected


EVENTS = [
    ("e1", "2026-01-01 08:00:00+00", "sso_login_succeeded", "ada", "=cmd|' /C calc'!A0"),
    ("e2", "2026-01-01 09:00:00.25+00", "api_key_created", "ada", "ada@example.com"),
    ("e3", "2026-01-02 08:00:00+00", "claude_user_role_updated", "ada", "+49 30, \"x\"\nsecond"),
    ("e4", "2026-01-02 09:00:00+00", "scim_user_deleted", None, "-minus@example.com"),
    ("e5", "2026-01-03 08:00:00+00", "org_data_export_started", "ben", "@ben 李雷 ü"),
    ("e6", "2026-01-03 08:00:00+00", "org_sso_toggled", "ben", "'quoted"),
    ("e7", "2026-01-04 08:00:00+00", "claude_file_uploaded", "ben", "no evidence"),
]  # fmt: skip


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataDir]:
    """A warehouse with a few events, built and published."""
    data_dir = DataDir(tmp_path_factory.mktemp("audited"))
    raw = RawWarehouse(data_dir.warehouse)
    raw.insert(
        "activity_windows", from_at="2026-01-01 00:00:00+00", to_at="2026-01-05 00:00:00+00",
        read_at="2026-01-05 00:00:00+00", outcome="loaded", fetch_number=1, version=1,
        _dlt_load_id="complete", _dlt_id="w",
    )  # fmt: skip
    for event_id, created_at, event_type, user_id, email in EVENTS:
        raw.insert(
            "activities", version=1, id=event_id, created_at=created_at, type=event_type,
            actor__type="user_actor", actor__user_id=user_id, actor__email_address=email,
            actor__user_agent="", attributes='{"user_id": "cho", "note": "=1+1"}',
        )  # fmt: skip
    raw.close()
    result = transform(target(data_dir.warehouse, data_dir.root), select=marts("audit"))
    assert not result.failed_tests
    publish(data_dir.warehouse, data_dir.served)
    yield data_dir


Export = Callable[..., Path]


@pytest.fixture
def export(audited: DataDir, command: Command, tmp_path: Path) -> Export:
    def run(form: str = "csv", more: str = "") -> Path:
        file = tmp_path / f"evidence.{form}"
        words = f"export evidence --out {file} --format {form} --data-dir {audited.root} {more}"
        ended = command(words)
        assert ended.exit_code == DONE, ended.err
        return file

    return run


FORMATS = pytest.mark.parametrize("form", ["csv", "jsonl"])


@FORMATS
def test_an_export_is_verified(export: Export, command: Command, form: str) -> None:
    ended = command(f"verify-evidence {export(form)}")

    assert ended.exit_code == DONE
    assert "6 rows" in ended.out


@FORMATS
def test_any_one_character_changed_is_found(export: Export, command: Command, form: str) -> None:
    file = export(form)
    text = file.read_text(encoding="utf-8")
    for place in range(0, len(text), 41):
        other = "x" if text[place] != "x" else "y"
        file.write_text(text[:place] + other + text[place + 1 :], encoding="utf-8")
        assert command(f"verify-evidence {file}").exit_code == FAILED, (place, text[place])


def as_spreadsheets_quote(text: str) -> str:
    rows = csv.reader(io.StringIO(text, newline=""))
    with_quotes = io.StringIO(newline="")
    csv.writer(with_quotes, quoting=csv.QUOTE_ALL).writerows(rows)
    return with_quotes.getvalue()


def as_another_json_writer(text: str) -> str:
    lines = (json.loads(line) for line in text.splitlines())
    return "\n".join(
        json.dumps(line, sort_keys=True, indent=None, separators=(" , ", " : ")) for line in lines
    )


def with_semicolons(text: str) -> str:
    saved = io.StringIO(newline="")
    csv.writer(saved, delimiter=";").writerows(csv.reader(io.StringIO(text, newline="")))
    return saved.getvalue()


SAVED_AGAIN: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "with CRLF": ("csv", lambda text: text.replace("\n", "\r\n").encode()),
    "with CR": ("csv", lambda text: text.replace("\n", "\r").encode()),
    "with a byte-order mark": ("csv", lambda text: text.encode("utf-8-sig")),
    "as UTF-16": ("csv", lambda text: text.encode("utf-16")),
    "with every cell quoted": ("csv", lambda text: as_spreadsheets_quote(text).encode()),
    "with blank lines": ("csv", lambda text: f"\n{text}\n\r\n".encode()),
    "without the last line end": ("csv", lambda text: text.rstrip("\n").encode()),
    "with semicolons": ("csv", lambda text: with_semicolons(text).encode()),
    "JSON with CRLF": ("jsonl", lambda text: text.replace("\n", "\r\n").encode()),
    "JSON with a byte-order mark": ("jsonl", lambda text: f"\n{text}\n".encode("utf-8-sig")),
    "JSON by another writer": ("jsonl", lambda text: as_another_json_writer(text).encode()),
}


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_a_file_saved_again_with_the_same_cells_is_as_it_was_exported(
    export: Export, command: Command, how: str
) -> None:
    form, saved = SAVED_AGAIN[how]
    file = export(form)
    file.write_bytes(saved(file.read_bytes().decode()))
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == DONE, ended.err
    assert "6 rows" in ended.out


@pytest.mark.parametrize("how", SAVED_AGAIN)
def test_a_cell_changed_in_a_file_saved_again_is_named(
    export: Export, command: Command, how: str
) -> None:
    form, saved = SAVED_AGAIN[how]
    file = export(form)
    file.write_bytes(saved(file.read_bytes().decode().replace("second", "seconds")))
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == FAILED
    assert "row 3 (evidence 3, event e3) was altered" in ended.err
    assert ended.err.count("row ") == 1


@pytest.mark.parametrize(
    ("form", "cell", "other"),
    [
        ("csv", "'=cmd", "=cmd"),
        ("csv", ",ada,\"'+49", ", ada,\"'+49"),
        ("jsonl", '"user_agent": null', '"user_agent": ""'),
        ("jsonl", '"category": "role"', '"category": "role", "category": "role"'),
        ("jsonl", '"category": "role"', '"category": "role", "note": "approved"'),
        ("jsonl", '"evidence_number": "3"', '"evidence_number": 3'),
    ],
)
def test_what_a_reader_would_not_undo_is_a_change(
    export: Export, command: Command, form: str, cell: str, other: str
) -> None:
    file = export(form)
    text = file.read_bytes().decode()
    assert cell in text
    file.write_bytes(text.replace(cell, other, 1).encode())
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == FAILED
    assert re.search(r"row \d .*was altered", ended.err)


@FORMATS
def test_an_altered_row_is_named(export: Export, command: Command, form: str) -> None:
    file = export(form)
    text = file.read_text(encoding="utf-8")
    assert text.count("api_key_created") == 1
    file.write_text(text.replace("api_key_created", "api_key_creates"), encoding="utf-8")
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == FAILED
    assert "row 2 (evidence 2, event e2) was altered" in ended.err
    assert ended.err.count("row ") == 1


def records(file: Path) -> list[str]:
    """The records of a JSON lines export; one line each."""
    return file.read_text(encoding="utf-8").splitlines(keepends=True)


def test_a_removed_row_is_named(export: Export, command: Command) -> None:
    file = export("jsonl")
    rows = records(file)
    file.write_text("".join(rows[:2] + rows[3:]), encoding="utf-8")
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == FAILED
    assert "before row 3 (evidence 4, event e4), evidence 3 is missing" in ended.err


def test_the_first_row_removed_is_named(export: Export, command: Command) -> None:
    file = export("jsonl")
    file.write_text("".join(records(file)[1:]), encoding="utf-8")

    assert "at the beginning, evidence 1 is missing" in command(f"verify-evidence {file}").err


def test_swapped_rows_are_named(export: Export, command: Command) -> None:
    file = export("jsonl")
    rows = records(file)
    rows[2], rows[3] = rows[3], rows[2]
    file.write_text("".join(rows), encoding="utf-8")
    ended = command(f"verify-evidence {file}")

    assert ended.exit_code == FAILED
    assert "row 4 (evidence 3, event e3) is not in its place" in ended.err


@FORMATS
def test_an_end_that_was_cut_off_is_found(export: Export, command: Command, form: str) -> None:
    file = export(form)
    lines = records(file)
    file.write_text("".join(lines[:-1]), encoding="utf-8")
    assert "the end was cut off after row 6" in command(f"verify-evidence {file}").err

    file.write_text("".join([*lines[:-2], lines[-1]]), encoding="utf-8")
    assert "rows at the end are missing" in command(f"verify-evidence {file}").err


def test_a_file_rewritten_with_its_hashes_is_found_by_the_hash_kept_elsewhere(
    export: Export, command: Command
) -> None:
    file = export()
    printed = command(f"verify-evidence {file}").out
    kept = re.findall(r"[0-9a-f]{64}", printed)[-1]
    shorter = export("csv", "--from 2026-01-02")

    assert command(f"verify-evidence {shorter} --hash {kept}").exit_code == DONE
    wrong = command(f"verify-evidence {shorter} --hash {'0' * 64}")
    assert wrong.exit_code == FAILED
    assert "not the one that was exported with that hash" in wrong.err


def test_days_are_exported_from_the_first_to_the_last_included(
    export: Export, command: Command
) -> None:
    file = export("jsonl", "--from 2026-01-02 --to 2026-01-02")
    rows = [json.loads(line) for line in records(file)]

    assert [row["event_id"] for row in rows[:-1]] == ["e3", "e4"]
    assert command(f"verify-evidence {file}").exit_code == DONE
    empty = export("csv", "--from 2027-01-01")
    assert "0 rows" in command(f"verify-evidence {empty}").out


def test_what_a_spreadsheet_would_run_stays_text(export: Export, command: Command) -> None:
    with export().open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    emails = {row["event_id"]: row["actor_email"] for row in rows}

    assert emails["e1"] == "'=cmd|' /C calc'!A0"
    assert emails["e3"] == '\'+49 30, "x"\nsecond'
    assert emails["e4"] == "'-minus@example.com"
    assert emails["e5"] == "'@ben 李雷 ü"
    assert emails["e6"] == "''quoted"
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    originals = [json.loads(line)["actor_email"] for line in records(export("jsonl"))][:-1]
    assert originals == [email for *_, email in EVENTS[:-1]]


def test_without_marts_there_is_no_evidence(command: Command, data_dir: DataDir) -> None:
    ended = command(f"export evidence --out {data_dir.root / 'x.csv'}")

    assert ended.exit_code == FAILED
    assert "Run: claude-warehouse sync" in ended.err


def test_a_file_that_is_no_evidence_or_not_there_is_refused(
    command: Command, tmp_path: Path
) -> None:
    letter = tmp_path / "letter.csv"
    letter.write_text("Dear auditor,\nall is well.\n")

    assert command(f"verify-evidence {letter}").exit_code == FAILED
    assert command(f"verify-evidence {tmp_path / 'nothing.csv'}").exit_code == FAILED


def test_the_served_marts_say_who_did_what(audited: DataDir) -> None:
    with duckdb.connect(str(audited.served), read_only=True) as served:
        events = served.execute(
            "select event_id, category from claude_marts.security_events order by event_id"
        ).fetchall()
        changes = served.execute(
            "select event_id, subject_id, privilege_change from claude_marts.privilege_changes"
            " order by event_id"
        ).fetchall()

    assert [category for _, category in events] == [
        "login", "api_key", "role", "membership", "export", "setting", "file",
    ]  # fmt: skip
    assert changes == [("e3", "cho", "changed"), ("e4", "cho", "revoked")]
