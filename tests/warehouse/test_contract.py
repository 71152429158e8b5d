"""What a run may rely on, whatever engine the warehouse is of."""

import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import dlt
import pyarrow as pa
import pytest

from pipelines.data_dir import DataDir
from pipelines.exit_codes import FAILED
from pipelines.raw_tables import warehouse_pipeline
from pipelines.warehouse import ENGINES, held
from pipelines.warehouse.base import NothingServed, Warehouse
from pipelines.warehouse.dbt import PROJECT
from sources.errors import ForeseenError
from sources.ledger import store
from tests.conftest import Command
from tests.warehouse.conftest import MARTS, SKILLS

ROW = {
    "name": 'it\'s; a "name" with \\ and größe',
    "nothing": None,
    "empty": "",
    "amount": Decimal("-123456789012345678901234567890.12345678"),
    "count": 2**62,
    "is_true": True,
    "day": date(2026, 3, 29),
    "moment": datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
}
TYPES = pa.schema(
    {
        "name": pa.string(),
        "nothing": pa.string(),
        "empty": pa.string(),
        "amount": pa.decimal128(38, 8),
        "count": pa.int64(),
        "is_true": pa.bool_(),
        "day": pa.date32(),
        "moment": pa.timestamp("us", tz="UTC"),
    }
)


def test_a_destination_that_is_not_there_is_refused_with_those_that_are(command: Command) -> None:
    ended = command("status", PIPELINE__DESTINATION="snowflake")

    assert ended.exit_code == FAILED
    assert f"[pipeline] destination is 'snowflake'; it is one of {', '.join(ENGINES)}." in ended.err
    assert "variable PIPELINE__DESTINATION" in ended.err


def test_a_warehouse_that_nothing_was_stored_in_says_what_to_run(empty: Warehouse) -> None:
    assert not empty.exists()
    empty.check()
    with pytest.raises(ForeseenError, match="claude-warehouse sync"):
        empty.require()
    with pytest.raises(NothingServed, match="claude-warehouse sync"), empty.serve():
        pass
    with pytest.raises(ForeseenError, match="claude-warehouse transform"):
        empty.publish()


def test_every_value_is_read_as_it_was_stored(empty: Warehouse, data_dir: DataDir) -> None:
    rows = dlt.resource([pa.Table.from_pylist([ROW], TYPES)], name="values")
    store(warehouse_pipeline(data_dir), rows)

    with empty.read() as stored:
        columns = ", ".join(f'"{name}"' for name in ROW)
        query = f"select {columns} from claude_raw.values where name = $name"
        [row] = stored.rows(query, name=ROW["name"])
        table = stored.batches(query, name=ROW["name"]).read_all()

    assert {**row, "moment": row["moment"].astimezone(UTC)} == ROW
    assert table.cast(TYPES).to_pylist() == [ROW]
    assert table.schema.field("amount").type == TYPES.field("amount").type


def test_a_reader_knows_what_is_there_without_asking_for_it(warehouse: Warehouse) -> None:
    with warehouse.read() as stored, warehouse.serve() as published:
        assert stored.has("claude_raw.skills", "skill_name", "activity_date")
        assert not stored.has("claude_raw.skills", "no_such_column")
        assert not stored.has("claude_raw.no_such_table")
        assert stored.has("claude_marts.skill_usage_daily")
        assert published.has("skill_usage_daily", "skill_name")
        assert not any(name.startswith("claude_raw") for name in published.columns)


def test_what_is_published_is_what_was_built(warehouse: Warehouse) -> None:
    with warehouse.read() as stored, warehouse.serve() as published:
        assert set(MARTS) <= set(published.columns)
        for mart in published.columns:
            columns = ", ".join(f'"{name}"' for name in published.columns[mart])
            query = f"select {columns} from {{}} order by {columns}"
            built = stored.rows(query.format(f"claude_marts.{mart}"))
            assert published.rows(query.format(mart)) == built
        prices = published.rows("select skill_name, list_price_usd from skill_usage_daily")

    assert {row["skill_name"]: row["list_price_usd"] for row in prices} == {
        skill["skill_name"]: Decimal(str(skill["attributed_list_price"])) / 100 for skill in SKILLS
    }


def test_readers_get_the_descriptions_of_columns(warehouse: Warehouse) -> None:
    with warehouse.serve() as published:
        missing = [
            f"{mart}.{column}"
            for mart, columns in published.columns.items()
            for column, description in columns.items()
            if not description
        ]
        assert missing == []
        assert "UTC day" in published.definition("data_coverage_daily", "activity_date")


def test_a_reader_sees_one_night_while_another_is_published(
    warehouse: Warehouse, folder: DataDir
) -> None:
    with warehouse.serve() as published:
        before = published.rows("select * from skill_usage_daily order by skill_name")
        with held(folder, "test"):
            warehouse.publish()
        assert published.rows("select * from skill_usage_daily order by skill_name") == before
    with warehouse.serve() as published:
        assert published.rows("select * from skill_usage_daily order by skill_name") == before


def test_a_thorough_look_says_that_all_is_whole(warehouse: Warehouse, folder: DataDir) -> None:
    with held(folder, "test"):
        assert warehouse.place in warehouse.inspected()
    assert str(warehouse.served_place) in warehouse.inspected_served()


def test_vacuum_gives_space_back_and_keeps_everything(
    warehouse: Warehouse, folder: DataDir
) -> None:
    def content() -> dict[str, object]:
        with warehouse.read() as stored:
            return {
                name: (columns, stored.rows(f"select count(*) as rows from {name}"))
                for name, columns in stored.columns.items()
            }

    before = content()
    with warehouse_pipeline(folder).sql_client() as writer:
        numbers = ", ".join(f"('{number:064d}', -1, date '2026-01-05')" for number in range(50_000))
        columns = "skill_name, version, activity_date"
        writer.execute_sql(f"insert into claude_raw.skills ({columns}) values {numbers}")
        writer.execute_sql("delete from claude_raw.skills where version = -1")
    large = warehouse.size()
    warehouse.vacuum()

    assert content() == before
    assert warehouse.size() < large


def test_what_is_stored_is_read_beside_a_writer_or_the_writer_is_named(
    warehouse: Warehouse, folder: DataDir
) -> None:
    script = """
import sys
from pathlib import Path
from pipelines.data_dir import DataDir
from pipelines.raw_tables import warehouse_pipeline

with warehouse_pipeline(DataDir(Path(sys.argv[1]))).sql_client() as writer:
    with writer.begin_transaction():
        writer.execute_sql("create table claude_raw.being_written (x bigint)")
        print("writing", flush=True)
        sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(folder.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout and writer.stdout.readline() == b"writing\n"
        try:
            if warehouse.abilities.reads_beside_a_run:
                with warehouse.read() as stored:
                    assert stored.has("claude_raw.skills")
            else:
                with pytest.raises(ForeseenError, match="Another program"), warehouse.read():
                    pass
        finally:
            writer.kill()


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_has_a_target_that_dbt_builds_on(name: str) -> None:
    assert f"\n    {name}:\n" in Path(PROJECT, "profiles.yml").read_text()
