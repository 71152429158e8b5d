"""Builds what the dbt project in transforms/ says, inside this process, and tells how it went."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pipelines.data_dir import write_private
from pipelines.foreseen import explained
from pipelines.redacted import redacted
from pipelines.registry import SOURCES, TABLES
from pipelines.settings import check
from pipelines.warehouse.compiled import Compiled, Node, compiled, left_open
from sources.errors import ForeseenError

PROJECT = Path(__file__).resolve().parents[2] / "transforms"
SETTING_OF = {
    "dormant_after_days": ("seats", "dormant_after_days"),
    "grace_days": ("seats", "grace_days"),
    "downgrade_active_days": ("seats", "downgrade_active_days"),
    "min_group_size": ("privacy", "min_group_size"),
    "fiscal_year_start_month": ("calendar", "fiscal_year_start_month"),
    "chargeback_policy": ("chargeback", "policy"),
    "chargeback_metered_policy": ("chargeback", "metered_policy"),
    "chargeback_shared_policy": ("chargeback", "shared_policy"),
    "chargeback_cost_centers_from": ("chargeback", "cost_centers_from"),
    "chargeback_monthly_amount_usd": ("chargeback", "monthly_amount_usd"),
}
"""dbt variable -> the setting that it comes from: section and name."""
TRACKED = [table for table in TABLES if table.is_tracked]
DECLARED: dict[str, Any] = {
    "endpoints": list(dict.fromkeys(table.name for table in TRACKED)),
    "money_endpoints": list(dict.fromkeys(each.name for each in TRACKED if each.kind == "money")),
    "older_money_endpoints": [table.name for table in TRACKED if table.is_older],
    "recent_endpoints": [table.name for table in TRACKED if table.is_recent],
    "compared_endpoints": {},
    "assistants": [source.assistant for source in SOURCES if source.assistant],
}
"""dbt variables that say what the sources declare."""
for _table in TRACKED:
    # Where two endpoints fill one table, what both have.
    _before = DECLARED["compared_endpoints"].get(_table.name)
    DECLARED["compared_endpoints"][_table.name] = {
        "key": list(_table.key),
        "columns": [name for name in _table.columns if not _before or name in _before["columns"]],
        "measure": _table.measure,
    }
COMPILE = ("compile", "--exclude", "test_type:unit", "--no-populate-cache")
_parsed: dict[tuple[str, str], Any] = {}
"""The project as dbt reads it, which takes longer than building small marts: once a process."""


class Builder(Protocol):
    """An engine's open database, in which models are built."""

    def build(self, model: Node) -> bool:
        """Replace the model's relation by what its query finds, and describe it; whether that was
        needed."""

    def count(self, test: Node) -> int:
        """How many rows a test finds."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where dbt builds.

    Attributes:
        name: Of a target in profiles.yml, and of its adapter.
        database: What the target calls its database.
        environment: What profiles.yml reads, set for the time of a call.
        folder: The data folder; dbt's own files are in it.
        opened: Opens it for the statements that dbt compiled.
        file: The database's file, for a message; None: it is none.
    """

    name: str
    database: str
    environment: Mapping[str, str]
    folder: Path
    opened: Callable[[Compiled], AbstractContextManager[Builder]]
    file: Path | None = None


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
        models: Models built, staging views included; not those that would have come out as before.
        failed_tests: Tests of our own logic that found rows. Do not publish.
        warnings: Tests of the vendor's data that found rows.
        seconds: Wall time.
    """

    models: int
    failed_tests: Sequence[TestResult]
    warnings: Sequence[TestResult]
    seconds: float


def transform(
    target: Target,
    variables: Mapping[str, str] | None = None,
    select: Sequence[str] = (),
    *,
    tests: bool = True,
) -> TransformResult:
    """Builds the marts, all of them unless dbt's selectors name some, and runs their data tests.

    The variables are those of dbt_project.yml. When this returns, the warehouse is closed.

    Raises:
        ForeseenError: A variable cannot be used, it cannot be opened, or a model failed.
    """
    chosen = dict(variables or {})
    check_variables(chosen)
    started = time.monotonic()
    values = {**_defaults(), **chosen}
    # A moment makes other statements; all else is a value in them.
    opened = {name: left_open(name) for name in values if name != "as_of" or values[name]}
    project = compiled(
        PROJECT,
        target.folder / "dbt",
        target.name,
        target.database,
        {**DECLARED, **opened},
        lambda: run_dbt(COMPILE, target, opened),
    ).filled(values)
    found: list[tuple[Node, int]] = []
    models = project.models(select)
    built = 0
    at: Node | None = None
    try:
        with target.opened(project) as builder:
            for at in models:
                built += builder.build(at)
            for at in project.tests(select) if tests else ():
                found.append((at, builder.count(at)))
    except ForeseenError:
        raise
    except Exception as error:
        what = f"{at.short} failed" if at else "the warehouse could not be opened"
        raise _not_built(error, target, what, at) from error
    results = [
        (node.is_warning, TestResult(name=node.short, count=count, description=node.description))
        for node, count in found
        if count
    ]
    return TransformResult(
        models=built,
        failed_tests=[result for is_warning, result in results if not is_warning],
        warnings=[result for is_warning, result in results if is_warning],
        seconds=time.monotonic() - started,
    )


@cache
def _defaults() -> dict[str, str]:
    """The values of dbt_project.yml's variables."""
    import yaml

    declared = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    return {name: str(value) for name, value in declared.items()}


def refuse_failed(result: TransformResult, out: Path) -> None:
    """See that marts built for a file of their own are right.

    Raises:
        ForeseenError: A test of our own logic found rows.
    """
    if result.failed_tests:
        names = ", ".join(test.name for test in result.failed_tests)
        raise ForeseenError(
            f"The marts were not written to {out}: tests of them failed ({names}).\n"
            "They would show wrong numbers.\n"
            "Please report this with the names above."
        )


def manifest(target: Target) -> str:
    """The project as dbt knows it, as JSON: sources, models and their order."""
    known = target.name, target.database
    if known not in _parsed:
        run_dbt([], target, {})
    return json.dumps(_parsed[known].writable_manifest().to_dict(omit_none=False), default=str)


def unit_tests(target: Target) -> Sequence[TestResult]:
    """The dbt unit tests that fail. The warehouse's raw tables must exist; they may be empty."""
    run_dbt(["run", "--empty"], target, {})
    results = run_dbt(["test", "--select", "test_type:unit"], target, {})
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
    arguments: Sequence[str], target: Target, variables: Mapping[str, str]
) -> Sequence[Any]:
    """The results of one dbt command, a RunResult per model or test; nothing on the terminal.

    Without a command, the project is only read.
    """
    # dbt takes a second to import: commands that do not need it should not wait for it.
    from dbt.cli.main import dbtRunner

    prepare, close = ADAPTERS.get(target.name, (_nothing, _nothing))
    prepare()
    options = [
        *("--project-dir", str(PROJECT)),
        *("--profiles-dir", str(PROJECT)),
        *("--target", target.name),
        *("--target-path", str(target.folder / "dbt" / "target")),
        *("--log-path", str(target.folder / "dbt" / "logs")),
        *("--vars", json.dumps({**DECLARED, **variables}, sort_keys=True)),
        *("--log-level", "none", "--log-level-file", "info", "--no-print"),
        *("--no-use-colors", "--no-write-json", "--no-send-anonymous-usage-stats"),
    ]
    # The database's name is in it; variables count only when a model is compiled.
    known = target.name, target.database
    with _environment(target.environment):
        try:
            if known not in _parsed:
                outcome = dbtRunner().invoke(["parse", *options])
                _close(close)  # Each command opens its own log.
                if outcome.exception is None:
                    _parsed[known] = outcome.result
            if known in _parsed and arguments:
                outcome = dbtRunner(manifest=_parsed[known]).invoke([*arguments, *options])
        finally:
            _close(close)
    if outcome.exception is not None:
        raise _not_built(
            outcome.exception, target, "dbt stopped before it began"
        ) from outcome.exception
    result: Any = outcome.result  # its type depends on the command
    return list(result.results) if arguments else []


def _nothing() -> None:
    pass


def _name_databases_by_file() -> None:
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    # Its own takes a path for a URL, in which a `#` ends what counts.
    DuckDBCredentials.path_derived_database_name = staticmethod(file_database)  # type: ignore[method-assign]


def file_database(path: object) -> str:
    """What a database in a file is called: the file's name up to the first point."""
    return "memory" if path in (None, ":memory:") else Path(str(path)).name.split(".")[0]


def _close_files() -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    environment = DuckDBConnectionManager._ENV
    if environment is not None:
        environment.close()
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


ADAPTERS: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "duckdb": (_name_databases_by_file, _close_files),
}
"""What an adapter needs before a call, and what closes its warehouse, which it would keep open
until the process ends."""


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _close(close_warehouse: Callable[[], None]) -> None:
    """Closes the warehouse and the log, which dbt would keep open until the process ends."""
    from dbt.adapters.factory import reset_adapters
    from dbt_common.events.event_manager_client import cleanup_event_logger, get_event_manager

    reset_adapters()  # type: ignore[no-untyped-call]
    close_warehouse()
    for logger in get_event_manager().loggers:
        if logger._python_logger is not None:
            for handler in logger._python_logger.handlers:
                handler.close()
    cleanup_event_logger()


def _not_built(
    error: BaseException, target: Target, what: str, node: Node | None = None
) -> ForeseenError:
    """The message, with advice that fits the cause; without a known cause, what was said.

    The SQL of a `node` that failed is kept: dbt wrote no log of it.
    """
    known = explained(error, file=target.file)
    if known:
        return ForeseenError(f"The marts were not built: {what}.\n{known}")
    log = target.folder / "dbt" / "logs" / "dbt.log"
    if node:
        log = log.with_name("failed.sql")
        log.parent.mkdir(parents=True, exist_ok=True)
        write_private(log, f"-- {node.path}\n{node.sql}\n/*\n{redacted(str(error))}\n*/\n")
    return ForeseenError(
        f"The marts were not built: {what}.\n"
        f"{redacted(_first_lines(str(error)))}\n"
        "Readers keep the previous copy. This is a fault of the marts' SQL or of the installation: "
        f"please report it with {log}"
    )


def _test_result(result: Any) -> TestResult:
    return TestResult(
        name=result.node.name, count=result.failures or 0, description=result.node.description
    )


def _first_lines(message: str) -> str:
    return "\n".join(message.strip().splitlines()[:4])
