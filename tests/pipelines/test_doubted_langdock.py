"""Exports of another workspace, or that lost much of a period, are not taken at once."""

from pathlib import Path

import pytest

from tests.commands import Ended
from tests.conftest import Command, Query

HEAD = "period_start,period_end,org_id,user_id,name,email,role,joined_at,messages_total"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "langdock"
    folder.mkdir()
    monkeypatch.setenv("SOURCES__LANGDOCK__FILES", str(folder))
    return folder


def export(folder: Path, name: str, people: int, workspace: str = "ws-1", month: int = 1) -> None:
    lines = [
        f"2026-{month:02}-01,2026-{month:02}-28,{workspace},u{number},N{number},"
        f"u{number}@example.com,member,2025-01-01,{number + 1}"
        for number in range(people)
    ]
    (folder / name).write_text("\n".join([HEAD, *lines]) + "\n")


def night(command: Command, day: str) -> Ended:
    return command(f"sync --no-transform --only langdock --today {day}")


def users(query: Query) -> list[tuple[str, int]]:
    return [
        (workspace, count)
        for workspace, count in query(
            "select org_id, count(distinct user_id) from counting_langdock_users"
            " group by 1 order by 1"
        )
    ]


def stored_users(query: Query) -> int:
    [(count,)] = query("select count(*) from claude_raw.langdock_users")
    return int(count)


def test_a_period_that_lost_most_of_its_people_stays_as_it_was_until_somebody_accepts_it(
    folder: Path, command: Command, query: Query
) -> None:
    export(folder, "users.csv", 20)
    assert night(command, "2026-03-02").exit_code == 0
    export(folder, "users.csv", 4)

    ended = night(command, "2026-03-03")

    assert ended.exit_code == 4
    assert "2026-01-01 to 2026-01-28: 4 of 20 rows" in ended.err
    assert users(query) == [("ws-1", 20)]
    assert night(command, "2026-03-04").exit_code == 4
    assert stored_users(query) == 24
    assert command("accept langdock").exit_code == 0
    assert night(command, "2026-03-05").exit_code == 0
    assert "4 of 20 rows" not in command("status").out
    assert users(query) == [("ws-1", 4)]


def test_a_period_that_is_whole_again_is_as_if_nothing_had_been(
    folder: Path, command: Command, query: Query
) -> None:
    export(folder, "users.csv", 20)
    night(command, "2026-03-02")
    export(folder, "users.csv", 4)
    night(command, "2026-03-03")
    export(folder, "users.csv", 20)

    assert night(command, "2026-03-04").exit_code == 0
    assert users(query) == [("ws-1", 20)]


def test_an_export_of_another_workspace_is_refused_with_both_names(
    folder: Path, command: Command, query: Query
) -> None:
    export(folder, "users.csv", 5)
    night(command, "2026-03-02")
    export(folder, "others.csv", 5, workspace="ws-2", month=2)

    ended = night(command, "2026-03-03")

    assert ended.exit_code == 1
    assert "ws-1" in ended.err and "ws-2" in ended.err
    assert users(query) == [("ws-1", 5)]
    assert command("accept workspace").exit_code == 0
    assert night(command, "2026-03-03").exit_code == 0
    assert users(query) == [("ws-1", 5), ("ws-2", 5)]
