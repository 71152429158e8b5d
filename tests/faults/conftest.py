"""One organisation for all tests of a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.tally import Tally
from tests.faults.world import World, world


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def here(shared: World, tmp_path: Path) -> Iterator[World]:
    """The organisation, whose answers are whole before and after the test."""
    shared.proxy.spoilings.clear()
    yield shared
    shared.proxy.spoilings.clear()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    made = Tally(request)
    yield made
    assert not made.found, "\n".join(made.found)
