"""Models get the memory that a machine or a container leaves them."""

import duckdb
import pytest

from pipelines.warehouse.duckdb.builder import LEAST_MEMORY, MOST_MEMORY, _memory


@pytest.mark.parametrize(
    ("duckdb_would_take", "given"),
    [("64GiB", MOST_MEMORY), ("1600MiB", 1500), ("400MiB", LEAST_MEMORY)],
)
def test_a_small_container_leaves_models_less_than_a_large_machine(
    duckdb_would_take: str, given: int
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{duckdb_would_take}'")

        assert _memory(connection) == pytest.approx(given, rel=0.1)
