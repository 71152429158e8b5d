"""The dbt project as a whole: its unit tests, its names, and how it is run."""

import re
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from pipelines.warehouse.dbt import DECLARED, PROJECT, TransformResult, transform, unit_tests
from pipelines.warehouse.duckdb import target
from sources.claude_analytics.endpoints import CONSOLE_REPORTS_API, EVERY_ENDPOINT, REPORTS_API
from sources.errors import ForeseenError
from tests.transforms.conftest import Query
from tests.transforms.raw_tables import RawWarehouse

FILES = [yaml.safe_load(file.read_text()) for file in PROJECT.glob("models/marts/*/*.yml")]
MARTS = [mart for file in FILES for mart in file["models"]]
UNIT_TESTED = {test["model"] for file in FILES for test in file.get("unit_tests", [])}


def test_all_unit_tests_of_the_models_pass(tmp_path: Path) -> None:
    raw = RawWarehouse(tmp_path / "warehouse.duckdb")
    raw.close()

    assert unit_tests(target(raw.path, tmp_path)) == []


def test_every_endpoint_has_a_staging_model_and_is_covered() -> None:
    models = {path.stem for path in (PROJECT / "models/staging").glob("*/*.sql")}

    tables = dict.fromkeys(endpoint.table for endpoint in EVERY_ENDPOINT)
    money = dict.fromkeys(item.table for item in EVERY_ENDPOINT if item.kind == "money")
    assert {f"stg_{table}" for table in tables} <= models
    assert DECLARED["endpoints"] == list(tables)
    assert DECLARED["money_endpoints"] == list(money)
    assert DECLARED["recent_endpoints"] == ["hourly_costs", "hourly_usage"]
    assert DECLARED["older_money_endpoints"] == [
        endpoint.table
        for endpoint in (*REPORTS_API, *CONSOLE_REPORTS_API)
        if endpoint.table.endswith("_reports")
    ]


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart["name"])
def test_every_mart_is_described_and_tested(
    mart: dict[str, Any], story: tuple[Query, TransformResult]
) -> None:
    query, _ = story
    columns = {
        name
        for (name,) in query(
            "select column_name from duckdb_columns()"
            f" where schema_name = 'claude_marts' and table_name = '{mart['name']}'"
        )
    }
    tests = {kind for test in mart["data_tests"] for kind in test}

    assert mart["description"].startswith("One row per ")
    assert {column["name"] for column in mart["columns"] if column["description"]} == columns
    assert {"unique_by", "never_null"} <= tests
    assert tests & {"never_negative", "holds"}
    assert mart["name"] in UNIT_TESTED


def test_every_mart_is_in_the_list_of_models() -> None:
    models = {path.stem for path in (PROJECT / "models/marts").glob("*/*.sql")}

    assert models == {mart["name"] for mart in MARTS}


def test_a_run_leaves_the_file_free_and_no_thread_behind(
    story: tuple[Query, TransformResult],
) -> None:
    query, result = story

    [(path,)] = query("select path from duckdb_databases() where database_name = 'warehouse'")
    with duckdb.connect(path, config={"threads": 1}) as connection:
        connection.execute("create or replace temp table mine as select 1")
    assert result.models > len(MARTS)
    assert [thread for thread in threading.enumerate() if "dbt" in thread.name.lower()] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("chargeback_policy", "by_mood"),
        ("chargeback_shared_policy", "direct"),
        ("chargeback_cost_centers_from", "horoscope"),
        ("chargeback_monthly_amount_usd", "12,000"),
        ("chargeback_monthly_amount_usd", "NaN"),
        ("dormant_after_days", "a month"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    variable: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(ForeseenError, match=value):
        transform(target(tmp_path / "warehouse.duckdb", tmp_path), {variable: value})


def test_a_file_that_is_no_warehouse_is_named(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_text("This is a letter, not a database." * 1000)

    with pytest.raises(ForeseenError, match=r"warehouse\.duckdb"):
        transform(target(path, tmp_path))


def test_which_days_are_lost_is_said_in_one_place() -> None:
    """By the mart and by `status`, which has to know it before any mart is built."""
    files = [*PROJECT.rglob("*.sql"), *PROJECT.parent.joinpath("pipelines").rglob("*.py")]
    stated = [file.name for file in files if "then 'lost'" in file.read_text()]

    assert stated == ["day_status.sql"]


def test_every_model_is_made_anew_so_that_its_columns_have_the_types_of_its_query() -> None:
    """dbt 1.11 stores 5.75 as 6 where an incremental model was made when there were whole numbers
    alone."""
    files = [*PROJECT.rglob("*.sql"), *PROJECT.rglob("*.yml")]
    stated = {
        kind
        for file in files
        for kind in re.findall(r"materialized['\"]?\s*[=:]\s*['\"]?(\w+)", file.read_text())
    }

    assert stated == {"table", "view"}
