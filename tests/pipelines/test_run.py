"""Whole runs against the invented organisation, asked through the file that readers open."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import DONE
from sources.claude_analytics.endpoints import COST_API, ENDPOINTS
from sources.claude_analytics.load import REQUESTS_PER_CHUNK
from sources.sandbox import Received, Sandbox
from tests.versions import VIEWS, create_views

FIRST_DAY = "2026-03-17"
COMMAND = "from pipelines.cli import main; main()"
HANGS_AFTER_SECONDS = 1_800
"""So long that no machine is too slow for it."""


@pytest.fixture(scope="module")
def organisation() -> Iterator[Sandbox]:
    with Sandbox(seats=60, today="2026-06-15") as sandbox:
        yield sandbox


def run(
    sandbox: Sandbox, folder: Path, words: str, *, program: str = COMMAND, **variables: str
) -> subprocess.Popen[str]:
    """The command as a process of its own, as cron starts it."""
    environment = {
        **os.environ,
        "SOURCES__CLAUDE_ANALYTICS__BASE_URL": sandbox.url,
        "SOURCES__CLAUDE_ANALYTICS__API_KEY": sandbox.api_key,
        "SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE": "100000",
        "PIPELINE__DATA_DIR": str(folder),
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-c", program, *words.split()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)
    assert process.returncode == DONE, printed
    return printed


def rows(file: Path, sql: str) -> list[dict[str, Any]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        answer = connection.execute(sql)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


HELD_OPEN = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1], read_only=True) as served:
    ask = "select count(*), max(activity_date) from claude_marts.active_users_daily"
    before = served.execute(ask).fetchall()
    print("reading", flush=True)
    while True:
        assert served.execute(ask).fetchall() == before
        time.sleep(0.02)
"""
OPENED_ANEW = """
import sys, time, duckdb
while True:
    with duckdb.connect(sys.argv[1], read_only=True) as served:
        days = served.execute("select count(*) from claude_marts.active_users_daily").fetchone()
        people = served.execute("select count(*) from claude_marts.seats").fetchone()
    assert days[0] in (88, 89) and people[0] > 40, (days, people)
    print("reading", flush=True)
    time.sleep(0.02)
"""


class Reader:
    """A BI tool: a program that asks the served file in a loop until it is stopped."""

    def __init__(self, program: str, served: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, str(served)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "reading\n"

    def complaint(self) -> str:
        """Why it stopped before it was stopped; empty if it did not."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
            return ""
        return self._process.communicate()[1]


@dataclass(frozen=True)
class Nights:
    """A folder after the first connect and the night after it."""

    data: DataDir
    first_requests: list[Received]
    second_requests: list[Received]
    complaints: list[str]


@pytest.fixture(scope="module")
def nights(organisation: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    data = DataDir(tmp_path_factory.mktemp("nights"))
    organisation.requests.clear()
    finish(run(organisation, data.root, "sync --today 2026-06-15", TZ="Pacific/Auckland"))
    first_requests = organisation.requests[:]
    organisation.requests.clear()
    readers = [Reader(program, data.served) for program in (HELD_OPEN, OPENED_ANEW)]
    try:
        finish(run(organisation, data.root, "sync --today 2026-06-16", TZ="America/Los_Angeles"))
    finally:
        complaints = [reader.complaint() for reader in readers]
    return Nights(data, first_requests, organisation.requests[:], complaints)


@pytest.mark.parametrize(
    ("mart", "key"),
    [
        ("active_users_daily", ("activity_date",)),
        ("seat_utilization_daily", ("activity_date",)),
        ("product_active_users_daily", ("activity_date", "product")),
        ("user_activity_daily", ("activity_date", "user_id")),
    ],
)
def test_every_row_of_a_mart_equals_the_sandboxs_truth(
    organisation: Sandbox,
    nights: Nights,
    monkeypatch: pytest.MonkeyPatch,
    mart: str,
    key: tuple[str, ...],
) -> None:
    monkeypatch.setattr(organisation, "today", date(2026, 6, 16))
    truth = {tuple(row[name] for name in key): row for row in organisation.truth(mart, FIRST_DAY)}
    found = {
        tuple(row[name] for name in key): row
        for row in rows(nights.data.served, f"select * from claude_marts.{mart}")
    }

    assert found.keys() == truth.keys()
    for place, expected in truth.items():
        got = {name: found[place][name] for name in expected}
        assert got == pytest.approx(expected), place


def test_the_first_run_loads_every_day_that_the_server_grants(nights: Nights) -> None:
    days = rows(
        nights.data.served,
        """
        select endpoint, min(activity_date), max(activity_date), count(*), count(distinct status)
        from claude_marts.data_coverage_daily
        where status in ('loaded', 'empty')
        group by endpoint
        """,
    )
    assert {row["endpoint"]: list(row.values())[1:4] for row in days} == {
        **{endpoint.table: [date(2026, 3, 17), date(2026, 6, 13), 89] for endpoint in ENDPOINTS},
        **{endpoint.table: [date(2026, 1, 1), date(2026, 6, 15), 166] for endpoint in COST_API},
    }


def test_the_second_run_asks_only_for_what_is_new_or_may_have_changed(nights: Nights) -> None:
    asked = Counter(request.path.rsplit("/", 1)[-1] for request in nights.second_requests)

    by_day = ("users", "projects", "skills", "connectors", "plugins", "artifacts")
    money = asked.pop("cost") + asked.pop("usage")
    assert asked == {**dict.fromkeys(by_day, 8), "summaries": 1}
    assert (sum(asked.values()), money) <= (49, 12)
    assert sum(request.path.endswith(by_day) for request in nights.first_requests) == 6 * 88


def test_readers_see_neither_an_error_nor_a_half_built_mart(nights: Nights) -> None:
    assert nights.complaints == ["", ""]


def test_marts_are_the_same_in_every_time_zone(nights: Nights) -> None:
    zones = rows(
        nights.data.served,
        """
        select distinct data_type from information_schema.columns
        where table_schema = 'claude_marts'
            and (data_type like '%ZONE%' or data_type = 'HUGEINT')
        """,
    )
    assert zones == []


@pytest.mark.long
def test_every_month_is_charged_to_the_last_digit(
    organisation: Sandbox, nights: Nights, tmp_path: Path
) -> None:
    prices = tmp_path / "seat_prices.csv"
    prices.write_text("seat_tier,usd_per_month,valid_from\ndefault,33.33,\n")
    finish(
        run(
            organisation,
            nights.data.root,
            "sync --today 2026-06-16",
            SOURCES__REFERENCE_FILES__SEAT_PRICES=str(prices),
        )
    )

    months = rows(
        nights.data.served,
        "select month, difference_usd from claude_marts.chargeback_reconciliation_monthly",
    )
    # Two pools of spend in six months, and seat fees in the four whose people are known.
    assert len(months) == 2 * 6 + 4
    assert {month["difference_usd"] for month in months} == {Decimal(0)}


RawRows = dict[str, list[tuple[Any, ...]]]


def raw_rows(data: DataDir) -> RawRows:
    """Every stored row that counts, without what is numbered anew, and without how runs went."""
    with duckdb.connect(str(data.warehouse), read_only=True) as warehouse:
        create_views(warehouse)
        tables = warehouse.execute(
            """
            select table_name from duckdb_tables()
            where schema_name = 'claude_raw'
                and not starts_with(table_name, '_dlt_')
                and table_name not in ('endpoint_runs', 'runs')
            """
        ).fetchall()
        complete = "_dlt_load_id in (select load_id from claude_raw._dlt_loads where status = 0)"
        return {
            table: warehouse.execute(
                f"""
                select columns(
                    lambda name: not starts_with(name, '_dlt_')
                        and name not in ('run_number', 'fetch_number', 'version')
                )
                from {f"counting_{table}" if table in VIEWS else f"claude_raw.{table}"}
                where {complete if table == "loaded_days" else "true"}
                order by all
                """
            ).fetchall()
            for (table,) in tables
        }


def loads_noted_twice(data: DataDir) -> list[dict[str, Any]]:
    """Loads of which dlt's own tables hold more than the one row that each table has of a load."""
    return rows(
        data.warehouse,
        """
        select load_id from claude_raw._dlt_loads group by load_id having count(*) > 1
        union all
        select _dlt_load_id from claude_raw._dlt_pipeline_state
        group by _dlt_load_id having count(*) > 1
        """,
    )


FIRST_CONNECT = "sync --no-transform --today 2026-06-15"
ONE_REQUEST_A_SPAN = "".join(
    f" --only {table}" for table in ("users", "summaries", "chat_projects", "skills", "connectors")
)
"""With them a chunk is not about, but exactly as many requests as it should be."""
SETTLED = {"SOURCES__CLAUDE_ANALYTICS__REVISION_DAYS": "0"}
"""No day is asked for again because it may have changed."""


@pytest.fixture(scope="module")
def undisturbed(organisation: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> RawRows:
    """What a first connect stores that nobody disturbs."""
    data = DataDir(tmp_path_factory.mktemp("undisturbed"))
    finish(run(organisation, data.root, FIRST_CONNECT + ONE_REQUEST_A_SPAN, **SETTLED))
    return raw_rows(data)


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 4))]
)
def test_a_killed_first_connect_goes_on_where_it_was(
    organisation: Sandbox, undisturbed: RawRows, tmp_path: Path, seed: int
) -> None:
    killed = DataDir(tmp_path)
    organisation.requests.clear()

    process = run(organisation, killed.root, FIRST_CONNECT + ONE_REQUEST_A_SPAN, **SETTLED)
    kill_after = random.Random(seed).randrange(5, 350)
    while len(organisation.requests) < kill_after and process.poll() is None:
        time.sleep(0.005)
    time.sleep(random.Random(seed).random())
    process.kill()
    process.communicate()
    finish(run(organisation, killed.root, FIRST_CONNECT + ONE_REQUEST_A_SPAN, **SETTLED))

    got = raw_rows(killed)
    for table, found in undisturbed.items():
        assert set(got[table]) ^ set(found) == set(), table
    assert got == undisturbed
    assert loads_noted_twice(killed) == []
    # Whose key it is, every run asks.
    days = [request for request in organisation.requests if "/analytics/" in request.path]
    asked = Counter(str((request.path, request.params)) for request in days)
    assert sum(asked.values()) - len(asked) <= REQUESTS_PER_CHUNK


KILLED_BEFORE = """
import os, re, signal, sys
operation = re.compile(os.environ["KILLED_BEFORE"])
def watch(event, arguments):
    if event in ("os.rename", "shutil.rmtree") and operation.search(f"{event} {arguments}"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
from pipelines.cli import main
main()
"""
"""The command, which is killed when it is about to do this with a file."""

OPERATIONS = {
    "normalized_but_its_source_is_still_there": r"rmtree .*/extracted/",
    "tables_were_made": r"rename .*/applied_schema_updates",
    "rows_are_stored_but_not_noted": r"rename .*/\.pending_transitions/skills\..*parquet",
    "rows_are_noted": r"rename .*/completed_jobs/skills\..*parquet",
    "state_is_written_but_not_noted": r"rename .*/\.pending_transitions/_dlt_pipeline_state",
    "ledger_is_stored_but_not_noted": r"rename .*/\.pending_transitions/loaded_days\.",
    "the_load_has_ended_but_is_not_marked": r"rename .*/package_completed",
    "the_load_is_marked_but_not_put_away": r"rename .*/loaded/",
}
ONE_CHUNK = {**SETTLED, "SOURCES__CLAUDE_ANALYTICS__WINDOW_DAYS": "14"}
ONLY_SKILLS = f"{FIRST_CONNECT} --only skills"


@pytest.fixture(scope="module")
def one_chunk(organisation: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> RawRows:
    """What a first connect stores of skills that nobody disturbs."""
    data = DataDir(tmp_path_factory.mktemp("one_chunk"))
    finish(run(organisation, data.root, ONLY_SKILLS, **ONE_CHUNK))
    return raw_rows(data)


def kill_before(operation: str, sandbox: Sandbox, folder: Path, words: str, **more: str) -> None:
    process = run(sandbox, folder, words, program=KILLED_BEFORE, KILLED_BEFORE=operation, **more)
    printed, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)
    assert process.returncode == -signal.SIGKILL, printed


@pytest.mark.long
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_a_load_killed_at_any_moment_is_finished_whole_and_asks_for_nothing_again(
    organisation: Sandbox, one_chunk: RawRows, tmp_path: Path, operation: str
) -> None:
    killed = DataDir(tmp_path)
    kill_before(operation, organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK)
    organisation.requests.clear()

    finish(run(organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK))

    assert organisation.requests == []
    assert raw_rows(killed) == one_chunk
    assert loads_noted_twice(killed) == []


def test_a_new_endpoint_whose_first_fetch_was_killed_before_its_schema_was_saved_is_finished(
    organisation: Sandbox, one_chunk: RawRows, tmp_path: Path
) -> None:
    killed = DataDir(tmp_path)
    finish(run(organisation, killed.root, f"{FIRST_CONNECT} --only users", **ONE_CHUNK))
    saved = r"rename .*claude_warehouse/schemas/claude_analytics"
    kill_before(saved, organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK)
    organisation.requests.clear()

    finish(run(organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK))

    assert organisation.requests == []
    assert raw_rows(killed)["skills"] == one_chunk["skills"]


@pytest.mark.parametrize("folder", ["normalize", "load"])
def test_a_run_killed_while_it_makes_its_folders_is_finished(
    organisation: Sandbox, one_chunk: RawRows, tmp_path: Path, folder: str
) -> None:
    killed = DataDir(tmp_path)
    made = rf"rename .*/{folder}/\w+', .*/{folder}/\.version"
    kill_before(made, organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK)

    finish(run(organisation, killed.root, ONLY_SKILLS, **ONE_CHUNK))

    assert raw_rows(killed) == one_chunk


def test_a_reference_file_whose_load_was_killed_is_stored_once(
    organisation: Sandbox, tmp_path: Path
) -> None:
    prices = tmp_path / "seat_prices.csv"
    prices.write_text("seat_tier,usd_per_month,valid_from\ndefault,33.33,\n")
    data = DataDir(tmp_path / "data")
    written = r"rename .*/\.pending_transitions/seat_prices"
    settings = {**ONE_CHUNK, "SOURCES__REFERENCE_FILES__SEAT_PRICES": str(prices)}
    kill_before(written, organisation, data.root, ONLY_SKILLS, **settings)

    finish(run(organisation, data.root, "status --today 2026-06-15", **settings))

    assert rows(data.warehouse, "select seat_tier from claude_raw.seat_prices") == [
        {"seat_tier": "default"}
    ]
    assert loads_noted_twice(data) == []
