"""Fixtures of the contract that every engine keeps: the suite here runs on each of them."""

from collections.abc import Iterator
from datetime import date

import pytest

from pipelines.data_dir import DataDir
from pipelines.people.name_keys import store_name_keys
from pipelines.raw_tables import create_absent_tables, warehouse_pipeline
from pipelines.warehouse import ENGINES, held, warehouse_of
from pipelines.warehouse.base import Warehouse
from sources.claude_analytics import AnalyticsSettings
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.loading import load_source
from tests.warehouse.cluster import Cluster, cluster

MARTS = ("skill_usage_daily", "data_coverage_daily")
SKILLS = [
    {"skill_name": 'it\'s; drop "x"', "distinct_user_count": 3, "attributed_list_price": "0.1"},
    {"skill_name": "größe", "distinct_user_count": 2, "attributed_list_price": "-12.5"},
]


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A server of PostgreSQL's, of another language and another zone than the tests."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="package", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """An engine's name, which the settings name meanwhile, with a place of its own."""
    name: str = request.param
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PIPELINE__DESTINATION", name)
        for variable, value in place(name, request).items():
            environment.setenv(variable, value)
        yield name


def place(name: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of an empty place on this engine."""
    if name == "duckdb":
        return {}  # It is in the data folder.
    server: Cluster = request.getfixturevalue("server")
    return server.settings(server.database())


@pytest.fixture
def empty(
    engine: str,
    data_dir: DataDir,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Warehouse:
    """A warehouse in which nothing was ever stored."""
    for variable, value in place(engine, request).items():
        monkeypatch.setenv(variable, value)
    data_dir.create()
    return warehouse_of(data_dir)


@pytest.fixture(scope="package")
def folder(engine: str, tmp_path_factory: pytest.TempPathFactory) -> DataDir:
    """The data folder of a warehouse with one day of skills, built and published."""
    folder = DataDir(tmp_path_factory.mktemp(engine) / "data")
    with Sandbox.empty(today="2026-01-08") as api, held(folder, "test"):
        api.publish("skills", "2026-01-05", SKILLS)
        settings = AnalyticsSettings(
            base_url=api.url, api_key=api.api_key, requests_per_minute=100_000
        )
        clock = Clock.at(date(2026, 1, 8))
        load_source(folder, "claude_analytics", clock, settings, only=["skills"])
        pipeline = warehouse_pipeline(folder)
        create_absent_tables(pipeline)
        store_name_keys(pipeline)
        warehouse = warehouse_of(folder)
        assert not warehouse.build({}, [f"+{mart}" for mart in MARTS]).failed_tests
        warehouse.publish()
    return folder


@pytest.fixture
def warehouse(folder: DataDir) -> Warehouse:
    """The published one; a test that changes it leaves it as it was."""
    return warehouse_of(folder)
