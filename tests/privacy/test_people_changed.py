"""Forgetting a person, another key, names taken out of a folder: in everything that is stored."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE, FAILED
from pipelines.people import people_changed
from sources.door import Door
from sources.errors import ForeseenError
from sources.sandbox import Sandbox
from tests.conftest import Command, Query
from tests.privacy.compared import differences
from tests.privacy.everything import hits
from tests.privacy.organisations import KEY, SEATS, TODAY, people, place, words_of

NOW = datetime(2026, 1, 9, tzinfo=UTC)
SYNC = "sync --no-transform --today 2026-01-08 --only users"
ANA = {"user": {"id": "user_01ANAANAANA", "email_address": "ana@example.com"}}
DIANA = {"user": {"id": "user_01DIANADIANA", "email_address": "diana@example.com"}}
AGAIN = "backfill --no-transform --only users --from 2026-01-04 --to 2026-01-05 --today 2026-01-08"
PEOPLE = "select distinct user__id, user__email_address from claude_raw.users order by 1"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY__IDENTITY_KEY", KEY)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the commands are run, with its secrets."""
    (tmp_path / "here/.dlt").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    settings._read.cache_clear()
    return tmp_path / "here"


@pytest.fixture
def both(api: Sandbox) -> None:
    for day in ("2026-01-04", "2026-01-05"):
        api.publish("users", day, [ANA, DIANA])


Change = Callable[..., str]


@pytest.fixture
def change(data_dir: DataDir, both: None) -> Change:
    """What a command does before it builds the marts."""

    def run(what: Callable[..., str], *words: str) -> str:
        with data_dir.held("test"):
            return what(data_dir, *words, NOW)

    return run


@pytest.mark.parametrize("identity", ["full", "pseudonymous"])
@pytest.mark.parametrize("who", ["ANA@example.com ", "user_01ANAANAANA"])
def test_whoever_is_forgotten_stands_nowhere_and_does_not_come_back(
    command: Command, query: Query, data_dir: DataDir, change: Change, identity: str, who: str
) -> None:
    command(SYNC, PRIVACY__IDENTITY=identity)
    before = query(PEOPLE)
    told = change(people_changed.forget_person, who)
    after = query(PEOPLE)
    again = command(AGAIN)

    assert "exports" in told and "ana@" not in told.casefold()
    assert again.exit_code == DONE
    assert query(PEOPLE) == after
    assert len(after) == len(before) == 2 and len({*after} & {*before}) == 1
    assert query("select count(*) from claude_raw.users") == [(4,)]
    assert hits(data_dir.root, ["user_01ANAANAANA", "\nana@example.com", "'ana@example.com"]) == {}


def test_nobody_else_is_forgotten(command: Command, query: Query, change: Change) -> None:
    command(SYNC)
    change(people_changed.forget_person, "ana@example.com")
    assert ("user_01DIANADIANA", "diana@example.com") in query(PEOPLE)
    with pytest.raises(ForeseenError, match="Nobody of that address"):
        change(people_changed.forget_person, "na@example.com")


def test_an_address_of_several_people_forgets_none_of_them(
    api: Sandbox, command: Command, query: Query, change: Change
) -> None:
    later = {"user": {"id": "user_01LATERLATER", "email_address": "ana@example.com"}}
    api.publish("users", "2026-01-05", [later, DIANA])
    command(SYNC)
    before = query(PEOPLE)
    with pytest.raises(ForeseenError, match="Several people had that address"):
        change(people_changed.forget_person, "ana@example.com")
    assert query(PEOPLE) == before


def test_without_a_key_nobody_can_be_forgotten(
    command: Command, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(SYNC)
    monkeypatch.delenv("PRIVACY__IDENTITY_KEY")
    with pytest.raises(ForeseenError, match="identity_key"):
        change(people_changed.forget_person, "ana@example.com")


def test_another_key_makes_other_pseudonyms_and_everybody_still_one_person(
    folder: Path,
    api: Sandbox,
    command: Command,
    query: Query,
    change: Change,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PRIVACY__IDENTITY_KEY")
    secrets = folder / ".dlt/secrets.toml"
    secrets.write_text(f'[privacy]\nidentity_key = "{KEY}"\n')
    command(SYNC, PRIVACY__IDENTITY="pseudonymous")
    before = query(PEOPLE)
    change(people_changed.rotate_key)
    settings._read.cache_clear()
    after = query(PEOPLE)
    api.publish("users", "2026-01-05", [{**ANA, "web_search_count": 3}, DIANA])
    again = command(AGAIN)

    assert again.exit_code == DONE, again.err
    assert len(after) == 2 and not {*before} & {*after}
    assert query(PEOPLE) == after
    [line] = re.findall('identity_key = "(.*)"', secrets.read_text())
    assert line.split()[0] == KEY and len(line.split()) == 2
    assert secrets.stat().st_mode & 0o077 == 0


def test_names_are_taken_out_of_a_folder_that_has_them(
    command: Command,
    query: Query,
    data_dir: DataDir,
    change: Change,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command(SYNC)
    assert hits(data_dir.root, ["user_01ANAANAANA"]) != {}
    monkeypatch.setenv("PRIVACY__IDENTITY", "pseudonymous")
    change(people_changed.apply_identity)
    assert hits(data_dir.root, ["user_01ANAANAANA", "diana@example.com"]) == {}
    stored = query(PEOPLE)
    assert command(AGAIN).exit_code == DONE
    assert query(PEOPLE) == stored and len(stored) == 2
    assert query("select count(distinct version) from claude_raw.users") == [(2,)]


def test_who_has_the_key_and_a_list_finds_out_who_is_who(
    command: Command, tmp_path: Path, query: Query, both: None
) -> None:
    command(SYNC, PRIVACY__IDENTITY="pseudonymous")
    export, listed, out = (tmp_path / name for name in ("export.csv", "list.txt", "out.csv"))
    export.write_text("\n".join(f"{email},1" for _, email in query(PEOPLE)))
    listed.write_text("ANA@example.com\nnobody@example.com\n")
    ended = command(f"reveal {export} --emails {listed} --out {out}")
    assert ended.exit_code == DONE and "1 of 2" in ended.out
    assert "ANA@example.com,1" in out.read_text() and "diana" not in out.read_text()
    other = command(
        f"reveal {export} --emails {listed} --out {out} --force", PRIVACY__IDENTITY_KEY="z" * 64
    )
    assert "0 of 2" in other.out
    assert command(f"reveal {export} --emails {listed} --out {out}").exit_code == FAILED


KEPT_DAYS = 20
KEEP_TWO_DAYS = {"PRIVACY__KEEP_PEOPLE_DAYS": "2"}
OTHERS = ["user_01DIANADIANA", "diana@example.com"]
OF_ANA = ["user_01ANAANAANA", "\nana@example.com", "'ana@example.com"]


@pytest.fixture
def ana_is_gone(api: Sandbox) -> None:
    api.publish("users", "2026-01-02", [ANA, DIANA])
    api.publish("users", "2026-01-05", [DIANA])


def test_whoever_was_not_heard_of_for_long_is_a_pseudonym_that_the_key_reveals(
    command: Command, query: Query, data_dir: DataDir, ana_is_gone: None
) -> None:
    told = command(SYNC, **KEEP_TWO_DAYS)
    rows = query("select user__id, user__email_address from claude_raw.users order by 1, 2")
    door = Door(identity="pseudonymous", keys=[KEY])

    assert told.exit_code == DONE and "1 person of whom nothing was heard for 2 days" in told.out
    assert rows == [
        (door.person("user_01ANAANAANA"), door.email("ana@example.com")),
        *[("user_01DIANADIANA", "diana@example.com")] * 2,
    ]
    assert hits(data_dir.root, OF_ANA) == {}
    assert hits(data_dir.root, OTHERS).keys() == {*OTHERS}
    # The next night finds nobody new, and brings nobody back.
    assert "became pseudonyms" not in command(SYNC).out
    again = AGAIN.replace("2026-01-04", "2026-01-02")
    assert command(again).exit_code == DONE
    assert hits(data_dir.root, OF_ANA) == {}
    assert query("select distinct reason from claude_raw.forgotten_people") == [
        ("keep_people_days",)
    ]


def test_who_goes_on_under_another_address_is_heard_of(
    api: Sandbox, command: Command, query: Query, ana_is_gone: None
) -> None:
    married = {"user": {"id": "user_01ANAANAANA", "email_address": "ana.lee@example.com"}}
    api.publish("users", "2026-01-05", [DIANA, married])
    command(SYNC, **KEEP_TWO_DAYS)
    emails = query("select distinct user__email_address from claude_raw.users order by 1")
    assert emails == [("ana.lee@example.com",), ("ana@example.com",), ("diana@example.com",)]


def test_an_address_that_somebody_else_has_now_is_theirs(
    api: Sandbox, command: Command, query: Query, ana_is_gone: None
) -> None:
    later = {"user": {"id": "user_01LATERLATER", "email_address": "ana@example.com"}}
    api.publish("users", "2026-01-05", [DIANA, later])
    command(SYNC, **KEEP_TWO_DAYS)
    door = Door(identity="pseudonymous", keys=[KEY])
    assert query(PEOPLE) == [
        (door.person("user_01ANAANAANA"), "ana@example.com"),
        ("user_01DIANADIANA", "diana@example.com"),
        ("user_01LATERLATER", "ana@example.com"),
    ]


def test_a_source_that_says_nothing_for_long_makes_nobody_a_pseudonym(
    command: Command, query: Query, both: None
) -> None:
    # The newest day of use is the 5th, the run's the 8th.
    command(SYNC, **KEEP_TWO_DAYS)
    assert [email for _, email in query(PEOPLE)] == ["ana@example.com", "diana@example.com"]


def test_who_is_to_become_a_pseudonym_needs_a_key(
    command: Command, both: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PRIVACY__IDENTITY_KEY")
    ended = command(SYNC, **KEEP_TWO_DAYS)
    assert ended.exit_code == FAILED and "without the identity_key" in ended.err


def test_whoever_became_a_pseudonym_can_still_be_forgotten(
    command: Command, query: Query, change: Change, ana_is_gone: None
) -> None:
    api_says = "select user__id from claude_raw.users where activity_date = '2026-01-02' order by 1"
    command(SYNC, **KEEP_TWO_DAYS)
    [(pseudonym,), _] = query(api_says)
    change(people_changed.forget_person, pseudonym)
    command(AGAIN.replace("2026-01-04", "2026-01-02"))
    [(after,), _] = query(api_says)
    assert after != pseudonym and after.startswith("person_")
    assert pseudonym not in str(query("select distinct user__id from claude_raw.users"))


@pytest.fixture(scope="module")
def organisation() -> Iterator[Sandbox]:
    with Sandbox(seats=SEATS, today=TODAY) as sandbox:
        yield sandbox


@pytest.mark.long
def test_forgotten_in_every_file_and_no_number_of_a_group_moves(
    organisation: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path / "here", organisation, monkeypatch)
    person = people(organisation)[5]
    assert here.sync("full") == DONE
    assert {*hits(here.folder, words_of(person), here.inputs)} == words_of(person)
    before = tmp_path / "before.duckdb"
    before.write_bytes(here.data.served.read_bytes())

    assert here.run(f"forget-person --today {TODAY}", person["email"]) == DONE
    assert hits(here.folder, words_of(person), here.inputs) == {}
    assert differences(before, here.data.served, texts_of_people=False) == {}
    # The API, the roster and the files name the person still.
    here.sync("full", TODAY + timedelta(days=1))
    assert hits(here.folder, words_of(person), here.inputs) == {}


@pytest.mark.long
def test_people_who_are_gone_become_pseudonyms_and_no_number_of_a_group_moves(
    organisation: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path / "here", organisation, monkeypatch)
    first_leaver = min(person["left_on"] for person in people(organisation) if person["left_on"])
    # Signs in once more, and the days end with the newest that the API has opened.
    organisation.today = today = first_leaver + timedelta(days=KEPT_DAYS + 15)
    assert here.sync("full", today) == DONE
    before = tmp_path / "before.duckdb"
    before.write_bytes(here.data.served.read_bytes())
    gone = [
        words_of(person)
        for person in people(organisation)
        if not hits(here.folder, words_of(person), here.inputs)
    ]
    assert here.sync("full", today, PRIVACY__KEEP_PEOPLE_DAYS=str(KEPT_DAYS)) == DONE
    silent = [
        words_of(person)
        for person in people(organisation)
        if not hits(here.folder, words_of(person), here.inputs)
    ]
    assert len(silent) > len(gone)
    assert differences(before, here.data.served, texts_of_people=False) == {}
