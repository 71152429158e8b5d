"""The two walls: engines are known in one room, vendors by one list, and neither anywhere else."""

import re
import tomllib
from pathlib import Path

from pipelines.registry import SOURCES

ROOT = Path(__file__).parent.parent
ENGINE = re.compile(r"duckdb|postgres|psycopg", re.IGNORECASE)
NAMED = {
    "pipelines/data_dir.py": "files of a data folder, and names that DuckDB takes for others",
    "pipelines/files/backup.py": "files of a data folder, and what DuckDB leaves beside them",
    "pipelines/files/outputs.py": "a file of marts is DuckDB's, whatever the warehouse is",
    "pipelines/focus/judge.py": "reads anybody's FOCUS file; DuckDB is a tool there",
    "pipelines/foreseen.py": "errors by the library that raises them",
    "pipelines/people/identity.py": "what to do where a server cannot do it",
    "pipelines/settings.py": "the values that a setting takes, and a server's own section",
    "sources/hints.py": "why rows are handed over by columns",
    "sources/sandbox/compliance.py": "the invented organisation, in memory",
    "sources/sandbox/organisation.py": "the invented organisation, in memory",
}
"""Modules that name an engine, and why that is no way to a warehouse."""


VENDOR = re.compile(r"^ *(?:from|import) sources\.(\w+)", re.MULTILINE)
OUR_OWN = {"reference_files"}
"""Sources without a vendor: the files whose form we say."""


def test_a_run_knows_vendors_by_the_registry_alone() -> None:
    vendors = {source.name for source in SOURCES} - OUR_OWN
    knowing = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "pipelines").rglob("*.py")
        if vendors & {*VENDOR.findall(path.read_text())}
    }

    assert knowing == {"pipelines/registry.py"}


def test_no_module_outside_the_warehouse_names_an_engine_without_a_reason() -> None:
    modules = [path for room in ("pipelines", "sources") for path in (ROOT / room).rglob("*.py")]
    names = {str(path.relative_to(ROOT)) for path in modules if ENGINE.search(path.read_text())}

    assert {name for name in names if not name.startswith("pipelines/warehouse/")} == {*NAMED}


def test_the_linter_forbids_the_engines_drivers_outside_the_warehouse() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    excepted = {
        place
        for place, rules in lint["per-file-ignores"].items()
        if "TID251" in rules and not place.startswith(("sources/", "tests/"))
    }

    assert {"duckdb", "psycopg2", "dbt", "dlt.destinations.impl"} <= lint["flake8-tidy-imports"][
        "banned-api"
    ].keys()
    assert excepted == {
        "pipelines/warehouse/**", "pipelines/webhook.py", "pipelines/focus/judge.py",
    }  # fmt: skip
