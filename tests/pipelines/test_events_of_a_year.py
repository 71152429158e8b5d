"""The year of people and groups that change their names, as docs/people-and-privacy.md tells it."""

from pathlib import Path

import pytest

from tests.pipelines.events_of_a_year import EVENTS, documented, markdown, outcomes


@pytest.mark.long
def test_no_event_of_the_year_moves_a_month_before_it_and_the_docs_tell_it(tmp_path: Path) -> None:
    found = list(outcomes(tmp_path))

    assert {each.event: each.moved for each in found if each.moved} == {}
    assert documented() == markdown(found), "run: python -m tests.pipelines.events_of_a_year"


def test_the_docs_have_a_line_for_each_event() -> None:
    assert [line.split(" | ")[0] for line in documented().splitlines()[2:]] == [
        f"| {event.__doc__}" for event in EVENTS
    ]
