"""Models get the memory that a machine or a container leaves them."""

from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse.duckdb.builder import (
    BYTES_OF_A_THREAD,
    LEAST_MEMORY,
    MOST_MEMORY,
    _memory,
    limit_threads,
)


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


@pytest.mark.parametrize(
    ("threads", "there", "taken"), [(1, 5, 1), (4, 0.5, 1), (4, 1.5, 2), (4, 50, 4)]
)
def test_little_data_is_not_shared_out_to_many_threads(
    tmp_path: Path, threads: int, there: float, taken: int
) -> None:
    file = tmp_path / "warehouse.duckdb"
    with file.open("wb") as opened:
        opened.truncate(int(there * BYTES_OF_A_THREAD))
    with duckdb.connect(config={"threads": threads}) as connection:
        limit_threads(connection, [file, tmp_path / "none.duckdb"])

        assert connection.execute("select current_setting('threads')").fetchone() == (taken,)
