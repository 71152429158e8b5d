"""The same row twice is one row; two rows of one key that differ are a contradiction."""

from datetime import date
from typing import Any

import pyarrow as pa

from sources.claude_analytics.endpoints import COST_API, ENDPOINTS
from sources.claude_analytics.pages import raw_schema
from sources.claude_analytics.repeats import has_repeats, keys_of, without_repeats

ENDPOINT = {endpoint.table: endpoint for endpoint in (*ENDPOINTS, *COST_API)}
DAY = date(2026, 1, 5)
ADA = {"user__id": "user_ada", "distinct_user_count": 1}
BEN = {"user__id": "user_ben", "distinct_user_count": 2}


def told(table: str, *pages: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[date, str]]:
    """Rows that count, without their empty fields, and the contradictions."""
    tables = [
        pa.Table.from_pylist(
            [{"activity_date": DAY, **row} for row in rows], schema=raw_schema(ENDPOINT[table])
        )
        for rows in pages
    ]
    if not has_repeats(ENDPOINT[table], [keys_of(ENDPOINT[table], each) for each in tables]):
        return [row for rows in pages for row in rows], {}
    rows, contradictions = without_repeats(ENDPOINT[table], tables)
    kept = [
        {
            name: value
            for name, value in row.items()
            if value is not None and name != "activity_date"
        }
        for row in rows.to_pylist()
    ]
    return kept, contradictions


def cost(requests: int, user: str | None = None) -> dict[str, Any]:
    found = {"group__product": "chat", "cost__requests": requests}
    return found | ({"group__actor__user_id": user} if user else {})


def test_rows_alike_in_every_field_count_once() -> None:
    assert told("users", [ADA, BEN], [BEN, ADA]) == ([ADA, BEN], {})
    skill = {"skill_name": "pdf", "distinct_user_count": 1}
    assert told("skills", [skill, skill]) == ([skill], {})


def test_rows_of_one_key_that_differ_contradict_each_other() -> None:
    _, contradictions = told("users", [ADA, BEN], [{**BEN, "distinct_user_count": 3}])

    assert contradictions == {DAY: "user_ben"}


def test_several_things_of_one_name_are_no_contradiction() -> None:
    rows = [{"skill_name": "pdf", "distinct_user_count": count} for count in (1, 2)]

    assert told("skills", rows) == (rows, {})


def test_costs_without_an_actor_may_be_alike_and_several() -> None:
    assert told("costs", [cost(1), cost(1)], [cost(1)]) == ([cost(1)] * 3, {})


def test_a_page_that_overlaps_the_one_before_counts_once_with_all_its_costs() -> None:
    first, again = [cost(5, "user_ada"), cost(1), cost(1)], [cost(1), cost(1), cost(1, "user_ben")]

    rows, contradictions = told("costs", first, [*first, cost(1, "user_ben")])

    assert (rows, contradictions) == ([*first, cost(1, "user_ben")], {})
    assert len(told("costs", first, again)[0]) == len(first) + len(again)


def test_costs_of_one_actor_that_differ_contradict_each_other() -> None:
    _, contradictions = told("costs", [cost(5, "user_ada"), cost(6, "user_ada")])

    assert contradictions == {DAY: "user_ada, chat"}
