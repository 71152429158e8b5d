"""Whatever an API sends, no run ends in a trace, takes a part for the whole, or tells a key."""

from pathlib import Path

import pytest

from tests.faults.fuzz import TARGETS, Target, fuzz, served

CASES = 60
CASES_LONG = 2_000


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_mutated_answer_is_read_whole_or_refused_with_words(
    target: Target, tmp_path: Path
) -> None:
    with served() as (server, url):
        counts = fuzz(target, CASES, tmp_path, server, url)

    assert not counts.faults, "\n".join(counts.faults[:5])
    assert len(counts.outcomes) == 2, "nothing was refused, or nothing read"


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_many_mutated_answers_are_read_whole_or_refused_with_words(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served() as (server, url):
        counts = fuzz(target, CASES_LONG, tmp_path, server, url)

    with capsys.disabled():
        print(f"\n{target.name}: {counts.text}")
    assert not counts.faults, "\n".join(counts.faults[:5])
