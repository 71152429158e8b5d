import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.warehouse import history
from pipelines.warehouse.base import PublishResult
from pipelines.warehouse.duckdb.publish import publish
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
    size = f"{served.stat().st_size / 2**20:.1f} MiB"
    assert result == PublishResult(place=str(served), tables=2, rows=4, size=size)


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
from pipelines.warehouse import history
from pipelines.warehouse.duckdb.publish import publish

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


MARTS = (
    """
    create table claude_marts.user_activity_daily as
    select cast('2026-01-01' as date) + cast(day as integer) as activity_date, person
    from range(100) as days(day), range(5) as people(person)
    """,
    """
    create table claude_marts.data_coverage_daily as
    select 'users' as endpoint, activity_date, 'loaded' as status
    from (select distinct activity_date from claude_marts.user_activity_daily)
    """,
    """
    create table claude_marts.chargeback_reconciliation_monthly as
    select cast('2026-01-01' as date) as month, true as is_closed
    union all select cast('2026-02-01' as date), false
    """,
    """
    create table claude_marts.chargeback_monthly as
    select cast('2026-01-01' as date) as month, department from range(60) as units(department)
    """,
    "create table claude_marts.seats as select range as seat from range(50)",
    "create table claude_marts.offboarding_check as select range as person from range(50)",
)

TAKEN_AWAY = {
    "the beginning of a mart": (
        "delete from claude_marts.user_activity_daily where activity_date < '2026-01-05'",
        "user_activity_daily begins 2026-01-05 and not 2026-01-01: 4 of 100 days are gone",
    ),
    "days in the middle": (
        "delete from claude_marts.user_activity_daily where month(activity_date) = 2",
        "user_activity_daily has gaps: 28 of 100 days are gone",
    ),
    "most people of each day": (
        "delete from claude_marts.user_activity_daily where person > 1",
        "user_activity_daily has 200 rows where it had 500",
    ),
    "a whole mart": ("drop table claude_marts.user_activity_daily", "user_activity_daily is gone"),
    "a month of a mart by department": (
        "delete from claude_marts.chargeback_monthly",
        "chargeback_monthly is empty: 1 of 1 months are gone",
    ),
    "all rows": ("delete from claude_marts.user_activity_daily", "user_activity_daily is empty"),
    "one day that was fetched": (
        "update claude_marts.data_coverage_daily set status = 'lost'"
        " where activity_date = '2026-01-01'",
        "1 days that endpoints were asked for are not known any more, from 2026-01-01",
    ),
    "a closed month": (
        "update claude_marts.chargeback_reconciliation_monthly set is_closed = false",
        "closed months that would be open: 2026-01",
    ),
    "most seats": ("delete from claude_marts.seats where seat > 20", "seats has 21 rows"),
}


@pytest.mark.parametrize(("statement", "told"), TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_history_is_taken_away_from_readers_only_if_that_is_accepted(
    warehouse: Path, served: Path, statement: str, told: str
) -> None:
    build(warehouse, *MARTS)
    publish(warehouse, served)
    before = served.read_bytes()
    build(warehouse, statement)

    with pytest.raises(ForeseenError, match=r"would lose history(?s:.*)--accept-loss") as refused:
        publish(warehouse, served)
    assert told in str(refused.value)
    assert served.read_bytes() == before
    assert files(served.parent) == {"warehouse.duckdb", "serving.duckdb"}

    publish(warehouse, served, accept_loss=True)
    publish(warehouse, served)
    assert served.read_bytes() != before


GOES_ON = {
    "a day that came back empty": (
        "delete from claude_marts.user_activity_daily where activity_date = '2026-01-01'",
        "update claude_marts.data_coverage_daily set status = 'empty'"
        " where activity_date = '2026-01-01'",
    ),
    "a month that was opened again": (
        "update claude_marts.chargeback_reconciliation_monthly set is_closed = false",
        "create schema claude_raw",
        "create table claude_raw.closed_months as"
        " select cast('2026-01-01' as date) as month, 'undone' as action",
    ),
    "a mart that this version does not have": ("drop table claude_marts.of_an_older_version",),
    "a new mart": ("create table claude_marts.spend_daily as select 1 as spend_usd",),
    "departments that an org chart puts together": (
        "delete from claude_marts.chargeback_monthly where department > 2",
    ),
    "a finding that was dealt with": ("delete from claude_marts.offboarding_check",),
    "a calendar of another name": (
        "alter table claude_marts.user_activity_daily rename activity_date to event_date",
    ),
    "days that a clock ahead took for read": (
        "delete from claude_marts.data_coverage_daily where activity_date > '2026-04-05'",
    ),
    "an endpoint that this version does not have": (
        "update claude_marts.data_coverage_daily set endpoint = 'people'",
    ),
}


@pytest.mark.parametrize("statements", GOES_ON.values(), ids=GOES_ON)
def test_what_takes_nothing_away_is_published(
    warehouse: Path, served: Path, statements: tuple[str, ...]
) -> None:
    build(warehouse, *MARTS, "create table claude_marts.of_an_older_version as select 1 as x")
    publish(warehouse, served)
    build(warehouse, *statements)

    publish(warehouse, served)


def test_every_exception_is_of_a_mart_that_exists() -> None:
    assert history.project_marts() >= history.FINDINGS | history.BY_DEPARTMENT


# Writes to the file named, and is killed with what it wrote still in the log.
WRITER = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("set checkpoint_threshold = '1GB'")
connection.execute("insert into claude_marts.seats values (99)")
connection.execute("create view claude_marts.foreign_view as select 1 as x")
print("written", flush=True)
sys.stdin.read()
os._exit(9)
"""


def writer(file: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    return process


def test_what_another_program_left_beside_the_file_is_no_part_of_the_next_copy(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    publish(warehouse, served)
    writer(served).communicate()
    spilled = served.with_name("serving.duckdb.tmp")
    spilled.mkdir()
    (spilled / "duckdb_temp_block-1.block").write_text("x")
    assert query(served, "from claude_marts.seats") == [(1,), (99,)]

    [note] = publish(warehouse, served).notes

    assert "serving.duckdb.wal, serving.duckdb.tmp stood beside" in note
    assert query(served, "from claude_marts.seats") == [(1,)]
    assert query(served, "select table_name from information_schema.tables") == [("seats",)]
    assert files(served.parent) == {"warehouse.duckdb", "serving.duckdb"}


def test_a_program_that_writes_meanwhile_is_named_and_loses_nobody_history(
    warehouse: Path, served: Path
) -> None:
    build(warehouse, *MARTS)
    publish(warehouse, served)
    writing = writer(served)
    notes = publish(warehouse, served).notes
    build(warehouse, "drop table claude_marts.seats")
    writing_again = writer(served)
    with pytest.raises(ForeseenError, match="seats is gone"):
        publish(warehouse, served)
    for process in (writing, writing_again):
        process.communicate()

    assert any("another program had written to it" in note for note in notes)
    assert query(served, "select count(*) from claude_marts.seats") == [(50,)]


def test_the_spill_of_a_reader_who_is_at_work_stays(warehouse: Path, served: Path) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    publish(warehouse, served)
    spilled = served.with_name("serving.duckdb.tmp")
    spilled.mkdir()
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True);"
        "print('open', flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(served)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reading:
        assert reading.stdout is not None
        assert reading.stdout.readline() == "open\n"
        assert publish(warehouse, served).notes == ()
        assert spilled.exists()
        reading.communicate("\n")

    assert publish(warehouse, served).notes
    assert not spilled.exists()


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o664])
def test_the_served_file_keeps_mode_group_and_link(
    warehouse: Path, served: Path, tmp_path: Path, mode: int
) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    publish(warehouse, served)
    for_readers = tmp_path / "readers" / "usage.duckdb"
    for_readers.parent.mkdir()
    served.rename(for_readers)
    served.symlink_to(for_readers)
    for_readers.chmod(mode)
    # A group of this user's; an administrator may give the file to any.
    group = 12345 if os.getuid() == 0 else os.getgroups()[-1]
    os.chown(for_readers, -1, group)
    before = os.umask(0o027)
    try:
        build(warehouse, "insert into claude_marts.seats values (2)")
        publish(warehouse, served)
    finally:
        os.umask(before)

    assert served.is_symlink()
    assert query(for_readers, "from claude_marts.seats") == [(1,), (2,)]
    assert stat.S_IMODE(for_readers.stat().st_mode) == mode
    assert for_readers.stat().st_gid == group
    assert files(for_readers.parent) == {"usage.duckdb"}


def test_a_link_into_a_folder_that_is_not_there_is_said(warehouse: Path, served: Path) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    served.symlink_to(served.parent / "not mounted" / "usage.duckdb")

    with pytest.raises(ForeseenError, match=r"a link to .*not mounted.*whose folder is not there"):
        publish(warehouse, served)

    assert not (served.parent / "not mounted").exists()


@pytest.mark.parametrize("kind", ["damaged", "not a database", "of another program"])
def test_what_is_no_publication_is_kept_aside(warehouse: Path, served: Path, kind: str) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    match kind:
        case "damaged":
            publish(warehouse, served)
            with served.open("r+b") as file:
                file.seek(4096)
                file.write(b"\xff" * 200_000)
        case "not a database":
            served.write_text("a note")
        case _:
            with duckdb.connect(served) as other:
                other.execute("create table orders as select 1 as id")
    before = served.read_bytes()

    [note] = publish(warehouse, served).notes

    assert "kept as serving.duckdb.kept" in note
    assert served.with_name("serving.duckdb.kept").read_bytes() == before
    assert query(served, "from claude_marts.seats") == [(1,)]


def test_an_empty_file_is_replaced_without_a_word(warehouse: Path, served: Path) -> None:
    build(warehouse, "create table claude_marts.seats as select 1 as seat")
    duckdb.connect(served).close()  # As a program does that was to read it.

    assert publish(warehouse, served).notes == ()
