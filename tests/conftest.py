"""Fixtures for tests through the edges people use: an API to read, a folder to load into."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pytest

from pipelines.data_dir import DataDir
from sources.claude_analytics import AnalyticsSettings
from sources.claude_analytics.endpoints import ENDPOINTS
from sources.contract import SourceReport
from sources.sandbox import Sandbox
from sources.session import Clock
from tests.commands import Ended
from tests.commands import command as run_command
from tests.faults.tally import pytest_terminal_summary
from tests.loading import load_source
from tests.versions import create_views

__all__ = ["pytest_terminal_summary"]

ENGAGEMENT = [endpoint.table for endpoint in ENDPOINTS]


@pytest.fixture(autouse=True)
def no_waiting_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts as ever, without the time between them."""
    monkeypatch.setattr("sources.http.FIRST_STEP_SECONDS", 0.0)
    monkeypatch.setattr("sources.http._DOWN", {})


@pytest.fixture
def api() -> Iterator[Sandbox]:
    """The API of an organisation that has only what a test publishes."""
    with Sandbox.empty(today="2026-01-08") as sandbox:
        yield sandbox


@pytest.fixture
def data_dir(tmp_path: Path) -> DataDir:
    return DataDir(tmp_path / "data")


class Load(Protocol):
    def __call__(
        self,
        *,
        today: str,
        only: str | Sequence[str] = ENGAGEMENT,
        backfill: list[date] | None = None,
        **settings: Any,
    ) -> SourceReport: ...


@pytest.fixture
def load(api: Sandbox, data_dir: DataDir) -> Load:
    """Load from the API into the raw tables, as `sync --no-transform` does; engagement, if
    no other tables are named."""

    def run(
        *,
        today: str,
        only: str | Sequence[str] = ENGAGEMENT,
        backfill: list[date] | None = None,
        **settings: Any,
    ) -> SourceReport:
        options = {
            "base_url": api.url,
            "api_key": api.api_key,
            "requests_per_minute": 100_000,
            **settings,
        }
        with data_dir.held("test"):
            return load_source(
                data_dir,
                "claude_analytics",
                Clock.at(date.fromisoformat(today)),
                AnalyticsSettings(**options),
                only=[only] if isinstance(only, str) else only,
                backfill=backfill or (),
            )

    return run


Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def query(data_dir: DataDir) -> Query:
    """Ask the warehouse, or with `served=True` the file that readers open."""

    def ask(sql: str, *, served: bool = False) -> list[tuple[Any, ...]]:
        file = data_dir.served if served else data_dir.warehouse
        with duckdb.connect(str(file)) as connection:
            connection.execute("set timezone = 'UTC'")
            if "counting_" in sql:
                create_views(connection)
            return connection.execute(sql).fetchall()

    return ask


Command = Callable[..., Ended]


@pytest.fixture
def command(
    api: Sandbox,
    data_dir: DataDir,
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """Run `claude-warehouse` with these words, on the test's folder and API."""
    monkeypatch.setenv("SOURCES__CLAUDE_ANALYTICS__BASE_URL", api.url)
    monkeypatch.setenv("SOURCES__CLAUDE_ANALYTICS__API_KEY", api.api_key)
    monkeypatch.setenv("SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE", "100000")
    monkeypatch.setenv("PIPELINE__DATA_DIR", str(data_dir.root))

    def run(words: str, **settings: str) -> Ended:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        return run_command(words)

    return run
