"""A command asks for no key that it does not need."""

from pathlib import Path

import pytest

from pipelines.exit_codes import DONE, FAILED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query

NO_KEY = {"SOURCES__CLAUDE_ANALYTICS__API_KEY": ""}
USERS = (
    "period_start,period_end,org_id,user_id,name,email,messages_total\n"
    "2026-01-01,2026-01-31,org_1,u1,Ada,ada@example.com,7\n"
)


@pytest.fixture
def langdock_files(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "users.csv").write_text(USERS)
    return {"SOURCES__LANGDOCK__FILES": str(folder)}


def test_a_source_that_is_named_alone_needs_no_other_key(
    api: Sandbox, command: Command, query: Query, langdock_files: dict[str, str]
) -> None:
    only = "--no-transform --today 2026-02-10 --only"
    feed = {
        "SOURCES__CLAUDE_COMPLIANCE__BASE_URL": api.url,
        "SOURCES__CLAUDE_COMPLIANCE__API_KEY": api.api_key,
    }
    for words in (
        f"sync {only} langdock",
        f"sync {only} claude_compliance",
        f"backfill --from 2026-01-05 --to 2026-01-06 {only} claude_compliance",
    ):
        ended = command(words, **NO_KEY, **langdock_files, **feed)
        assert (ended.exit_code, ended.err.count("\n")) == (DONE, 2), ended.err

    assert query("select count(*) from counting_langdock_users") == [(1,)]
    assert not any("/analytics/" in request.path for request in api.requests)


def test_a_warehouse_that_langdock_alone_feeds_needs_no_key_of_anthropics(
    command: Command, query: Query, langdock_files: dict[str, str]
) -> None:
    ended = command("sync --today 2026-02-10", **NO_KEY, **langdock_files)

    assert ended.exit_code == DONE, ended.err
    assert "The Analytics API is not read: no key is set for it" in ended.out
    people = "select message_count from claude_marts.assistant_usage_monthly"
    assert query(people, served=True) == [(7,)]


def test_a_key_that_is_gone_is_a_failure_where_the_api_was_read_before(
    api: Sandbox, command: Command, langdock_files: dict[str, str]
) -> None:
    api.publish("users", "2026-01-05", [{"user": {"id": "user_ada"}}])
    command("sync --no-transform --today 2026-01-09 --only users")

    ended = command("sync --no-transform --today 2026-01-10", **NO_KEY, **langdock_files)

    assert ended.exit_code == FAILED
    assert "SOURCES__CLAUDE_ANALYTICS__API_KEY" in ended.err
