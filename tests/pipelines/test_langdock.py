"""Langdock beside Claude: one command loads both, and counts people once."""

import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.data_dir import DataDir
from pipelines.focus.columns import VERSIONS
from pipelines.run import Listener, RunResult, build
from sources.errors import ForeseenError
from sources.langdock.client import ExportClient
from sources.langdock.entities import ENTITIES
from sources.rate_budget import RateBudget
from sources.sandbox import Sandbox
from sources.sandbox.langdock import API_KEY
from tests.conftest import Command, Query
from tests.faults.proxy import Answer, Asked, Change, Proxy, Spoiling

SYNC = "sync --today 2026-06-15 --only users --only langdock"
WRITTEN_AT = datetime(2026, 6, 10, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three editions of the users export, for March, April and May, and the other exports."""
    folder = tmp_path_factory.mktemp("langdock")
    with Sandbox(today="2026-06-15", seats=60) as sandbox:
        for file in sandbox.langdock.write_samples(folder):
            os.utime(file, (WRITTEN_AT, WRITTEN_AT))
    yield folder


def build_months_of_assistants(data_dir: DataDir) -> None:
    """The marts of both vendors and what they are built from, published: a fifth of a whole run."""
    result = RunResult()
    with data_dir.held("test"):
        build(data_dir, result, Listener(), ["+assistant_active_users_monthly"])
    assert result.problems == []


def test_a_folder_with_three_editions_fills_a_table_per_entity_and_the_marts(
    samples: Path, command: Command, query: Query
) -> None:
    (samples / "langdock-broken.csv").write_text("nothing of use\n")

    ended = command(SYNC, SOURCES__LANGDOCK__FILES=str(samples))

    (samples / "langdock-broken.csv").unlink()
    assert ended.exit_code == 1
    assert "langdock-broken.csv cannot be used" in ended.err
    assert "Loaded 8 Langdock exports" in ended.out
    counts: dict[str, Any] = {
        table: query(f"select count(*) from claude_raw.langdock_{table}")[0][0]
        for table in ("users", "agents", "workflows", "projects", "models", "api_keys")
    }
    assert counts.pop("users") > 30
    assert counts == {"agents": 3, "workflows": 1, "projects": 2, "models": 2, "api_keys": 1}
    assert query(
        """
        select
            strftime(month, '%Y-%m'), claude_coverage, langdock_active_users > 5,
            active_users = langdock_active_users
        from claude_marts.assistant_active_users_monthly
        where langdock_coverage = 'full' order by month
        """,
        served=True,
    ) == [
        ("2026-03", "partial", True, None),
        ("2026-04", "full", True, True),
        ("2026-05", "full", True, True),
    ]
    [(hidden, known)] = query(
        """
        select count(*) filter (not is_identified), count(*) filter (is_identified)
        from claude_marts.assistant_usage_monthly
        where vendor = 'langdock' and month = '2026-05-01'
        """,
        served=True,
    )
    # May's export hides names, but ids are those of March and April, which do not.
    assert (hidden, known > 10) == (0, True)


def test_a_name_that_a_spreadsheet_would_run_is_served_as_text(
    tmp_path: Path, data_dir: DataDir, command: Command, query: Query
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "users.csv").write_text(
        "period_start,period_end,user_id,email,messages_total,messages_chat\n"
        "2026-05-01,2026-05-31,=1+1,@SUM(A1),3,3\n"
    )

    ended = command(f"{SYNC} --no-transform", SOURCES__LANGDOCK__FILES=str(folder))
    build_months_of_assistants(data_dir)

    assert ended.exit_code == 0
    assert query(
        "select user_id, email from claude_marts.assistant_usage_monthly where vendor = 'langdock'",
        served=True,
    ) == [("=1+1", "@sum(a1)")]


def test_skipped_lines_are_named_and_end_with_their_own_exit_code(
    tmp_path: Path, command: Command
) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "users.csv").write_text(
        "period_start,period_end,user_id,messages_total\n"
        "2026-05-01,2026-05-31,u1,3\n"
        "2026-05-01,2026-05-31,u2\n"
    )
    words = f"{SYNC} --no-transform"

    first = command(words, SOURCES__LANGDOCK__FILES=str(folder))
    second = command(words)

    assert (first.exit_code, second.exit_code) == (4, 0)
    assert "1 lines of Langdock exports could not be read" in first.out


def test_people_of_both_vendors_are_counted_once_and_hidden_ones_make_bounds(
    api: Sandbox, tmp_path: Path, data_dir: DataDir, command: Command, query: Query
) -> None:
    people = ["Ada@x.org", "ben@x.org"]
    rows = [
        {"user": {"id": email, "email_address": email}, "chat_metrics": {"message_count": 1}}
        for email in people
    ]
    api.publish("users", "2026-05-05", rows)
    folder = tmp_path / "exports"
    folder.mkdir()
    period = "2026-05-01,2026-05-31,org"
    (folder / "users.csv").write_text(
        "period_start,period_end,org_id,user_id,email,messages_total,messages_chat\n"
        f"{period},l1,ada@X.org,4,4\n"
        f"{period},l2,cho@x.org,1,1\n"
        f"{period},hidden,,2,2\n"
        f"{period},idle,,0,0\n"
    )
    api.today = date(2026, 6, 15)

    ended = command(f"{SYNC} --no-transform", SOURCES__LANGDOCK__FILES=str(folder))
    build_months_of_assistants(data_dir)

    assert ended.exit_code == 0, ended.err
    # Whoever hides may be ben: three or four people.
    assert query(
        """
        select
            claude_active_users, langdock_active_users, identified_users_of_both,
            active_users_lower_bound, active_users_upper_bound, active_users
        from claude_marts.assistant_active_users_monthly where month = '2026-05-01'
        """,
        served=True,
    ) == [(2, 3, 1, 3, 4, None)]
    assert query(
        """
        select vendor, message_count, is_active from claude_marts.assistant_usage_monthly
        where month = '2026-05-01' and person_key = 'ada@x.org' order by vendor
        """,
        served=True,
    ) == [("claude", 1, True), ("langdock", 4, True)]


def test_status_says_how_far_langdock_is_read_and_what_it_refused(
    samples: Path, api: Sandbox, command: Command
) -> None:
    api.langdock.without = {"agents"}
    words = "sync --no-transform --only langdock --today 2026-06-15"
    key = {"SOURCES__LANGDOCK__BASE_URL": api.url, "SOURCES__LANGDOCK__API_KEY": API_KEY}
    before = command("status --today 2026-06-15", SOURCES__LANGDOCK__FILES=str(samples))
    command(words, **key)

    screen = command("status --today 2026-06-15").out
    state = json.loads(command("status --json --today 2026-06-15").out)["sources"]["langdock"]

    assert before.exit_code == 1
    assert re.search(r"Langdock: [\d,]+ rows of \d+ periods, \S+ to 2026-05-31", screen)
    assert "langdock_agents: " in screen
    assert state["endpoints"]["langdock_agents"]["outcome"] == "unavailable"
    assert state["endpoints"]["langdock_users"] == {"outcome": "ok", "message": None}
    assert state["row_count"] > 0
    assert str(state["last_date"]) == "2026-05-31"


def test_doctor_asks_each_export_of_langdock_once_without_making_one(
    api: Sandbox, command: Command
) -> None:
    api.langdock.without = {"projects"}
    key = {"SOURCES__LANGDOCK__BASE_URL": api.url, "SOURCES__LANGDOCK__API_KEY": API_KEY}

    fine = command("doctor --today 2026-01-08", **key)
    wrong = command("doctor --today 2026-01-08", SOURCES__LANGDOCK__API_KEY="ld-wrong")

    assert fine.exit_code == 0
    assert "langdock_users: /export/users/csv" in fine.out
    assert "langdock_projects: unavailable" in fine.out
    assert len([body for _, body, _ in api.langdock.requests if body == {}]) == 7
    assert wrong.exit_code == 1
    assert "does not accept the key" in wrong.out
    assert "ld-wrong" not in wrong.out


def announcing_one_more(asked: Asked, answer: Answer) -> Answer:
    document = json.loads(answer.body)
    document["data"]["recordCount"] += 1
    return answer.with_body(json.dumps(document).encode())


def of_october(url: str) -> Change:
    """What the API has to say of another month, as a proxy would that mixes answers."""

    def change(asked: Asked, answer: Answer) -> Answer:
        body = asked.body.replace(b"2025-11-30", b"2025-10-31").replace(b"2025-11-", b"2025-10-")
        headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
        other = httpx.post(url + asked.path, content=body, headers=headers)
        return answer.with_body(other.content)

    return change


def test_a_file_that_is_not_the_one_that_was_announced_is_not_taken_for_the_month(
    command: Command, query: Query
) -> None:
    sync = "sync --today 2026-01-09 --only langdock --no-transform"
    november = "select count(*) from claude_raw.langdock_users where period_start = '2025-11-01'"
    with Sandbox(today="2026-01-09", seats=8) as sandbox, Proxy(sandbox.url) as proxy:
        sandbox.langdock.without = {"agents", "api_keys", "models", "projects", "workflows"}
        settings = {
            "SOURCES__LANGDOCK__BASE_URL": proxy.url,
            "SOURCES__LANGDOCK__API_KEY": API_KEY,
        }
        proxy.spoilings.append(
            Spoiling(lambda asked: b'"2025-11-01T' in asked.body, announcing_one_more)
        )
        refused = command(sync, **settings)
        rows = query(november)
        proxy.spoilings = [
            Spoiling(lambda asked: b'"2025-11-01T' in asked.body, of_october(sandbox.url))
        ]
        other = command(sync, **settings)
        rows += query(november)
        proxy.spoilings.clear()
        mended = command(sync, **settings)

    assert refused.exit_code == 1
    said = " ".join(refused.err.split())
    assert "/export/users/csv 2025-11: the API announced" in said
    assert "Nobody can tell what is missing, so nothing of this month was stored." in said
    assert other.exit_code == 1
    assert "the month 2025-11 was asked for, and the file has rows of 2025-10-01" in " ".join(
        other.err.split()
    )
    assert rows == [(0,), (0,)]
    assert mended.exit_code == 0
    assert query(november)[0][0] > 1


@pytest.mark.parametrize(
    "address",
    [
        "https://storage.example.com:99999/x",
        "https://name:word@storage.example.com/x",
        "https:///x",
        "https://storage.example.com/" + "x" * 100_000,
    ],
)
def test_an_address_of_the_file_that_is_none_is_a_fault_of_the_answer(address: str) -> None:
    said = said_of_a_file_at(address)

    assert "the answer names no address of the exported file" in said
    assert "base_url is" not in said and "word" not in said


def test_a_file_that_everybody_could_read_on_the_way_is_not_asked_for() -> None:
    said = said_of_a_file_at("http://files.example.com/users.csv?signature=word")

    assert said.startswith("The address that Langdock's export API named for the file is")
    assert "'http://files.example.com', which is not encrypted" in said
    assert "base_url" not in said and "the key" not in said and "word" not in said


def said_of_a_file_at(address: str) -> str:
    def named(asked: Asked, answer: Answer) -> Answer:
        document = json.loads(answer.body)
        document["data"]["downloadUrl"] = address
        return answer.with_body(json.dumps(document).encode())

    budget = RateBudget(Path(":memory:"), 1_000)
    with (
        Sandbox(today="2026-01-09", seats=4) as sandbox,
        Proxy(sandbox.url) as proxy,
        ExportClient(base_url=proxy.url, api_key=API_KEY, budget=budget) as client,
        pytest.raises(ForeseenError) as caught,
    ):
        proxy.spoilings.append(Spoiling(lambda asked: True, named, any_of_them=True))
        client.month(ENTITIES[0], date(2025, 12, 1))
    return str(caught.value)


def test_charges_of_an_organisation_with_two_vendors_break_no_rule(
    samples: Path, api: Sandbox, command: Command, query: Query, tmp_path: Path
) -> None:
    """They are Claude's alone: the other vendor's exports tell no bill."""
    actor = {"type": "user_actor", "user_id": "ana", "email_address": "ana@example.com"}
    group = {"actor": actor, "product": "chat", "model": "opus", "cost_type": "tokens"}
    cost = {"amount": "1250", "list_amount": "1300", "currency": "USD"}
    back = {"amount": "-90000", "list_amount": "-90000", "currency": "USD"}
    rows = [{"group": group, "cost": cost}, {"group": {**group, "actor": None}, "cost": back}]
    api.publish("costs", "2026-05-04", rows)
    days = "backfill --from 2026-05-04 --to 2026-05-04 --today 2026-06-15"
    words = f"{days} --only costs --only cost_totals --no-transform"
    assert command(words).exit_code == 0
    synced = command(SYNC.replace("--only users ", ""), SOURCES__LANGDOCK__FILES=str(samples))
    assert synced.exit_code == 0

    for version in VERSIONS:
        for form in ("parquet", "csv"):
            file = tmp_path / f"may_{version}.{form}"
            words = f"--month 2026-05 --focus-version {version} --format {form} --out {file}"
            assert command(f"export focus {words}").exit_code == 0
            judged = command(f"verify-focus {file}")
            assert "broken: 0 MUST, 0 READ, 0 SHOULD." in judged.out
            assert judged.exit_code == 0
    assert query(
        """
        select string_agg(distinct ServiceProviderName), sum(BilledCost) = (
            select sum(amount_usd) from claude_marts.chargeback_monthly
            where month = '2026-05-01'
        )
        from claude_marts.focus_cost_and_usage where BillingPeriodStart = '2026-05-01'
        """,
        served=True,
    ) == [("Anthropic", True)]
    assert query("select count(*) > 9 from claude_marts.assistant_usage_monthly") == [(True,)]
