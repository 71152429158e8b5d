"""The comparison of two commits: what it takes for a difference, and what not."""

from pathlib import Path

import duckdb
import pytest

from tests.compare.differences import (
    Allowed,
    Mart,
    gone_and_changed,
    json_lines,
    lines,
    marts,
    plain,
)

OLD = "select date '2026-01-05' as day, 7::bigint as users union all select '2026-01-06', null"


def served(folder: Path, name: str, **queries: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema claude_marts")
        for mart, query in queries.items():
            connection.execute(f"create table claude_marts.{mart} as {query}")
    return file


def compared(folder: Path, query: str, allowed: Allowed | None = None) -> Mart:
    old, new = served(folder, "before", days=OLD), served(folder, "after", days=query)
    [mart] = marts(old, new, allowed or Allowed())
    return mart


def test_the_same_rows_in_another_order_are_equal(tmp_path: Path) -> None:
    mart = compared(tmp_path, f"from ({OLD}) order by day desc")

    assert (mart.row_count, mart.differing, mart.is_equal) == (2, 0, True)


@pytest.mark.parametrize(
    ("query", "differing"),
    [
        (f"{OLD} union all select '2026-01-07', 1", 1),
        (f"{OLD} union all select '2026-01-06', null", 1),
        (f"from ({OLD}) where users is not null", 1),
        (f"select day, coalesce(users, 0) as users from ({OLD})", 2),
        (f"select day, users::integer as users from ({OLD})", 0),
        (f"select day from ({OLD})", 0),
    ],
    ids=["more", "twice", "fewer", "changed", "another type", "a column less"],
)
def test_what_readers_would_notice_is_a_difference(
    tmp_path: Path, query: str, differing: int
) -> None:
    mart = compared(tmp_path, query)

    assert (mart.differing, mart.is_equal) == (differing, False)


def test_a_new_column_and_a_new_mart_are_no_differences(tmp_path: Path) -> None:
    old = served(tmp_path, "before", days=OLD)
    new = served(tmp_path, "after", days=f"select *, 1 as more from ({OLD})", weeks=OLD)

    found = list(marts(old, new, Allowed()))

    assert [(mart.name, list(mart.new), mart.is_equal) for mart in found] == [
        ("days", ["more"], True),
        ("weeks", ["the mart"], True),
    ]


def test_a_mart_that_is_gone_is_a_difference(tmp_path: Path) -> None:
    [mart] = marts(served(tmp_path, "before", days=OLD), served(tmp_path, "after"), Allowed())

    assert not mart.is_equal


def test_an_allowed_column_is_left_out_and_counted(tmp_path: Path) -> None:
    allowed = Allowed({"marts.days.users": "counted anew"})

    mart = compared(tmp_path, f"select day, 0::bigint as users from ({OLD})", allowed)

    assert mart.is_equal
    assert allowed.matched == {"marts.days.users": 1}


def test_allowed_rows_are_left_out_on_both_sides(tmp_path: Path) -> None:
    allowed = Allowed({"rows.days users is null or users > 8": "new ones"})

    mart = compared(tmp_path, f"{OLD} union all select '2026-01-07', 9", allowed)
    assert (mart.row_count, mart.is_equal) == (1, True)
    assert not compared(tmp_path / "more", f"{OLD} union all select '2026-01-07', 1").is_equal


def test_an_allowance_needs_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "allowed"
    file.write_text("marts.seats  # asked for\nmarts.people\n")

    with pytest.raises(SystemExit, match="no reason"):
        Allowed.read(file)


def test_only_seconds_sizes_and_folders_may_differ_in_words() -> None:
    progress = "  613 of 948 days, 328 requests, 328 a minute, about 9 s left\n"
    old = plain(f"{progress}Done after 8 s.\nPublished 40 marts to /a/x (1.2 MiB).\n", [Path("/a")])
    new = plain("Done after 31 s.\nPublished 41 marts to /b/x (1.3 MiB).\nMore.\n", [Path("/b")])

    assert lines(old, new, Allowed()) == ["+More."]


def test_a_new_name_in_json_is_no_difference_and_a_lost_one_is() -> None:
    old = json_lines('{"seconds": 3, "endpoints": [{"endpoint": "users", "days": 3, "rows": 4}]}')
    new = json_lines('{"seconds": 9, "endpoints": [{"endpoint": "users", "days": 3, "new": 1}]}')

    assert lines(old, gone_and_changed(old, new), Allowed()) == ["-.endpoints[users].rows = 4"]
