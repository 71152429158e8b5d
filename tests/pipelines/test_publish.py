import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.publish import PublishResult, publish
from sources.errors import ForeseenError


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def served(tmp_path: Path) -> Path:
    return tmp_path / "serving.duckdb"


def build(warehouse: Path, *statements: str) -> None:
    with duckdb.connect(warehouse) as connection:
        connection.execute("create schema if not exists claude_marts")
        for statement in statements:
            connection.execute(statement)


def query(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(file, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# Prints one line once it reads, and reads until its standard input closes; then what it saw.
READER = """
import json, sys, threading, duckdb

served, holds = sys.argv[1], sys.argv[2] == "hold"
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
generations, errors = set(), []


def read(connection):
    found = connection.execute('''
        select min(generation), max(generation), count(*) from claude_marts.first_mart
        union all
        select min(generation), max(generation), count(*) from claude_marts.last_mart
    ''').fetchall()
    generation = found[0][0]
    if found != [(generation, generation, 500)] * 2:
        errors.append(f"half built: {found}")
    generations.add(generation)


print("reading", flush=True)
try:
    while not stop.is_set():
        with duckdb.connect(served, read_only=True) as connection:
            read(connection)
            while holds and not stop.is_set():
                read(connection)
except Exception as error:
    errors.append(repr(error))
print(json.dumps({"generations": len(generations), "errors": errors}))
"""


def reader(served: Path, habit: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", READER, str(served), habit],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    return process


def test_readers_see_no_error_and_no_half_built_mart_while_the_file_is_replaced(
    warehouse: Path, served: Path
) -> None:
    def publish_generation(number: int) -> None:
        marts = ("first_mart", "last_mart")
        rows = f"select {number} as generation from range(500)"
        build(warehouse, *(f"create or replace table claude_marts.{m} as {rows}" for m in marts))
        publish(warehouse, served)

    publish_generation(0)
    readers = [reader(served, "reopen"), reader(served, "hold")]
    for number in range(1, 10):
        publish_generation(number)
    reopening, holding = (json.loads(process.communicate()[0]) for process in readers)

    assert reopening["errors"] == []
    assert reopening["generations"] > 1
    assert holding == {"generations": 1, "errors": []}


def test_the_served_file_holds_the_marts_in_their_order_and_nothing_raw(
    warehouse: Path, served: Path
) -> None:
    build(
        warehouse,
        "create schema claude_raw",
        "create table claude_raw.users as select 'ada@example.com' as email",
        "create table claude_marts.seats as select 10 - range as seat from range(3)",
        'create view claude_marts."spend daily" as select 1.5::decimal(38, 8) as spend_usd',
        "create table claude_marts.seats__dbt_tmp as select 1 as seat",
    )

    result = publish(warehouse, served)

    assert query(served, "select schema_name, table_name from duckdb_tables()") == [
        ("claude_marts", "seats"),
        ("claude_marts", "spend daily"),
    ]
    assert query(served, "from claude_marts.seats") == [(10,), (9,), (8,)]
    assert query(served, 'select typeof(spend_usd) from claude_marts."spend daily"') == [
        ("DECIMAL(38,8)",)
    ]
    assert result == PublishResult(tables=2, rows=4, bytes=served.stat().st_size)


def test_descriptions_of_marts_and_columns_are_published(warehouse: Path, served: Path) -> None:
    build(
        warehouse,
        "create table claude_marts.seats as select 1 as seat, 2 as other",
        "create view claude_marts.people as select 1 as person",
        "comment on table claude_marts.seats is 'One row per holder''s seat.\nNot more.'",
        "comment on column claude_marts.seats.seat is 'The seat; unique'",
        "comment on view claude_marts.people is 'One row per person.'",
    )

    publish(warehouse, served)

    assert query(served, "select table_name, comment from duckdb_tables() order by all") == [
        ("people", "One row per person."),
        ("seats", "One row per holder's seat.\nNot more."),
    ]
    columns = "select column_name, comment from duckdb_columns() where not internal order by all"
    assert query(served, columns) == [
        ("other", None),
        ("person", None),
        ("seat", "The seat; unique"),
    ]


def test_the_served_file_has_the_format_that_duckdb_1_x_opens(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")

    publish(warehouse, served)

    # DuckDB writes the format's number after a checksum and the letters DUCK. 1.3 opens 64 to 66;
    # what 2.0 writes by itself has 999.
    assert int.from_bytes(served.read_bytes()[12:20], "little") == 64


def test_only_the_served_file_is_left_beside_the_warehouse(warehouse: Path, served: Path) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    for leftover in ("serving.duckdb.new", "serving.duckdb.new.wal"):
        served.with_name(leftover).write_text("left by a run that was killed")

    publish(warehouse, served)

    assert files(served.parent) == {"warehouse.duckdb", "serving.duckdb"}


def test_publish_works_while_this_process_still_has_the_warehouse_open(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")

    with duckdb.connect(warehouse) as left_open_by_dbt:
        publish(warehouse, served)
        left_open_by_dbt.execute("insert into claude_marts.seats values (2)")
        publish(warehouse, served)
        attached = left_open_by_dbt.execute(
            "select database_name from duckdb_databases() where not internal"
        ).fetchall()

    assert query(served, "from claude_marts.seats") == [(1,), (2,)]
    assert attached == [("warehouse",)]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_failed_publish_leaves_the_previous_copy(
    warehouse: Path, served: Path, is_open: bool
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    publish(warehouse, served)
    build(
        warehouse,
        "create or replace table claude_marts.seats as select 2 as seat",
        "create view claude_marts.spend as select error('broken mart') as spend_usd",
    )

    connection = duckdb.connect(warehouse if is_open else ":memory:")
    with connection, pytest.raises(duckdb.Error, match="broken mart"):
        publish(warehouse, served)

    assert query(served, "from claude_marts.seats") == [(1,)]
    assert files(served.parent) == {"warehouse.duckdb", "serving.duckdb"}


def test_a_copy_that_cannot_be_written_is_explained_and_the_previous_one_stays(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    publish(warehouse, served)
    build(warehouse, "insert into claude_marts.seats select hash(range) >> 40 from range(200_000)")

    # A limit on the size of files stands in for a full disk: the write fails in the same place.
    script = """
import resource, sys
from pathlib import Path
from pipelines.publish import publish

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
publish(Path(sys.argv[1]), Path(sys.argv[2]))
"""
    command = [sys.executable, "-c", script, str(warehouse), str(served)]
    stderr = subprocess.run(command, capture_output=True, text=True, check=False).stderr

    assert "sources.errors.ForeseenError: The marts were not published" in stderr
    assert "File too large" in stderr
    assert "GB are free" in stderr
    assert "Readers keep the previous copy" in stderr
    assert query(served, "from claude_marts.seats") == [(1,)]
    assert files(served.parent) == {"warehouse.duckdb", "serving.duckdb"}


@pytest.mark.parametrize("statement", [None, "create table main.seats as select 1 as seat"])
def test_a_warehouse_without_marts_has_nothing_to_publish(
    warehouse: Path, served: Path, statement: str | None
) -> None:
    if statement:
        build(warehouse, statement)

    with pytest.raises(ForeseenError, match=r"nothing to publish(?s:.*)claude-warehouse transform"):
        publish(warehouse, served)

    assert "serving.duckdb" not in files(served.parent)


def test_a_warehouse_that_another_program_writes_is_explained(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        with pytest.raises(ForeseenError, match=r"cannot be opened(?s:.*)close that program"):
            publish(warehouse, served)
        writer.communicate()
