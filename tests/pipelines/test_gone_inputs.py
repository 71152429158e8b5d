"""An input that is gone is not an empty one: every reference file, in every way to go absent."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sources.reference_files import FILES
from tests.conftest import Command, Query

SYNC = "sync --no-transform --only users --today 2026-01-08"
PEOPLE = [f"{name}@x.org" for name in ("ana", "ben", "cho", "dan", "eve", "fay")]
TEXTS = {
    "org_chart": "email,department,cost_center,manager_email,valid_from\n"
    + "".join(f"{email},D{number},{number},,\n" for number, email in enumerate(PEOPLE)),
    "seat_prices": "seat_tier,usd_per_month,valid_from\ndefault,31,\npremium,62,\nbasic,9,\n",
    "fixed_shares": "cost_pool,department,cost_center,percentage\n"
    "shared,D1,1,50\nshared,D2,2,30\nshared,D3,3,20\n",
    "chargeback_policies": "cost_pool,policy,valid_from\n"
    "metered,direct,\nseats,even,\nshared,fixed,\n",
    "cost_center_groups": "rbac_group,cost_center,department,priority\n"
    "g1,1,D1,1\ng2,2,D2,2\ng3,3,D3,3\n",
    **{
        f"approved_{kind}": "name,approval\na,approved\nb,banned\nc,unreviewed\n"
        for kind in ("connectors", "skills", "plugins")
    },
    "exempt_seats": "email\n" + "".join(f"{email}\n" for email in PEOPLE),
    "access_reviews": "email,reviewed_at\n" + "".join(f"{email},2026-01-02\n" for email in PEOPLE),
    "budgets": "cost_center,usd_per_month,valid_from\n1,100,\n2,200,\n3,300,\n",
    "holidays": "holiday_date,name\n2026-01-01,New Year\n2026-05-01,May Day\n2026-12-25,Xmas\n",
    "other_assistants": "vendor,month,email,message_count,cost_usd\n"
    + "".join(f"Vendor,2026-01,{email},12,3.50\n" for email in PEOPLE),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Path]:
    found = {}
    for name, text in TEXTS.items():
        found[name] = tmp_path / f"{name}.csv"
        found[name].write_text(text)
        monkeypatch.setenv(variable(name), str(found[name]))
    return found


def variable(name: str) -> str:
    return f"SOURCES__REFERENCE_FILES__{name.upper()}"


def stored(query: Query) -> dict[str, object]:
    return {
        file.table: sorted(map(str, query(f"select * from claude_raw.{file.table}")))
        for file in FILES
    }


def headers_only(files: Mapping[str, Path]) -> None:
    for file in files.values():
        file.write_text(file.read_text().splitlines()[0] + "\n")


def half_of_it(files: Mapping[str, Path]) -> None:
    for name, file in files.items():
        lines = file.read_text().splitlines(keepends=True)
        kept = lines[: 1 + (len(lines) - 1) // 2]
        file.write_text("".join(kept).replace("D1,1,50", "D1,1,100"))
        assert len(kept) < len(lines), name


def nothing_in_it(files: Mapping[str, Path]) -> None:
    for file in files.values():
        file.write_text("")


def moved_away(files: Mapping[str, Path]) -> None:
    for file in files.values():
        file.rename(file.with_suffix(".old"))


def a_folder_in_its_place(files: Mapping[str, Path]) -> None:
    for file in files.values():
        file.unlink()
        file.mkdir()


@pytest.mark.parametrize(
    "way", [headers_only, half_of_it, nothing_in_it, moved_away, a_folder_in_its_place]
)
def test_a_file_that_lost_what_it_had_is_refused_and_what_was_loaded_stays(
    way: Callable[[Mapping[str, Path]], None],
    files: Mapping[str, Path],
    command: Command,
    query: Query,
) -> None:
    assert TEXTS.keys() == {file.table for file in FILES}
    assert command(SYNC).exit_code == 0
    before = stored(query)

    way(files)
    ended = command(SYNC)

    assert ended.exit_code == 1
    for name in files:
        assert name in ended.err
    assert stored(query) == before


def test_files_that_are_set_no_more_stay_until_that_is_confirmed_each_by_its_name(
    files: Mapping[str, Path],
    command: Command,
    query: Query,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command(SYNC)
    before = stored(query)
    for name in files:
        monkeypatch.delenv(variable(name))

    first = command(SYNC)
    again = command(SYNC.replace("08", "09"))

    for ended in (first, again):
        assert ended.exit_code == 1
        for name in files:
            assert f"The reference file {name} is not set any more" in ended.err
            assert f"claude-warehouse accept {name}" in ended.err
    assert stored(query) == before

    command("accept exempt_seats --today 2026-01-09")
    monkeypatch.setenv(variable("org_chart"), str(files["org_chart"]))
    taken = command(SYNC.replace("08", "09"))

    after = stored(query)
    assert after.pop("exempt_seats") == []
    assert after == {name: rows for name, rows in before.items() if name != "exempt_seats"}
    assert "exempt_seats" not in taken.err and "org_chart" not in taken.err


@pytest.mark.long
def test_a_third_may_go_and_a_setting_says_how_much(
    files: Mapping[str, Path], command: Command, query: Query
) -> None:
    command(SYNC)
    lines = TEXTS["org_chart"].splitlines(keepends=True)
    files["org_chart"].write_text("".join(lines[:5]))

    strict = command(SYNC, SOURCES__REFERENCE_FILES__LARGEST_LOSS="0.3")
    usual = command(SYNC, SOURCES__REFERENCE_FILES__LARGEST_LOSS="1/3")

    assert strict.exit_code == 1
    assert "has lost 2 of 6 lines and 2 of 6 people and 2 of 6 departments" in strict.err
    assert usual.exit_code == 0, usual.err
    assert query("select count(*) from claude_raw.org_chart") == [(4,)]


@pytest.mark.long
def test_a_reorganisation_of_as_many_departments_needs_no_word(
    files: Mapping[str, Path], command: Command, query: Query
) -> None:
    command(SYNC)
    files["org_chart"].write_text(TEXTS["org_chart"].replace(",D", ",New "))

    ended = command(SYNC)

    assert ended.exit_code == 0, ended.err
    assert query("select distinct department[:3] from claude_raw.org_chart") == [("New",)]
