"""`[privacy] identity`: who is named in what a run leaves, and by which key nobody is."""

import json
import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipelines import settings
from pipelines.exit_codes import DONE, FAILED
from sources.sandbox import Sandbox
from tests.conftest import Command, Query
from tests.privacy.compared import PSEUDONYM, differences
from tests.privacy.everything import hits, of_database
from tests.privacy.organisations import KEY, SEATS, TODAY, Place, people, place, words_of, write

SYNC = "sync --no-transform --today 2026-01-08 --only users"
NAMED = {"PRIVACY__IDENTITY": "pseudonymous", "PRIVACY__IDENTITY_KEY": KEY}
SPEND = "select sum(spend_usd) from claude_marts.spend_daily"
USERS = [{"user": {"id": "user_01ANAANAANA", "email_address": "ana@example.com"}}]
SMALLEST = 3
"""People of a group that may be seen; the projects of this organisation have as many."""
NAMED_PROJECTS = "select count(project_name) > 0 from claude_marts.project_usage_daily"
SMALL_GROUPS = f"""
    with months as (
        select
            team.month, sum(people) as people, sum(people) filter (department <> 'Other') as named,
            min(people) filter (department <> 'Other') as smallest,
            min(department_count) filter (department = 'Other') as others
        from claude_marts.team_adoption_monthly as team group by team.month
    )
    select * from months
    where
        smallest < {SMALLEST}
        or people - named between 1 and {SMALLEST - 1}
        or (people > named and others < 2)
"""


@pytest.fixture(scope="module")
def organisation() -> Iterator[Sandbox]:
    with Sandbox(seats=SEATS, today=TODAY) as sandbox:
        yield sandbox


def spend(file: Path) -> Decimal:
    with duckdb.connect(str(file), read_only=True) as connection:
        [(total,)] = connection.execute(SPEND).fetchall()
    return Decimal(total)


@pytest.fixture
def users(api: Sandbox) -> None:
    api.publish("users", "2026-01-05", USERS)


def test_nobody_is_named_in_any_file_of_a_run(
    organisation: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = place(tmp_path / "here", organisation, monkeypatch)
    everybody = {word for person in people(organisation) for word in words_of(person)}
    assert here.sync("pseudonymous", PRIVACY__MIN_GROUP_SIZE=str(SMALLEST)) == DONE
    # Who reads no people finds no pseudonym of one either, and all the money.
    anonymous = here.data.served_anonymous
    shown = [text for where, text in of_database("anonymous", anonymous) if "comment" not in where]
    assert shown and not any(re.search(PSEUDONYM, text) for text in shown)
    assert spend(anonymous) == spend(here.data.served) > 0
    # Nor the name of a project that a few people have, nor a department of a few, also not by
    # taking the others from all.
    with duckdb.connect(str(anonymous), read_only=True) as connection:
        assert connection.execute(SMALL_GROUPS).fetchall() == []
        assert connection.execute(NAMED_PROJECTS).fetchall() == [(True,)]
    larger = {"PRIVACY__IDENTITY": "pseudonymous", "PRIVACY__MIN_GROUP_SIZE": str(SMALLEST + 1)}
    assert here.run("publish", **larger) == DONE
    with duckdb.connect(str(anonymous), read_only=True) as connection:
        assert connection.execute(NAMED_PROJECTS).fetchall() == [(False,)]
    # A line that cannot be read, a file that changed, and a night that ends before it publishes.
    export = next((here.folder / "inputs/langdock").glob("*sers*"))
    reviews = here.folder / "inputs/access_reviews.csv"
    write(reviews, [{"email": people(organisation)[4]["email"], "reviewed_at": "2026-02-02"}])
    here.sync("pseudonymous", words="--no-transform")

    assert hits(here.folder, everybody, here.inputs) == {}
    # The same search finds them where they are.
    assert export.exists() and len(hits(here.folder / "inputs", everybody)) > SEATS


@pytest.mark.long
def test_all_but_the_names_is_as_it_is_with_names(
    organisation: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places: dict[str, Place] = {}
    for identity in ("full", "pseudonymous"):
        places[identity] = place(tmp_path / identity, organisation, monkeypatch)
        assert places[identity].sync(identity) == DONE

    served = [places[identity].data.served for identity in ("full", "pseudonymous")]
    assert differences(*served) == {}


def test_a_key_that_changed_is_refused_and_the_earlier_one_goes_on(
    users: None, command: Command, query: Query
) -> None:
    assert command(SYNC, **NAMED).exit_code == DONE
    other = command(SYNC, PRIVACY__IDENTITY_KEY="z" * 64)
    none = command(SYNC, PRIVACY__IDENTITY_KEY="")

    assert (other.exit_code, none.exit_code) == (FAILED, FAILED)
    assert "is not the key that this warehouse was loaded with" in other.err
    assert "there is no identity_key" in none.err
    assert "z" * 64 not in other.err + other.out
    assert command(SYNC, **NAMED).exit_code == DONE
    stored = query("select * from claude_raw.identities")
    assert len(stored) == 1 and KEY not in str(stored)


@pytest.mark.parametrize("before", ["full", "pseudonymous"])
def test_a_folder_of_another_identity_is_left_alone_and_told_the_way(
    users: None, command: Command, query: Query, before: str
) -> None:
    after = "full" if before == "pseudonymous" else "pseudonymous"
    command(SYNC, **{**NAMED, "PRIVACY__IDENTITY": before})
    stored = query("select * from claude_raw.users")
    ended = command(SYNC, PRIVACY__IDENTITY=after, PRIVACY__IDENTITY_KEY=KEY)

    assert ended.exit_code == FAILED
    assert f'was loaded as "{before}"' in ended.err
    assert "--data-dir" in ended.err or "claude-warehouse apply-identity" in ended.err
    assert query("select * from claude_raw.users") == stored


def test_a_day_that_comes_again_is_no_other_one(
    users: None, command: Command, query: Query
) -> None:
    command(SYNC, **NAMED)
    command("backfill --no-transform --from 2026-01-05 --to 2026-01-05 --today 2026-01-08", **NAMED)
    versions = "select count(*), count(distinct version) from claude_raw.loaded_days"
    assert query(f"{versions} where activity_date = '2026-01-05' and endpoint = 'users'") == [
        (2, 1)
    ]


def test_init_makes_a_key_and_shows_it_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    keys = set()
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        monkeypatch.chdir(folder)
        settings._read.cache_clear()
        ended = command("init")
        secrets = tomllib.loads((folder / ".dlt/secrets.toml").read_text())
        keys.add(secrets["privacy"]["identity_key"])
        assert secrets["privacy"]["identity_key"] not in ended.out + ended.err
        assert "identity_key" not in (folder / ".dlt/config.toml").read_text()
    assert len(keys) == 2 and all(len(key) == 64 for key in keys)


def test_a_key_that_is_too_short_is_refused_without_being_shown(command: Command) -> None:
    ended = command(SYNC, **{**NAMED, "PRIVACY__IDENTITY_KEY": "swordfish"})
    assert ended.exit_code == FAILED
    assert "at least 32 characters" in ended.err and "swordfish" not in ended.err


def test_what_an_answer_says_of_a_person_is_in_no_message(api: Sandbox, command: Command) -> None:
    twice = [{**USERS[0], "web_search_count": count} for count in (1, 2)]
    api.publish("users", "2026-01-05", twice)
    ended = command(SYNC, **NAMED)
    told = json.dumps([ended.err, ended.out])
    assert "the API gives two rows of" in told
    assert "user_01ANAANAANA" not in told and "ana@example.com" not in told
