"""Langdock's exports as they come: editions, encodings, broken lines, and periods that compete."""

import os
import random
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.data_dir import DataDir
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from sources.contract import SourceReport
from sources.errors import ForeseenError
from sources.langdock import LangdockSettings
from sources.langdock.periods import POLICIES, Part, months_to_ask, plan
from sources.langdock.reader import Slot, read_export
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.loading import load_source
from tests.versions import create_views

PERIOD = "2026-10-01,2026-10-31,org,"
USERS = "period_start,period_end,org_id,user_id,name,email,messages_total\n"
ADA = PERIOD + "u1,Ada,ada@x.org,7\n"
BEN = PERIOD + "u2,Ben,ben@x.org,0\n"

Drop = Callable[..., Path]
REJECTED = """
    select source_name, line_number, reason from counting_rejected_rows
    where endpoint = 'langdock_users'
"""
Load = Callable[..., SourceReport]
Query = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "langdock"
    folder.mkdir()
    return folder


@pytest.fixture
def drop(folder: Path) -> Drop:
    """Put a file into the folder, written at a minute of one day."""

    def drop(name: str, content: str | bytes, minute: int = 0) -> Path:
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        moment = datetime(2026, 11, 5, 8, minute, tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
        return path

    return drop


@pytest.fixture
def load(folder: Path, data_dir: DataDir) -> Load:
    def load(today: str = "2026-11-10", **options: Any) -> SourceReport:
        data_dir.create()
        clock = Clock.at(date.fromisoformat(today))
        chosen = LangdockSettings(**{"files": str(folder), **options})
        return load_source(data_dir, "langdock", clock, chosen)

    return load


@pytest.fixture
def query(data_dir: DataDir) -> Query:
    def query(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(data_dir.warehouse) as connection:
            connection.execute("set timezone = 'UTC'")
            if "counting_" in sql:
                create_views(connection)
            return connection.execute(sql).fetchall()

    return query


def rows(content: str | bytes) -> list[dict[str, Any]]:
    encoded = content.encode() if isinstance(content, str) else content
    export = read_export(encoded, "export.csv")
    return [dict(row) for part in export.rows.values() for row in part]


def values(content: str | bytes, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows(content)]


def rejected(content: str | bytes) -> list[tuple[int, str]]:
    encoded = content.encode() if isinstance(content, str) else content
    return [(line.line, line.reason) for line in read_export(encoded, "export.csv").rejected]


def refusal(content: str | bytes) -> str:
    with pytest.raises(ForeseenError) as refused:
        rows(content)
    return str(refused.value)


def test_columns_are_found_by_their_names_in_any_order_and_case() -> None:
    content = (
        "E-Mail,MESSAGES_TOTAL,Period End,User ID,period_start\na@x.org,3,2026-10-31,u,2026-10-01\n"
    )

    assert values(content, "email", "messages_total", "user_id", "period_end") == [
        ("a@x.org", 3, "u", date(2026, 10, 31))
    ]


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("user_id,messages_total", "langdock_users"),
        ("role,messages_total,messages_chat", "langdock_users"),
        ("Nutzer-ID;Nachrichten gesamt", "langdock_users"),
        ("assistant_id,assistant_name,messages", "langdock_agents"),
        ("agent_id,messages", "langdock_agents"),
        ("project_id,project_name,messages", "langdock_projects"),
        ("workflow_id,runs_total", "langdock_workflows"),
        ("api_key_id,requests", "langdock_api_keys"),
        ("name,requests", "langdock_models"),
        ("name,provider,bring_your_keys,requests", "langdock_models"),
        ("Modell;Anbieter;Anfragen", "langdock_models"),
    ],
)
def test_the_header_says_which_export_a_file_is(header: str, table: str) -> None:
    delimiter = ";" if ";" in header else ","
    names = delimiter.join(["period_start", "period_end", header])

    assert read_export(f"{names}\n".encode(), "export.csv").table == table


@pytest.mark.parametrize(
    ("names", "cells", "stored"),
    [
        ("runs_total,runs_failed", "31,2", {"runs": 31, "failed_runs": 2}),
        ("Execution count", "31", {"runs": 31}),
        ("cost_usd", "4.25", {"total_cost_usd": Decimal("4.25")}),
        ("Monthly cap (USD)", "50", {"limit_usd": Decimal(50)}),
        (
            "payg_limit_current,payg_utilization_pct_current",
            "50,0.085",
            {"limit_usd": Decimal(50), "limit_utilization": Decimal("0.085")},
        ),
        (
            "owner_id,owner_email",
            "user_1,ana@x.example",
            {"workflow_owner_id": "user_1", "workflow_owner_email": "ana@x.example"},
        ),
        # Euros are no dollars, a rate is no count, and of two that would fit neither is guessed.
        ("cost_eur,success_rate", "4.25,0.9", {}),
        ("cost_models,cost_tools", "1,2", {}),
    ],
)
def test_a_workflow_s_columns_are_known_by_their_words(
    names: str, cells: str, stored: dict[str, object]
) -> None:
    text = f"period_start,period_end,workflow_id,{names}\n2026-10-01,2026-10-31,flow,{cells}\n"
    columns = [
        "workflow_owner_id", "workflow_owner_email", "runs", "succeeded_runs", "failed_runs",
        "total_cost_usd", "limit_usd", "limit_utilization",
    ]  # fmt: skip

    [found] = values(text, *columns)

    assert {n: v for n, v in zip(columns, found, strict=True) if v is not None} == stored


def test_a_german_file_with_semicolons_and_decimal_commas_says_the_same() -> None:
    german = (
        "\ufeffZeitraum Start;Zeitraum Ende;Organisations-ID;API-Schlüssel-ID;Anfragen;"
        "Gesamtkosten (USD)\r\n"
        "01.10.2026;31.10.2026;org;key;1.840;1.012,43\r\n"
    )
    english = (
        "period_start,period_end,org_id,api_key_id,requests,total_cost_usd\n"
        "2026-10-01,2026-10-31,org,key,1840,1012.43\n"
    )
    columns = ("period_start", "period_end", "org_id", "api_key_id", "requests", "total_cost_usd")

    assert values(german, *columns) == values(english, *columns)
    assert values(german, "requests", "total_cost_usd") == [(1840, Decimal("1012.43"))]


def test_a_number_that_could_be_two_is_not_guessed() -> None:
    header = "period_start;period_end;api_key_id;requests;total_cost_usd\n"
    row = "2026-10-01;2026-10-31;{};5;{}\n"

    assert rejected(header + row.format("a", "1.234")) == [
        (2, "column total_cost_usd: it is not one number: such as 1.234 can be read in two ways")
    ]
    assert values(header + row.format("a", "1.234") + row.format("b", "0,5"), "total_cost_usd") == [
        (Decimal(1234),),
        (Decimal("0.5"),),
    ]


def test_what_an_edition_lacks_is_null_and_what_it_adds_is_kept() -> None:
    content = (
        "period_start,period_end,user_id,messages_total,tokens: gpt-5\n"
        "2026-10-01,2026-10-31,u,,12\n"
    )

    assert values(content, "email", "messages_total", "undeclared_fields") == [
        (None, None, '{"tokens: gpt-5": "12"}')
    ]


def test_a_privacy_export_without_ids_keeps_every_line_as_a_person() -> None:
    content = (
        "period_start,period_end,role,messages_total,messages_chat\n"
        + "2026-10-01,2026-10-31,member,5,5\n" * 2
    )

    assert values(content, "user_id", "messages_total") == [(None, 5), (None, 5)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_names_survive_every_encoding(encoding: str) -> None:
    content = (USERS + PERIOD + "u1,Zoë Weiß – Ünal,z@x.org,1\n").encode(encoding)

    assert values(content, "name") == [("Zoë Weiß – Ünal",)]


def test_lines_in_a_second_encoding_are_skipped_and_named() -> None:
    content = USERS.encode() + b"".join(
        (PERIOD + f"u{number},{name},x@x.org,1\n").encode(encoding)
        for number, (name, encoding) in enumerate(
            [("Zoë", "utf-8"), ("Jürgen", "cp1252"), ("Ada", "ascii")]
        )
    )

    assert values(content, "name") == [("Zoë",), ("Ada",)]
    assert rejected(content) == [
        (3, "it is not UTF-8, as other lines are; the file has two encodings")
    ]


def test_a_file_that_goes_on_in_another_encoding_than_utf_16_is_refused() -> None:
    assert "another encoding" in refusal((USERS + ADA).encode("utf-16") + b"\x00\xd8\x41")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (PERIOD + 'u9,"Eve,e@x.org,1', "its quotes do not close"),
        (PERIOD + 'u9,E"v"e,"e"@x.org,1', "its quotes do not close"),
        (PERIOD + "u9,Eve, Dr.,e@x.org,1", "it has 8 of 7 cells"),
        (PERIOD + "u9", "it has 4 of 7 cells"),
        (PERIOD + "u9,Eve,e@x.org,many", "column messages_total: it is not a number"),
        (PERIOD + "u9,Eve,e@x.org,1.5", "column messages_total: it is not a whole number"),
        ("10.2026,2026-10-31,org,u9,Eve,e@x.org,1", "column period_start: it is not a date"),
        ("10/01/2026,2026-10-31,org,u9,Eve,e@x.org,1", "one day: 2026-01-10 or 2026-10-01"),
        (",2026-10-31,org,u9,Eve,e@x.org,1", "column period_start: empty"),
        ("2026-10-31,2026-10-01,org,u9,Eve,e@x.org,1", "column period_end: it is before"),
        (PERIOD + "u9,E\0ve,e@x.org,1", "NUL"),
        (USERS.strip(), "it repeats the first line"),
    ],
)
def test_a_broken_line_costs_only_itself(line: str, reason: str) -> None:
    content = USERS + ADA + line + "\n" + BEN

    assert values(content, "user_id") == [("u1",), ("u2",)]
    [(number, why)] = rejected(content)
    assert number == 3
    assert reason in why


def test_a_cell_may_have_lines_and_be_huge() -> None:
    huge = "{" + ", ".join(f'""agent {number}"": {number}' for number in range(300_000)) + "}"
    content = (
        "period_start,period_end,org_id,user_id,name,assistants_to_messages\n"
        + PERIOD
        + f'u1,"Ada\nOkafor","{huge}"\n'
        + PERIOD
        + "u2,Ben,{}\n"
    )

    [(name, agents), (other, _)] = values(content, "name", "assistants_to_messages")

    assert (name, other) == ("Ada\nOkafor", "Ben")
    assert agents == huge.replace('""', '"')
    assert len(agents) > 5_000_000


def test_a_cell_that_should_be_json_and_is_not_is_kept_as_text_and_named() -> None:
    content = (
        "period_start,period_end,org_id,user_id,action_to_messages\n" + PERIOD + "u1,{Canvas: 6}\n"
    )

    assert values(content, "action_to_messages", "invalid_json_fields") == [
        ("{Canvas: 6}", "action_to_messages")
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "the file is empty"),
        ("date,api_key,call\n2026-10-01,k,1\n", "fit no export"),
        ("date,api_key_id,cost\n2026-10-01,k,1\n", "no column period_start"),
        (USERS.replace("name,", "name,E-Mail,") + ADA, "are both the column email"),
        (USERS + ADA + ADA.replace(",7", ",8"), "lines 2 and 3"),
        (USERS + ADA + "period_start,period_end,org_id,project_id,a,b,c\n", "another table begins"),
    ],
)
def test_a_file_that_is_no_export_or_contradicts_itself_is_refused(content: str, why: str) -> None:
    message = refusal(content)

    assert why in message
    assert "ada@x.org" not in message


def test_text_that_a_spreadsheet_would_run_stays_text(drop: Drop, load: Load, query: Query) -> None:
    names = ["=1+1", "+49", "@SUM(A1)", "-3"]
    lines = [PERIOD + f"u{number},{name},,1\n" for number, name in enumerate(names)]
    drop("users.csv", USERS + "".join(lines))

    load()

    assert query("select name from counting_langdock_users order by user_id") == [
        (name,) for name in names
    ]


def test_without_a_folder_and_a_key_there_are_empty_tables(
    data_dir: DataDir, load: Load, query: Query
) -> None:
    load(files=None)
    create_absent_tables(warehouse_pipeline(data_dir))

    tables = query(
        "select table_name from duckdb_tables()"
        " where schema_name = 'claude_raw' and table_name like 'langdock%' order by all"
    )
    assert [name for (name,) in tables] == [
        "langdock_agents",
        "langdock_api_keys",
        "langdock_exports",
        "langdock_models",
        "langdock_projects",
        "langdock_users",
        "langdock_workflows",
    ]
    assert query("select count(*) from counting_langdock_exports") == [(0,)]


def test_a_newer_export_replaces_the_whole_period(drop: Drop, load: Load, query: Query) -> None:
    drop("first.csv", USERS + ADA + BEN, minute=1)
    load()

    drop("second.csv", USERS + ADA.replace(",7", ",9"), minute=2)
    load()

    assert query("select user_id, messages_total from counting_langdock_users") == [("u1", 9)]
    assert query(
        "select source_name, outcome from counting_langdock_exports order by source_name"
    ) == [("first.csv", "replaced"), ("second.csv", "loaded")]


def test_an_older_export_of_a_loaded_period_changes_nothing(
    drop: Drop, load: Load, query: Query
) -> None:
    drop("new.csv", USERS + ADA, minute=2)
    load()

    drop("old.csv", USERS + BEN, minute=1)
    load()

    assert query("select user_id from counting_langdock_users") == [("u1",)]


def test_a_file_that_is_there_still_is_not_loaded_again(
    drop: Drop, load: Load, query: Query
) -> None:
    drop("users.csv", USERS + ADA + PERIOD + "broken\n")
    assert (load().unit_count, load().unit_count) == (1, 0)

    drop("copy.csv", USERS + ADA + PERIOD + "broken\n", minute=5)
    again = load("2026-11-12")

    assert (again.unit_count, again.rejected_count, again.problems) == (0, 0, [])
    assert query("select count(*) from counting_langdock_users") == [(1,)]
    assert query(REJECTED) == [("users.csv", 3, "it has 4 of 7 cells")]


def test_a_corrected_file_replaces_what_it_said_even_with_an_older_date(
    drop: Drop, load: Load, query: Query
) -> None:
    drop("users.csv", USERS + ADA + PERIOD + "broken\n", minute=5)
    load()
    assert query(REJECTED) == [("users.csv", 3, "it has 4 of 7 cells")]

    drop("users.csv", USERS + BEN, minute=1)
    load()

    assert query("select user_id from counting_langdock_users") == [("u2",)]
    assert query(REJECTED) == []


def test_what_was_loaded_stays_when_its_file_is_gone(drop: Drop, load: Load, query: Query) -> None:
    file = drop("users.csv", USERS + ADA)
    load()

    file.unlink()
    load()

    assert query("select user_id from counting_langdock_users") == [("u1",)]


def test_two_workspaces_may_export_one_month(drop: Drop, load: Load, query: Query) -> None:
    drop("a.csv", USERS + ADA)
    drop("b.csv", USERS + BEN.replace("org", "other"))

    load()

    assert query("select user_id from counting_langdock_users order by all") == [("u1",), ("u2",)]


WEEK = ADA.replace("2026-10-01,2026-10-31", "2026-10-05,2026-10-11")


def test_a_week_and_its_month_never_add_up_and_the_message_names_both(
    drop: Drop, load: Load, query: Query
) -> None:
    drop("month.csv", USERS + ADA, minute=1)
    drop("week.csv", USERS + WEEK, minute=2)

    [message] = load().problems

    assert "week.csv (2026-10-05 to 2026-10-11) and month.csv (2026-10-01 to 2026-10-31)" in message
    assert query("select sum(messages_total) from counting_langdock_users") == [(7,)]
    assert load().problems == [message]


@pytest.mark.parametrize(("policy", "kept"), [("newest", "week.csv"), ("longest", "month.csv")])
def test_a_policy_says_which_of_overlapping_periods_counts(
    policy: str,
    kept: str,
    drop: Drop,
    load: Load,
    query: Query,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, content, minute in [("month.csv", ADA, 1), ("week.csv", WEEK, 2)]:
        drop(name, USERS + content, minute)
        load(overlaps=policy)

    [said] = [line for line in caplog.messages if line.startswith("Left out: ")]
    assert f"{kept} (2026-10-" in said.split("because")[1]
    caplog.clear()
    assert load(overlaps=policy).problems == []
    assert query("select source_name from counting_langdock_users") == [(kept,)]
    assert caplog.messages == []  # It is said once.


def test_an_export_that_was_left_out_comes_back_when_nothing_is_in_its_way(
    drop: Drop, load: Load, query: Query
) -> None:
    for name, first, last, minute in [("a", "01", "10", 1), ("b", "08", "20", 2)]:
        days = f"2026-10-{first},2026-10-{last}"
        drop(f"{name}.csv", USERS + ADA.replace("2026-10-01,2026-10-31", days), minute)
    load(overlaps="newest")
    assert query("select source_name from counting_langdock_users") == [("b.csv",)]

    drop("c.csv", USERS + ADA.replace("2026-10-01", "2026-10-15"), minute=3)
    load(overlaps="newest")

    assert query("select source_name from counting_langdock_users order by all") == [
        ("a.csv",),
        ("c.csv",),
    ]


def test_a_running_month_exported_again_under_one_name_is_no_overlap(
    drop: Drop, load: Load, query: Query
) -> None:
    drop("now.csv", USERS + ADA.replace("10-31", "10-15"), minute=1)
    load()

    drop("now.csv", USERS + ADA.replace("10-31", "10-16"), minute=2)

    assert load().problems == []
    assert query("select cast(period_end as varchar) from counting_langdock_users") == [
        ("2026-10-16",)
    ]


def test_a_broken_file_refuses_only_itself(drop: Drop, load: Load, query: Query) -> None:
    drop("broken.csv", b"\x89PNG\r\n\x1a\n")
    drop("good.csv", USERS + ADA)

    [message] = load().problems

    assert "broken.csv" in message
    assert query("select user_id from counting_langdock_users") == [("u1",)]


def test_a_folder_that_is_not_there_is_a_message_and_what_to_do(load: Load) -> None:
    [message] = load(files="not/there").problems

    assert "not/there" in message
    assert "[sources.langdock] files" in message


def test_a_folder_may_have_any_name_and_hold_links(
    load: Load, query: Query, tmp_path: Path
) -> None:
    folder = tmp_path / "o'brien [1] #2 50% {{ x }} *?"
    below = tmp_path / "elsewhere"
    for place in (folder, below):
        place.mkdir()
    (below / "users.csv").write_text(USERS + ADA)
    (below / "back").symlink_to(below)
    (folder / "link").symlink_to(below)

    assert load(files=str(folder)).problems == []

    assert query("select source_name from counting_langdock_users") == [("link/users.csv",)]


def test_a_folder_may_be_an_object_store(load: Load, query: Query) -> None:
    store = fsspec.filesystem("memory")
    store.pipe("/exports/2026/users.csv", (USERS + ADA).encode())
    store.pipe("/exports/readme.txt", b"not an export")

    assert load(files="memory://exports").problems == []

    assert query("select source_name from counting_langdock_users") == [("2026/users.csv",)]


def test_a_store_whose_extra_is_not_installed_is_a_message(load: Load) -> None:
    [message] = load(files="s3://bucket/exports").problems

    assert "s3" in message


def test_lines_of_a_load_that_broke_off_are_written_again(
    drop: Drop, load: Load, query: Query, data_dir: DataDir
) -> None:
    drop("users.csv", USERS + ADA + BEN)
    load()
    with duckdb.connect(data_dir.warehouse) as connection:
        connection.execute("delete from claude_raw.langdock_users where user_id = 'u1'")

    load()

    assert query("select user_id from counting_langdock_users order by all") == [("u1",), ("u2",)]


SPANS = [(1, 31), (5, 11), (12, 18), (8, 14), (1, 15), (16, 31), (29, 31)]
PARTS = st.lists(
    st.builds(
        lambda span, org, minute, name, loaded: Part(
            slot=Slot("t", org, date(2026, 10, span[0]), date(2026, 10, span[1]), ""),
            source_name=name,
            file_hash=f"{name}/{span}/{minute}",
            exported_at=datetime(2026, 11, 1, 0, minute, tzinfo=UTC),
            is_loaded=loaded,
        ),
        st.sampled_from(SPANS),
        st.sampled_from(["a", "b"]),
        st.integers(0, 3),
        st.sampled_from(["x", "y", "z"]),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda part: (part.slot, part.file_hash),
)


@settings(max_examples=300, deadline=None)
@given(parts=PARTS, policy=st.sampled_from(sorted(POLICIES)), seed=st.integers())
def test_no_order_of_files_changes_what_counts_and_no_day_counts_twice(
    parts: list[Part], policy: str, seed: int
) -> None:
    shuffled = list(parts)
    random.Random(seed).shuffle(shuffled)

    chosen = plan(parts, policy)

    assert set(chosen.accepted) == set(plan(shuffled, policy).accepted)
    days = [
        (part.slot.org_id, day)
        for part in chosen.accepted
        for day in range(part.slot.period_start.day, part.slot.period_end.day + 1)
    ]
    assert len(days) == len(set(days))
    everything = [*chosen.accepted, *chosen.replaced, *(part for part, _ in chosen.overlapping)]
    assert sorted(map(repr, everything)) == sorted(map(repr, parts))


def test_months_are_asked_for_newest_first_until_they_are_settled() -> None:
    read = {date(2026, 10, 1): date(2026, 11, 2), date(2026, 9, 1): date(2026, 10, 9)}

    months = months_to_ask(date(2026, 11, 22), read, revision_days=7)

    assert [f"{month:%Y-%m}" for month in months] == [
        "2026-10", "2026-08", "2026-07", "2026-06", "2026-05", "2026-04", "2026-03", "2026-02",
        "2026-01", "2025-12",
    ]  # fmt: skip


@pytest.fixture
def ask(api: Sandbox, load: Load) -> Load:
    api.today = date(2026, 11, 10)
    key = api.langdock.api_key
    return lambda today="2026-11-10", **options: load(
        today,
        **{"files": None, "base_url": api.url, "api_key": key, "requests_per_minute": 9_999}
        | options,
    )


def test_the_api_brings_what_a_file_would(api: Sandbox, ask: Load, query: Query) -> None:
    api.langdock.publish("users", "2026-10-01", USERS + ADA)

    assert ask().problems == []

    assert query("select user_id, source_name from counting_langdock_users") == [
        ("u1", "/export/users/csv 2026-10")
    ]
    _, body, headers = api.langdock.requests[0]
    assert body == {
        "from": {"date": "2026-10-01T00:00:00.000Z", "timezone": "UTC"},
        "to": {"date": "2026-10-31T23:59:59.999Z", "timezone": "UTC"},
    }
    assert headers["authorization"] == f"Bearer {api.langdock.api_key}"


def test_the_key_is_not_sent_to_the_storage(api: Sandbox, ask: Load) -> None:
    api.langdock.publish("users", "2026-10-01", USERS + ADA)

    ask()

    downloads = [headers for path, _, headers in api.langdock.requests if "storage" in path]
    assert len(downloads) == 1
    assert api.langdock.api_key not in str(downloads)


def test_a_month_without_usage_is_known_to_be_empty(ask: Load, query: Query) -> None:
    ask()

    assert query(
        """
        select count(*), min(period_start)::varchar, sum(row_count), any_value(outcome)
        from counting_langdock_exports where entity = 'users'
        """
    ) == [(11, "2025-12-01", 0, "loaded")]


def test_settled_months_are_not_asked_for_again(api: Sandbox, ask: Load) -> None:
    ask()
    api.langdock.requests.clear()

    ask("2026-11-11")
    assert api.langdock.requests == []

    api.today = date(2026, 12, 2)
    ask("2026-12-02")
    months = {body["from"]["date"][:7] for _, body, _ in api.langdock.requests}
    assert months == {"2026-11"}


def test_usage_that_appears_in_an_empty_month_is_loaded(
    api: Sandbox, ask: Load, query: Query
) -> None:
    ask("2026-11-02")
    api.langdock.publish("users", "2026-10-01", USERS + ADA)

    ask("2026-11-03")

    assert query("select user_id from counting_langdock_users") == [("u1",)]
    assert query(
        """
        select outcome, row_count from counting_langdock_exports
        where entity = 'users' and period_start = '2026-10-01' order by outcome
        """
    ) == [("loaded", 1), ("replaced", 0)]


def test_an_export_that_the_workspace_does_not_have_costs_only_itself(
    api: Sandbox, ask: Load, query: Query
) -> None:
    api.langdock.without = {"projects", "workflows"}
    api.langdock.publish("users", "2026-10-01", USERS + ADA)

    assert ask().problems == []

    entities = query("select distinct entity from counting_langdock_exports order by all")
    assert [name for (name,) in entities] == ["agents", "api_keys", "models", "users"]


def test_an_export_that_was_read_before_and_is_refused_now_is_a_failure(
    api: Sandbox, ask: Load
) -> None:
    ask()
    api.langdock.without = {"projects"}

    [refusal] = ask("2026-12-05").problems

    assert "/export/projects/csv was read before" in refusal


def test_a_wrong_key_is_one_message_and_no_secret_is_in_it(api: Sandbox, ask: Load) -> None:
    [message] = ask(api_key="ld-wrong").problems

    assert "does not accept the key" in message
    assert "SOURCES__LANGDOCK__API_KEY" in message
    assert "ld-wrong" not in message
    assert len(api.langdock.requests) == 1


def test_a_refusal_is_told_in_langdocks_own_words(api: Sandbox, ask: Load) -> None:
    api.langdock.forbidden = "API key lacks scope USAGE_EXPORT_API"

    [message, *_] = ask().problems

    assert 'It says "API key lacks scope USAGE_EXPORT_API".' in message
    assert "A workspace admin creates a key" in message
    assert "claude.ai" not in message


def test_a_dedicated_deployment_has_its_path_in_the_base_url(
    api: Sandbox, ask: Load, query: Query
) -> None:
    api.langdock.publish("users", "2026-10-01", USERS + ADA)

    ask(base_url=f"{api.url}/api/public")

    assert query("select user_id from counting_langdock_users") == [("u1",)]
    assert "/api/public/export/users/csv" in {path for path, _, _ in api.langdock.requests}
