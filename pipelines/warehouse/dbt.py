"""Runs the dbt project in transforms/ inside this process and tells how it went."""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.foreseen import explained
from pipelines.redacted import redacted
from pipelines.settings import check
from sources.errors import ForeseenError

PROJECT = Path(__file__).resolve().parents[2] / "transforms"
SETTING_OF = {
    "dormant_after_days": ("seats", "dormant_after_days"),
    "grace_days": ("seats", "grace_days"),
    "downgrade_active_days": ("seats", "downgrade_active_days"),
    "min_group_size": ("privacy", "min_group_size"),
    "chargeback_policy": ("chargeback", "policy"),
    "chargeback_metered_policy": ("chargeback", "metered_policy"),
    "chargeback_shared_policy": ("chargeback", "shared_policy"),
    "chargeback_cost_centers_from": ("chargeback", "cost_centers_from"),
    "chargeback_monthly_amount_usd": ("chargeback", "monthly_amount_usd"),
}
"""dbt variable -> the setting that it comes from: section and name."""
_parsed: dict[str, Any] = {}
"""The project as dbt reads it, which takes longer than building small marts: once a process."""
WAREHOUSE_VARIABLE = "CLAUDE_WAREHOUSE_DUCKDB_PATH"
"""What profiles.yml reads the file from; set for the time of a call."""


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """A data test that found rows; the description says what they mean."""

    __test__ = False  # not a test of pytest's

    name: str
    count: int
    description: str


@dataclass(frozen=True, kw_only=True)
class TransformResult:
    """What a run built and what its tests found.

    Attributes:
        models: Models built, staging views included.
        failed_tests: Tests of our own logic that found rows. Do not publish.
        warnings: Tests of the vendor's data that found rows.
        seconds: Wall time.
    """

    models: int
    failed_tests: Sequence[TestResult]
    warnings: Sequence[TestResult]
    seconds: float


def transform(
    warehouse: Path,
    data_dir: Path,
    variables: Mapping[str, str] | None = None,
    select: Sequence[str] = (),
) -> TransformResult:
    """Builds the marts, all of them unless dbt's selectors name some, and runs their data tests.

    The variables are those of dbt_project.yml. When this returns, the file is closed.

    Raises:
        ForeseenError: A variable cannot be used, the file cannot be opened, or a model failed.
    """
    chosen = dict(variables or {})
    check_variables(chosen)
    started = time.monotonic()
    named = ["--select", *select] if select else []
    results = run_dbt(
        ["build", "--exclude-resource-type", "unit_test", *named], warehouse, data_dir, chosen
    )
    broken = [result for result in results if result.status == "error"]
    if broken:
        raise _not_built(
            RuntimeError(broken[0].message), warehouse, data_dir, f"{broken[0].node.name} failed"
        )
    return TransformResult(
        models=sum(
            result.node.resource_type == "model" and result.status == "success"
            for result in results
        ),
        failed_tests=[_test_result(result) for result in results if result.status == "fail"],
        warnings=[_test_result(result) for result in results if result.status == "warn"],
        seconds=time.monotonic() - started,
    )


def unit_tests(warehouse: Path, data_dir: Path) -> Sequence[TestResult]:
    """The dbt unit tests that fail. The warehouse's raw tables must exist; they may be empty."""
    run_dbt(["run", "--empty"], warehouse, data_dir, {})
    results = run_dbt(["test", "--select", "test_type:unit"], warehouse, data_dir, {})
    return [
        TestResult(name=result.node.name, count=result.failures or 1, description=result.message)
        for result in results
        if result.status != "pass"
    ]


def check_variables(variables: Mapping[str, str]) -> None:
    """Refuses values that would end up in SQL as something else."""
    for name, value in variables.items():
        if value and name in SETTING_OF:
            check(*SETTING_OF[name], value)


def run_dbt(
    arguments: Sequence[str], warehouse: Path, data_dir: Path, variables: Mapping[str, str]
) -> Sequence[Any]:
    """The results of one dbt command, a RunResult per model or test; nothing on the terminal."""
    # dbt takes a second to import: commands that do not need it should not wait for it.
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.cli.main import dbtRunner

    # Its own takes a path for a URL, in which a `#` ends what counts.
    DuckDBCredentials.path_derived_database_name = staticmethod(_database_name)  # type: ignore[method-assign]

    options = [
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(PROJECT)),
        *("--target-path", str(data_dir / "dbt" / "target")),
        *("--log-path", str(data_dir / "dbt" / "logs")),
        *("--vars", json.dumps(dict(variables), sort_keys=True)),
        *("--log-level", "none", "--log-level-file", "info", "--no-print"),
        *("--no-use-colors", "--no-write-json", "--no-send-anonymous-usage-stats"),
    ]
    # The database's name is in it; variables count only when a model is compiled.
    known = warehouse.stem
    with _profile_environment(warehouse):
        try:
            if known not in _parsed:
                outcome = dbtRunner().invoke(["parse", *options])
                _close()  # Each command opens its own log.
                if outcome.exception is None:
                    _parsed[known] = outcome.result
            if known in _parsed:
                outcome = dbtRunner(manifest=_parsed[known]).invoke([*arguments, *options])
        finally:
            _close()
    if outcome.exception is not None:
        raise _not_built(
            outcome.exception, warehouse, data_dir, "dbt stopped before it began"
        ) from outcome.exception
    result: Any = outcome.result  # its type depends on the command
    return list(result.results)


def _database_name(path: object) -> str:
    """What DuckDB calls a database: its file's name up to the first point."""
    return "memory" if path in (None, ":memory:") else Path(str(path)).name.split(".")[0]


@contextmanager
def _profile_environment(warehouse: Path) -> Iterator[None]:
    before = os.environ.get(WAREHOUSE_VARIABLE)
    os.environ[WAREHOUSE_VARIABLE] = str(warehouse.absolute())
    try:
        yield
    finally:
        if before is None:
            del os.environ[WAREHOUSE_VARIABLE]
        else:
            os.environ[WAREHOUSE_VARIABLE] = before


def _close() -> None:
    """Closes the warehouse and the log, which dbt would keep open until the process ends."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters
    from dbt_common.events.event_manager_client import cleanup_event_logger, get_event_manager

    reset_adapters()  # type: ignore[no-untyped-call]
    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
    for logger in get_event_manager().loggers:
        if logger._python_logger is not None:
            for handler in logger._python_logger.handlers:
                handler.close()
    cleanup_event_logger()


def _not_built(error: BaseException, warehouse: Path, data_dir: Path, what: str) -> ForeseenError:
    """The message, with advice that fits the cause; without a known cause, what dbt said."""
    known = explained(error, file=warehouse)
    if known:
        return ForeseenError(f"The marts were not built: {what}.\n{known}")
    return ForeseenError(
        f"The marts were not built: {what}.\n"
        f"{redacted(_first_lines(str(error)))}\n"
        "Readers keep the previous copy. This is a fault of the marts' SQL or of the installation: "
        f"please report it with {_log(data_dir)}"
    )


def _test_result(result: Any) -> TestResult:
    return TestResult(
        name=result.node.name, count=result.failures or 0, description=result.node.description
    )


def _first_lines(message: str) -> str:
    return "\n".join(message.strip().splitlines()[:4])


def _log(data_dir: Path) -> Path:
    return data_dir / "dbt" / "logs" / "dbt.log"
