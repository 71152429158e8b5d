"""Whose data it is: a key of another organisation is refused before anything is stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from sources.sandbox import Sandbox
from tests.conftest import Command, Query

SOURCES = ("CLAUDE_ANALYTICS", "CLAUDE_ADMIN", "CLAUDE_COMPLIANCE")
OWN, OTHER = "Northwind Enterprise", "Northwind Test"
OTHER_ORGANIZATION = {
    "type": "organization",
    "id": "99999999-8d44-4c7a-9a53-2e6f10c4d9aa",
    "name": OTHER,
}
DAY, NEXT = "2026-01-08", "2026-01-09"


@pytest.fixture
def other() -> Iterator[Sandbox]:
    """The API of another organisation, whose people are others."""
    with Sandbox(today=DAY, seats=30, seed=2) as sandbox:
        sandbox.organization = OTHER_ORGANIZATION
        yield sandbox


@pytest.fixture
def api() -> Iterator[Sandbox]:
    with Sandbox(today=DAY, seats=8) as sandbox:
        yield sandbox


def keys(api: Sandbox, *sources: str) -> dict[str, str]:
    """Settings that make these sources, or all, read that API."""
    return {
        f"SOURCES__{source}__{name}": value
        for source in sources or SOURCES
        for name, value in {
            "BASE_URL": api.url,
            "API_KEY": api.api_key,
            "REQUESTS_PER_MINUTE": "100000",
        }.items()
    }


def stored(query: Query) -> list[list[tuple[Any, ...]]]:
    """What the sources brought, without what dlt adds."""
    return [
        query(
            "select distinct columns(lambda name: name[:4] != '_dlt' and name != 'version')"
            f" from claude_raw.{table} order by all"
        )
        for table in ("users", "cost_totals", "costs", "members", "organizations", "activities")
    ]


@pytest.mark.parametrize(
    "source",
    [SOURCES[0], *(pytest.param(source, marks=pytest.mark.long) for source in SOURCES[1:])],
)
def test_a_key_of_another_organisation_stores_nothing_of_its_source(
    api: Sandbox, other: Sandbox, command: Command, query: Query, source: str
) -> None:
    assert command(f"sync --no-transform --today {DAY}", **keys(api)).exit_code == 0
    before = stored(query)

    ended = command(f"sync --no-transform --today {DAY}", **keys(other, source))

    assert ended.exit_code == 1
    assert f"SOURCES__{source}__API_KEY is a key of another organisation" in ended.err
    assert OWN in ended.err and OTHER in ended.err
    assert "claude-warehouse accept organisation" in ended.err
    assert stored(query) == before


def test_doctor_compares_the_keys_with_what_is_stored_and_with_each_other(
    api: Sandbox, other: Sandbox, command: Command
) -> None:
    both = {**keys(api), **keys(other, "CLAUDE_ADMIN")}

    before = command(f"doctor --today {DAY}", **both)
    command(f"sync --no-transform --today {DAY}", **keys(api))
    after = command(f"doctor --today {DAY}", **keys(other, "CLAUDE_ANALYTICS"))

    for ended, variable in ((before, "CLAUDE_ADMIN"), (after, "CLAUDE_ANALYTICS")):
        assert ended.exit_code == 1
        assert f"SOURCES__{variable}__API_KEY is a key of another organisation" in ended.out
        assert OWN in ended.out and OTHER in ended.out


def test_a_new_account_takes_one_confirmation_and_leaves_the_days_of_the_former_one(
    api: Sandbox, other: Sandbox, command: Command, query: Query
) -> None:
    command(f"sync --no-transform --today {DAY}", **keys(api))
    before = query("select count(*), sum(chat_metrics__message_count) from counting_users")
    assert command(f"sync --no-transform --today {NEXT}", **keys(other)).exit_code == 1

    assert command(f"accept organisation --today {NEXT}").exit_code == 0
    ended = command(f"sync --no-transform --today {NEXT}")

    assert ended.exit_code == 0, ended.err
    assert (
        query(
            "select count(*), sum(chat_metrics__message_count) from counting_users"
            " where activity_date <= '2026-01-05'"
        )
        == before
    )
    assert query("select count(*) from counting_users where activity_date = '2026-01-06'") != [(0,)]
    assert command(f"sync --no-transform --today {NEXT}").exit_code == 0


def test_without_a_header_the_api_is_asked_whose_key_it_is(
    api: Sandbox, other: Sandbox, command: Command
) -> None:
    for each in (api, other):
        each.tells_organization = False
    command(f"sync --no-transform --today {DAY} --only users", **keys(api))

    ended = command(f"sync --no-transform --today {NEXT} --only users", **keys(other))

    assert ended.exit_code == 1
    assert OWN in ended.err and OTHER in ended.err


@pytest.mark.long
def test_a_folder_of_an_older_release_is_compared_with_its_roster(
    api: Sandbox, other: Sandbox, command: Command, query: Query
) -> None:
    command(f"sync --no-transform --today {DAY}", **keys(api))
    query("delete from claude_raw.key_owners")

    assert command(f"sync --no-transform --today {NEXT}", **keys(other)).exit_code == 1
    assert command(f"sync --no-transform --today {NEXT}", **keys(api)).exit_code == 0
