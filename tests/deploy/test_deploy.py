"""Every file of docs/deploy, loaded or checked by the tool that it is for."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
import yaml
from croniter import croniter

from pipelines.cli.app import app
from pipelines.registry import SOURCES
from pipelines.settings import KNOWN

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs/deploy"
FILES = sorted(file for file in DEPLOY.iterdir() if file.is_file())
HERE = Path(__file__).parent
SCHEDULERS = ROOT / ".venv-schedulers"
COMMAND = ROOT / ".venv/bin/claude-warehouse"
INSTALLED = "/opt/claude-warehouse/bin/claude-warehouse"
SETTLED_HOUR = (10, 45)
"""UTC; after the API has opened its next day, at 10:30."""


def tool(environment: str, name: str) -> str:
    """A program of another environment; CI has them all."""
    program = SCHEDULERS / environment / "bin" / name
    if not program.exists():
        assert not os.environ.get("CI"), f"{program} is missing: make schedulers"
        pytest.skip(f"{program.relative_to(ROOT)} is not installed: make schedulers")
    return str(program)


def output(*words: str, **variables: str) -> str:
    ended = subprocess.run(
        words, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_every_file_is_told_of() -> None:
    page = (ROOT / "docs/operations.md").read_text()

    assert {file.name for file in FILES} == set(re.findall(r"\(deploy/([\w.-]+)\)", page))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_names_only_commands_and_settings_that_exist(file: Path) -> None:
    text = file.read_text()
    variables = {"__".join((*sections, name)).upper() for sections, name in KNOWN}
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]

    named = set(re.findall(r"\b[A-Z]+(?:__[A-Z_]+)+\b", text)) - {"AIRFLOW__CORE"}
    assert named <= variables
    words = re.findall(rf"(?:{INSTALLED}|{{COMMAND}}|&& claude-warehouse) ([a-z]+)", text)
    assert set(words) <= set(commands)


def test_the_container_runs_as_nobody_on_a_read_only_root_with_one_volume() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", "")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and line[0] != "#"]
    last_stage = lines[max(n for n, (word, _) in enumerate(lines) if word == "FROM") :]
    said = {word: rest for word, rest in last_stage}

    assert {word for word, _ in lines} <= {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"
    }  # fmt: skip
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"])
    assert json.loads(said["VOLUME"]) == [said["WORKDIR"]] == ["/data"]
    assert json.loads(said["ENTRYPOINT"]) == ["claude-warehouse"]
    assert all(":" in rest and "latest" not in rest for word, rest in lines if word == "FROM")
    assert "--require-hashes" in text
    python = re.search(r"python:(\d+\.\d+)-slim", text)
    assert python and f">={python[1]}" in (ROOT / "pyproject.toml").read_text()


def builder() -> Iterator[str]:
    for name in ("podman", "docker"):
        if (
            shutil.which(name)
            and not subprocess.run([name, "info"], capture_output=True).returncode
        ):
            yield name


@pytest.mark.long
def test_the_image_is_built_and_its_run_writes_nothing_outside_its_volume() -> None:
    name = next(builder(), None)
    if name is None:
        pytest.skip("no builder of images answers here (podman, docker)")
    tag = "claude-warehouse:test"
    output(
        name, "build", "--quiet", "--file", str(DEPLOY / "Containerfile"), "--tag", tag, str(ROOT)
    )
    volume = ("--volume", "claude-warehouse-test:/data")
    told = output(name, "run", "--rm", "--read-only", "--network=none", *volume, tag, "--help")
    assert "close-month" in told
    assert "Wrote" in output(name, "run", "--rm", "--read-only", *volume, tag, "init")
    output(name, "volume", "rm", "claude-warehouse-test")


def test_systemd_knows_every_word_of_service_and_timer(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    for file in DEPLOY.glob("claude-warehouse.*"):
        text = file.read_text()
        # It looks whether the command is there.
        (tmp_path / file.name).write_text(text.replace(INSTALLED, sys.executable))
    units = [str(tmp_path / f"claude-warehouse.{kind}") for kind in ("service", "timer")]
    ended = subprocess.run(
        [analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )

    # Unknown words are only warnings, and leave the exit code 0.
    assert (ended.returncode, ended.stderr) == (0, "")
    calendar = re.search(r"OnCalendar=(.*)", (DEPLOY / "claude-warehouse.timer").read_text())
    assert calendar and "10:45:00 UTC" in output(analyze, "calendar", calendar[1])


def cron_lines() -> Iterator[tuple[str, str]]:
    """Each line of the timetable: when, and what."""
    for line in (DEPLOY / "crontab").read_text().splitlines():
        if line and not line.startswith("#") and not re.match(r"\w+=", line):
            *when, what = line.split(maxsplit=5)
            yield " ".join(when), what


def test_cron_gets_a_folder_an_environment_and_no_sign_that_ends_a_command() -> None:
    lines = list(cron_lines())

    assert re.search(r"(?m)^PATH=/opt/claude-warehouse/bin:", (DEPLOY / "crontab").read_text())
    assert [what.split()[4] for _, what in lines] == ["sync", "check"]
    for when, what in lines:
        assert croniter.is_valid(when)
        assert "%" not in what and what.startswith("cd /var/lib/claude-warehouse && ")


def test_every_timetable_starts_once_the_api_has_its_day_and_in_no_lost_hour() -> None:
    minute, hour = str(SETTLED_HOUR[1]), str(SETTLED_HOUR[0])
    crons = [
        *re.findall(r'cron: "([^"]+)"', (DEPLOY / "github-actions.yml").read_text()),
        *re.findall(r'schedule: "([^"]+)"', (DEPLOY / "cronjob.yaml").read_text()),
        *re.findall(r'schedule="([^"]+)"', (DEPLOY / "airflow_dag.py").read_text()),
        *re.findall(r'cron_schedule="([^"]+)"', (DEPLOY / "dagster_definitions.py").read_text()),
        next(when for when, what in cron_lines() if "sync" in what),
    ]

    assert len(crons) == 5
    assert {cron.split()[:2] == [minute, hour] and croniter.is_valid(cron) for cron in crons} == {
        True
    }


def test_kubernetes_takes_the_job_and_runs_it_once_at_a_time_without_rights() -> None:
    file = DEPLOY / "cronjob.yaml"
    # Its schema knows fields and types; what they may be is asked below.
    output(tool("tools", "kubernetes-validate"), "--strict", str(file))
    _, job = yaml.safe_load_all(file.read_text())
    spec = job["spec"]
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]

    assert croniter.is_valid(spec["schedule"]) and spec["timeZone"] == "Etc/UTC"
    assert spec["concurrencyPolicy"] == "Forbid" and pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/data"]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container["image"] == f"claude-warehouse:{version}"


def test_the_workflow_is_one_of_github_actions() -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    output(tool("tools", "check-jsonschema"), *schema, str(DEPLOY / "github-actions.yml"))


def test_airflow_loads_the_dag(tmp_path: Path) -> None:
    told = output(
        tool("airflow", "python"),
        str(HERE / "loaded_dag.py"),
        str(DEPLOY / "airflow_dag.py"),
        AIRFLOW_HOME=str(tmp_path),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
    )
    loaded = json.loads(told.splitlines()[-1])
    dag = loaded["dags"]["claude_warehouse"]

    assert loaded["errors"] == {}
    assert (dag["runs_at_once"], dag["catches_up"]) == (1, False)
    assert dag["tasks"]["check"]["after"] == ["sync"]
    for task in dag["tasks"].values():
        assert task["folder"] == "/var/lib/claude-warehouse" and task["keeps_environment"]
    # A run that was told to stop has ended by then.
    assert dag["tasks"]["sync"]["retry_seconds"] > 60
    assert dag["tasks"]["sync"]["command"].endswith("|| [ $? -eq 4 ]")


@pytest.fixture(scope="module")
def dagster(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("dagster")
    return {
        "CLAUDE_WAREHOUSE_COMMAND": str(COMMAND),
        "CLAUDE_WAREHOUSE_FOLDER": str(folder),
        "DAGSTER_HOME": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }


def test_dagster_knows_every_raw_table_and_mart_in_their_order(dagster: dict[str, str]) -> None:
    told = output(
        tool("tools", "python"),
        "-W", "ignore",
        str(HERE / "loaded_assets.py"),
        str(DEPLOY / "dagster_definitions.py"),
        **dagster,
    )  # fmt: skip
    assets: dict[str, list[str]] = json.loads(told.splitlines()[-1])
    models = [path.stem for path in (ROOT / "transforms/models").rglob("*.sql")]
    tables = [table.name for source in SOURCES for table in source.tables]

    assert {name.split("/")[1] for name in assets} >= {*models, *tables}
    assert assets["claude_raw/users"] == []
    assert assets["claude_staging/stg_users"] == [
        "claude_raw/users",
        "claude_staging/counting_versions",
    ]
    assert assets["claude_marts/connector_audit"] != []


def test_dagster_validates_the_definitions(dagster: dict[str, str]) -> None:
    file = str(DEPLOY / "dagster_definitions.py")
    output(tool("tools", "dagster"), "definitions", "validate", "-f", file, **dagster)
