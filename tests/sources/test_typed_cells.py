"""Every cell and file of the documented table is read as meant, or refused where it stands."""

import pytest

from tests.sources.typed_cells import REFUSED, documented, markdown, outcomes

OUTCOMES = list(outcomes())


@pytest.mark.parametrize(
    ("expected", "read", "message"),
    [(expected, read, message) for _, _, expected, read, message in OUTCOMES],
    ids=[f"{section}: {typed}" for section, typed, *_ in OUTCOMES],
)
def test_a_cell_is_read_as_meant_or_refused_with_its_place(
    expected: str | None, read: str | None, message: str
) -> None:
    assert read == expected, message
    if read is REFUSED:
        assert message.startswith(("line ", "it is ", "the sheets ")), message


def test_there_are_two_hundred_of_them() -> None:
    assert len(OUTCOMES) >= 200


def test_the_documented_table_is_what_the_reader_does() -> None:
    assert documented() == markdown(), "run: python -m tests.sources.typed_cells"
