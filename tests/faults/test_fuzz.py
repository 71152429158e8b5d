"""Whatever an API sends, no run ends in a trace, takes a part for the whole, or tells a key."""

from pathlib import Path

import pytest

from tests.faults.fuzz import TARGETS, Counts, Target, fuzz, served
from tests.faults.tally import Tally

CASES = 60
CASES_LONG = 2_000


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_mutated_answer_is_read_whole_or_refused_with_words(
    target: Target, tmp_path: Path, tally: Tally
) -> None:
    with served() as (server, url):
        counts = fuzz(target, CASES, tmp_path, server, url)

    count(tally, counts)
    assert len(counts.outcomes) == 2, "nothing was refused, or nothing read"


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_many_mutated_answers_are_read_whole_or_refused_with_words(
    target: Target, tmp_path: Path, tally: Tally
) -> None:
    with served() as (server, url):
        counts = fuzz(target, CASES_LONG, tmp_path, server, url)

    count(tally, counts)


def count(tally: Tally, counts: Counts) -> None:
    tally.tried("fuzz cases", counts.outcomes.total())
    for kind, faults in counts.faults.items():
        for fault in faults:
            tally.find(kind, fault)
