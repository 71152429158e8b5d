"""What README.md and docs/ promise exists, and what exists is in them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pipelines.cli.app import app
from pipelines.data_dir import FILES as FILES_OF_RUNS
from pipelines.data_dir import FOLDERS, LOCK_FILES, REPORT
from pipelines.exit_codes import EXIT_CODES
from pipelines.files.formats import TABLES
from pipelines.files.tables import EXTRAS as WRITERS
from pipelines.redacted import SECRETS
from pipelines.settings import SECTIONS
from pipelines.warehouse import ENGINES
from pipelines.warehouse.elsewhere import CONFIGURED
from sources.claude_admin.endpoints import ROSTERS
from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.reference_files import FILES
from tests.pipelines.test_tables import READ
from tests.warehouse.test_equal import OTHERS

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
CONFIG = (ROOT / ".dlt/config.toml").read_text()
SETTINGS = [
    (".".join(sections), name)
    for kind, sections in SECTIONS.items()
    for name in kind.get_resolvable_fields()
] + [("sources.reference_files", file.table) for file in FILES]


def table_rows(heading: str) -> dict[str, list[str]]:
    """First cell -> the others, of the table whose first heading this is."""
    after = re.split(rf"^\| {re.escape(heading)}.*\n\| ---.*\n", TEXT, flags=re.MULTILINE)[1]
    rows = {}
    for line in after.splitlines():
        if not line.startswith("|"):
            break
        first, *others = [cell.strip() for cell in line.strip("|").split("|")]
        rows[first.strip("`")] = others
    return rows


def test_every_mart_is_documented_with_its_grain() -> None:
    models = [
        model
        for file in (ROOT / "transforms/models/marts").glob("*/*.yml")
        for model in yaml.safe_load(file.read_text())["models"]
    ]
    documented = table_rows("mart")

    assert documented.keys() == {model["name"] for model in models}
    for model in models:
        grain = documented[model["name"]][0]
        assert model["description"].lower().startswith(f"one row per {grain}".lower()), grain


def test_every_metric_is_documented_as_it_is_declared() -> None:
    declared = yaml.safe_load((ROOT / "transforms/models/semantic/_metrics.yml").read_text())

    assert {name: row[1] for name, row in table_rows("metric").items()} == {
        metric["name"]: metric["description"] for metric in declared["metrics"]
    }


def test_no_count_of_people_or_seats_is_declared_as_one_that_adds_up() -> None:
    declared = yaml.safe_load((ROOT / "transforms/models/semantic/_metrics.yml").read_text())
    measures = [each for model in declared["semantic_models"] for each in model.get("measures", [])]

    counted = [each for each in measures if re.search("users|people|seats", each["name"])]
    assert len(counted) >= 8
    for each in counted:
        assert each["agg"] == "count_distinct" or each["non_additive_dimension"]
        assert "Not additive" in each["description"]
    for each in measures:
        if each not in counted:
            assert "Additive" in each["description"]


def test_every_command_is_documented() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]

    assert {name.split()[0] for name in table_rows("command")} == set(commands)


def test_every_file_of_the_data_folder_is_documented() -> None:
    documented = {name.partition("…")[0] for name in table_rows("file")}

    assert documented == {*FILES_OF_RUNS, *FOLDERS, *LOCK_FILES, REPORT}


def test_every_exit_code_is_documented() -> None:
    documented = table_rows("exit code")

    assert {int(code): text[0].replace("`", "") for code, text in documented.items()} == EXIT_CODES


def test_every_endpoint_is_documented() -> None:
    paths: dict[str, list[str]] = {}
    for endpoint in EVERY_ENDPOINT:
        paths.setdefault(endpoint.table, []).append(f"`{endpoint.path}`")

    assert {name: path[0] for name, path in table_rows("endpoint (raw table").items()} == {
        table: " or ".join(found) for table, found in paths.items()
    }


def test_every_roster_is_documented() -> None:
    assert {name: path[0] for name, path in table_rows("roster (raw table").items()} == {
        roster.table: f"`{roster.path}`" for roster in ROSTERS
    }


@pytest.mark.parametrize(("section", "name"), SETTINGS)
def test_every_setting_is_documented_and_in_the_configuration_file(section: str, name: str) -> None:
    assert f"[{section}] {name}" in table_rows("setting")
    if name not in SECRETS:
        assert re.search(rf"^(# )?{name} = ", CONFIG, re.MULTILINE)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    assert set(table_rows("setting")) == {f"[{section}] {name}" for section, name in SETTINGS}


def test_the_configuration_file_says_what_the_defaults_are() -> None:
    configured: dict[str, Any] = tomllib.loads(CONFIG)
    for kind, sections in SECTIONS.items():
        section = configured
        for name in sections:
            section = section.get(name, {})
        for name, value in section.items():
            assert str(getattr(kind(), name)) == str(value), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text())

    for target, heading in targets:
        file = page.parent / target if target else page
        assert file.is_file(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings
            }


def test_the_matrix_says_tested_of_what_the_suite_runs_and_nothing_else() -> None:
    states = {name: state for name, (state, _) in table_rows("engine").items()}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]

    tested = {name for name, state in states.items() if state == "tested"}
    assert tested == {"duckdb", *OTHERS} | READ.keys()
    assert {"duckdb", *OTHERS} == ENGINES.keys() and READ.keys() == TABLES.keys()
    assert {name for name, state in states.items() if state == "configured"} == {*CONFIGURED}
    assert {*CONFIGURED, *OTHERS} <= extras.keys() and {*WRITERS.values()} <= extras.keys()


def test_the_readme_leads_to_every_page_and_fits_one_sitting() -> None:
    text = README.read_text()

    assert {page.name for page in PAGES[1:]} <= set(re.findall(r"docs/([\w-]+\.md)", text))
    assert len(text.splitlines()) < 160
