"""What only a server has: readers who stay, runs on other machines, rights, a way that breaks."""

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED, HELD
from pipelines.warehouse import held, warehouse_of
from pipelines.warehouse.base import RAW_SCHEMA
from pipelines.warehouse.postgres.naming import NamingConvention
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.errors import ForeseenError
from tests.conftest import Command
from tests.warehouse.cluster import LOADER, READER, Cluster

pytest.importorskip("psycopg2", reason='the extra is not installed: pip install -e ".[postgres]"')


@pytest.fixture
def database(server: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty one, which the settings name."""
    name = server.database()
    for variable, value in server.settings(name).items():
        monkeypatch.setenv(variable, value)
    return name


@pytest.fixture(scope="module")
def published(server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with marts built by hand, one of them a view, and readers."""
    name = server.database()
    as_loader = [
        "create schema claude_marts_built",
        "create table claude_marts_built.spend_daily"
        " (activity_date date, spend_usd numeric(38, 8))",
        "create table claude_marts_built.seats (user_id text)",
        "create view claude_marts_built.most as"
        " select max(spend_usd) as spend_usd from claude_marts_built.spend_daily",
        "comment on view claude_marts_built.most is 'One row.'",
        "comment on table claude_marts_built.spend_daily is 'One row per day.'",
        "comment on table claude_marts_built.seats is 'One row per person.'",
        "comment on column claude_marts_built.seats.user_id is 'Whose it is.'",
    ]
    for statement in as_loader:
        server.run(statement, name, LOADER)
    with pytest.MonkeyPatch.context() as environment:
        for variable, value in server.settings(name).items():
            environment.setenv(variable, value)
        yield name


LONGEST = 63
"""Bytes of a name on the server."""


def build(server: Cluster, database: str, night: int) -> None:
    """What a build leaves: every row says which night it is of."""
    with closing(server.connect(database, LOADER)) as connection:
        cursor = connection.cursor()
        for mart in ("spend_daily", "seats"):
            cursor.execute(f"truncate claude_marts_built.{mart}")
        cursor.execute(
            "insert into claude_marts_built.spend_daily"
            " select date '2026-01-01' + day, %s from generate_series(1, 300) as days (day)",
            [night],
        )
        cursor.execute(
            "insert into claude_marts_built.seats"
            " select 'night ' || %s from generate_series(1, 300)",
            [night],
        )


def test_grants_and_views_of_readers_outlive_publications_and_no_reader_sees_two_nights(
    published: str, server: Cluster, data_dir: DataDir
) -> None:
    warehouse = warehouse_of(data_dir)
    build(server, published, 1)
    warehouse.publish()
    for statement in (
        f"grant usage on schema claude_marts to {READER}",
        f"grant select on all tables in schema claude_marts to {READER}",
        "create view public.of_theirs as"
        " select sum(spend_usd) as usd from claude_marts.spend_daily",
    ):
        server.run(statement, published)
    seen: list[tuple[int, int]] = []
    errors: list[BaseException] = []
    over = threading.Event()

    def read() -> None:
        try:
            with closing(server.connect(published, READER)) as connection:
                cursor = connection.cursor()
                while not over.is_set():
                    cursor.execute(
                        """
                        select
                            (
                                select count(distinct spend_usd) + count(*)
                                from claude_marts.spend_daily
                            ),
                            (
                                select count(*) from claude_marts.seats
                                where user_id = (
                                    select 'night ' || cast(min(spend_usd) as integer)
                                    from claude_marts.spend_daily
                                )
                            )
                        """
                    )
                    seen.append(cursor.fetchone())
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for night in range(2, 6):
        build(server, published, night)
        warehouse.publish()
    over.set()
    for reader in readers:
        reader.join()

    assert not errors
    assert len(seen) > 8 and set(seen) == {(301, 300)}
    assert server.run("select usd from public.of_theirs", published) == [(1500,)]
    # What is a view where it is built is a table for readers, or would show what comes next.
    build(server, published, 6)
    assert server.run("select spend_usd from claude_marts.most", published) == [(5,)]
    with warehouse.serve() as served:
        assert served.definition("seats", "user_id") == "Whose it is."


def test_new_columns_reach_readers_and_one_that_a_view_needs_stays(
    published: str, server: Cluster, data_dir: DataDir
) -> None:
    warehouse = warehouse_of(data_dir)
    build(server, published, 1)
    warehouse.publish(accept_loss=True)
    view = "create or replace view public.whose as select user_id from claude_marts.seats"
    server.run(view, published)
    server.run("alter table claude_marts_built.seats add column tier text", published, LOADER)
    assert "has other columns" in " ".join(warehouse.publish().notes)
    server.run("alter table claude_marts_built.seats drop column user_id", published, LOADER)
    with pytest.raises(ForeseenError, match=r"view of yours.*|whose"):
        warehouse.publish()

    assert server.run("select count(*) from public.whose", published) == [(300,)]
    server.run("alter table claude_marts_built.seats add column user_id text", published, LOADER)
    server.run("alter table claude_marts_built.seats drop column tier", published, LOADER)
    server.run("drop view public.whose", published)
    warehouse.publish(accept_loss=True)


def test_a_publication_that_would_lose_history_is_refused_and_says_how_to_go_on(
    published: str, server: Cluster, data_dir: DataDir
) -> None:
    warehouse = warehouse_of(data_dir)
    build(server, published, 1)
    warehouse.publish(accept_loss=True)
    server.run("delete from claude_marts_built.spend_daily", published, LOADER)

    with pytest.raises(ForeseenError, match=r"(?s)spend_daily.*accept-loss"):
        warehouse.publish()

    assert server.run("select count(*) from claude_marts.spend_daily", published) == [(300,)]


def test_a_table_that_others_made_is_left_alone(
    database: str, server: Cluster, data_dir: DataDir
) -> None:
    for statement in (
        "create schema claude_marts",
        "create table claude_marts.seats (chair text)",
        "create schema claude_marts_built",
        "create table claude_marts_built.seats (user_id text)",
    ):
        server.run(statement, database, LOADER)

    with pytest.raises(ForeseenError, match=r"another program made claude_marts\.seats"):
        warehouse_of(data_dir).publish()

    assert server.run("select count(chair) from claude_marts.seats", database) == [(0,)]


def test_a_run_on_another_machine_is_named_and_ends_the_second_one_at_once(
    database: str, tmp_path: Path, command: Command
) -> None:
    elsewhere = DataDir(tmp_path / "another machine")
    with held(elsewhere, "sync"):
        refused = command("sync")
        told = command("doctor")

    assert refused.exit_code == HELD
    assert "Another run holds the warehouse" in refused.err and "sync, process" in refused.err
    assert "in use (sync, process" in told.out + told.err
    assert "in use" not in command("doctor").out


def test_a_run_whose_lock_was_cut_writes_no_further(
    database: str, server: Cluster, data_dir: DataDir
) -> None:
    with pytest.raises(ForeseenError, match="was cut"), held(data_dir, "sync"):
        server.run("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
        with pytest.raises(ForeseenError, match="was cut"):
            warehouse_of(data_dir).store()


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "password": ({"POSTGRES__PASSWORD": "not-the-password"}, "does not let this user in"),
    "user": ({"POSTGRES__USERNAME": "nobody_here"}, "does not let this user in"),
    "database": ({"POSTGRES__DATABASE": "not_there"}, "does not let this user in"),
    "port": ({"POSTGRES__PORT": "1"}, "connection to the database server failed"),
    "host": ({"POSTGRES__HOST": "no.such.invalid"}, "connection to the database server failed"),
    "long name": ({"POSTGRES__DATABASE": "d" * 64}, "a name of at most 63 bytes"),
    "no name": ({"POSTGRES__DATABASE": ""}, "[postgres] database are not set"),
    "certificate": ({"POSTGRES__SSLMODE": "require"}, "does not support SSL"),
    "mode": ({"POSTGRES__SSLMODE": "perhaps"}, "one of disable, allow, prefer"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("words", ["sync", "status", "publish"])
def test_a_server_that_cannot_be_used_is_said_in_three_lines_without_the_password(
    what: str, words: str, database: str, server: Cluster, command: Command
) -> None:
    given, said = WRONG[what]

    ended = command(words, **given)

    assert ended.exit_code == FAILED
    assert said in ended.err
    for secret in (server.password, "not-the-password"):
        assert secret not in ended.out + ended.err


def test_a_role_that_may_only_read_is_told_before_anything_is_fetched(
    database: str, server: Cluster, command: Command
) -> None:
    ended = command("sync", POSTGRES__USERNAME=READER)

    assert ended.exit_code == FAILED
    assert f"The user {READER} may make no schema" in ended.err
    assert f"create schema claude_raw authorization {READER};" in ended.err
    schemas = "select count(*) from pg_namespace where nspname like 'claude%'"
    assert server.run(schemas, database) == [(0,)]


def test_schemas_that_their_owner_made_are_enough(
    database: str, server: Cluster, command: Command
) -> None:
    server.run(f"revoke create on database {database} from {LOADER}")
    for name in ("claude_raw", "claude_staging", "claude_marts_built", "claude_marts"):
        server.run(f"create schema {name} authorization {LOADER}", database)

    ended = command("sync --only skills --no-transform --today 2026-01-08")

    assert ended.exit_code == 0, ended.err
    assert server.run(f"select count(*) > 0 from {RAW_SCHEMA}._dlt_loads", database) == [(True,)]


def test_a_schema_of_another_program_is_named_and_left_alone(
    database: str, server: Cluster, command: Command
) -> None:
    server.run("create schema claude_raw", database, LOADER)
    server.run("create table claude_raw.theirs (x text)", database, LOADER)

    ended = command("sync")

    assert ended.exit_code == FAILED
    assert "Another program made the schema claude_raw" in ended.err
    tables = "select count(*) from pg_tables where schemaname = 'claude_raw'"
    assert server.run(tables, database) == [(1,)]


def test_every_raw_column_is_found_by_its_whole_name_though_the_server_cuts_it() -> None:
    naming = NamingConvention(LONGEST)
    for endpoint in EVERY_ENDPOINT:
        cut = {naming.normalize_path(name) for name in endpoint.columns}
        assert cut == {name[:LONGEST] for name in endpoint.columns}
        assert len(cut) == len(endpoint.columns)
        assert {naming.normalize_identifier(name) for name in cut} == cut


def test_what_connects_to_a_server_is_an_extra_whose_line_is_said(
    database: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("pipelines.warehouse.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg2", None)

    ended = command("status")

    assert ended.exit_code == FAILED
    assert 'pip install "claude-warehouse[postgres]"' in ended.err
