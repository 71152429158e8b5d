"""What is not believed: the table of it, how it is confirmed, and where people see it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.doubts import doubts_of, keep_doubts
from pipelines.raw_tables import warehouse_pipeline
from pipelines.run_record import last_run
from sources.doubts import Doubt, Doubts
from tests.conftest import Command, Query

ROSTER = Doubt(
    what="roster",
    rule="half_a_roster",
    outcome="kept apart",
    sentence="The member list has 8 of 20 people.\nWhat was known of them stays.",
    claim="retires 12",
    confirms_itself=True,
)
FIRST, LATER, NEXT = (
    datetime(2026, 1, day, hour, tzinfo=UTC) for day, hour in ((8, 3), (8, 9), (9, 3))
)


def after(doubts: Doubts, now: datetime) -> Doubts:
    """The next run on the same warehouse."""
    return Doubts({each.doubt.what: each for each in doubts.new}, now)


def test_a_second_night_confirms_what_it_says_again() -> None:
    first = Doubts({}, FIRST)
    assert not first.allows(ROSTER)

    second = after(first, NEXT)

    assert second.allows(ROSTER)
    assert not second.open


def test_a_second_run_of_the_same_day_confirms_nothing() -> None:
    first = Doubts({}, FIRST)
    first.allows(ROSTER)

    assert not after(first, LATER).allows(ROSTER)


def test_a_second_night_that_says_something_else_begins_anew() -> None:
    first = Doubts({}, FIRST)
    first.allows(ROSTER)

    second = after(first, NEXT)

    assert not second.allows(replace(ROSTER, claim="retires 19"))
    assert not after(second, NEXT).allows(replace(ROSTER, claim="retires 19"))


def test_what_only_a_person_can_confirm_waits_for_one() -> None:
    owner = replace(ROSTER, what="organisation", confirms_itself=False)
    first = Doubts({}, FIRST)
    first.allows(owner)
    second = after(first, NEXT)
    assert not second.allows(owner)
    assert [each.since for each in second.open or first.open] == [FIRST]

    first.accept("organisation")

    assert after(first, NEXT).allows(owner)


def test_what_was_accepted_holds_for_that_claim_alone() -> None:
    first = Doubts({}, FIRST)
    first.allows(ROSTER)
    first.accept("roster")

    assert not after(first, NEXT).allows(replace(ROSTER, claim="retires 19"))


def test_what_is_not_claimed_any_more_is_over() -> None:
    first = Doubts({}, FIRST)
    first.allows(ROSTER)
    second = after(first, NEXT)

    second.none("roster")

    assert not second.open
    assert not after(second, datetime(2026, 1, 10, tzinfo=UTC)).allows(ROSTER)


def test_what_is_only_said_counts() -> None:
    doubts = Doubts({}, FIRST)

    assert doubts.allows(replace(ROSTER, outcome="said"))
    assert [each.doubt.sentence for each in doubts.open] == [ROSTER.sentence]


def test_a_source_whose_key_is_gone_is_named_until_it_is_switched_off(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "users.csv"
    file.write_text(
        "period_start,period_end,org_id,user_id,name,email,role,joined_at,messages_total\n"
        "2025-12-01,2025-12-31,ws,u,N,u@example.com,member,2025-01-01,4\n"
    )
    words = "sync --no-transform --only langdock --today 2026-01-08"
    name = "SOURCES__LANGDOCK__"
    assert "was read before" not in command(words, **{f"{name}FILES": str(tmp_path)}).err

    monkeypatch.delenv(f"{name}FILES")
    gone = command(words)
    off = command(
        "sync --no-transform --only users --today 2026-01-08", **{f"{name}ENABLED": "false"}
    )

    assert gone.exit_code == 0
    assert "Langdock was read before, and nothing that it takes is set any more" in gone.err
    assert "was read before" not in off.err


@pytest.mark.long
def test_what_is_doubted_stands_first_until_it_is_accepted(
    command: Command, data_dir: DataDir, query: Query
) -> None:
    command("sync --today 2026-01-08")
    with data_dir.held("test"):
        pipeline = warehouse_pipeline(data_dir)
        doubts = doubts_of(pipeline, FIRST)
        doubts.allows(ROSTER)
        keep_doubts(pipeline, doubts)
    command("sync --today 2026-01-08 --no-transform")

    for words in ("status --today 2026-01-08", "summary"):
        told = command(words).out
        attention = told.partition("Needs attention")[2].splitlines()[1]
        assert "The member list has 8 of 20 people." in attention
        assert "claude-warehouse accept roster" in told

    assert "Nothing called 'people'" in command("accept people").err
    accepted = command("accept roster --today 2026-01-08")
    assert accepted.exit_code == 0
    assert "It is accepted: the next sync takes it." in accepted.out
    assert "accept roster" not in command("status --today 2026-01-08").out
    assert query("select state from claude_raw.doubts order by doubt_number") == [
        ("open",),
        ("accepted",),
    ]
    assert last_run(data_dir)["doubts"]  # type: ignore[index]
