"""What a changed file or setting moves is said before it is published, with or without a run."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from pipelines.data_dir import DataDir
from sources.sandbox import Sandbox
from tests.commands import command

CHART = (
    "email,department,cost_center,manager_email,valid_from\n"
    "ana@x.org,Sales,7,,\nben@x.org,Legal,8,,\ncho@x.org,Sales,7,,\ndan@x.org,Law,9,,\n"
)
POLICIES = "cost_pool,policy,valid_from\nmetered,direct,\n"
COST = "--only costs --only cost_totals"


def spent(user_id: str, cents: str) -> Mapping[str, Any]:
    return {
        "group": {
            "actor": {
                "type": "user_actor", "user_id": user_id, "email_address": f"{user_id}@x.org",
            },
            "product": "chat", "model": "opus", "cost_type": "tokens",
        },
        "cost": {"amount": cents, "list_amount": cents, "currency": "USD"},
    }  # fmt: skip


class Story:
    """Exit code and words of each step, and what readers had after it."""

    def __init__(self) -> None:
        self.code: dict[str, int] = {}
        self.words: dict[str, str] = {}
        self.corrected: dict[str, list[tuple[Any, ...]]] = {}
        self.beside: subprocess.CompletedProcess[str] | None = None


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("changed")
    data, told = DataDir(folder / "data"), Story()
    chart, policies = folder / "org_chart.csv", folder / "policies.csv"
    chart.write_text(CHART)
    policies.write_text(POLICIES)
    with (
        Sandbox.empty(today="2026-03-05") as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("sources.http.FIRST_STEP_SECONDS", 0.0)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__BASE_URL", api.url)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__API_KEY", api.api_key)
        patch.setenv("SOURCES__CLAUDE_ANALYTICS__REQUESTS_PER_MINUTE", "100000")
        patch.setenv("SOURCES__REFERENCE_FILES__ORG_CHART", str(chart))
        patch.setenv("SOURCES__REFERENCE_FILES__CHARGEBACK_POLICIES", str(policies))
        patch.setenv("PIPELINE__DATA_DIR", str(data.root))
        patch.setenv("CHARGEBACK__MONTHLY_AMOUNT_USD", "1200.00")

        def run(step: str, words: str) -> None:
            ended = command(words)
            told.code[step], told.words[step] = ended.exit_code, ended.text
            with duckdb.connect(str(data.served), read_only=True) as marts:
                told.corrected[step] = marts.execute(
                    "select department, amount_usd from claude_marts.chargeback_monthly"
                    " where allocation_method = 'Correction' order by all"
                ).fetchall()

        first = [spent("ana", "10000"), spent("ben", "5000"), spent("zoe", "0")]
        api.publish("costs", "2026-01-05", first)
        run("load", f"sync --today 2026-03-05 {COST}")
        run("close", "close-month 2026-01 --today 2026-03-05 --force")

        chart.write_text(CHART.replace("ana@x.org,Sales", "ana@x.org,Law").replace("dan@", "eve@"))
        policies.write_text(POLICIES + "shared,even,\n")
        second = [spent("ana", "10000"), spent("ben", "4000"), spent("zoe", "0")]
        api.publish("costs", "2026-01-05", second)
        run("preview", "preview --today 2026-03-06")
        before = sorted(path.name for path in data.root.iterdir())
        with data.held("test"), duckdb.connect(str(data.warehouse)):
            # As a cron job's neighbour would: in a process of its own, while this one writes.
            told.beside = subprocess.run(
                [sys.executable, "-c", "from pipelines.cli.app import run; run()", "preview"],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                text=True,
                check=False,
            )
        told.words["folder"] = " ".join({*(path.name for path in data.root.iterdir())} ^ {*before})
        run(
            "change",
            f"backfill --from 2026-01-05 --to 2026-01-05 --today 2026-03-06 {COST}",
        )
        patch.delenv("CHARGEBACK__MONTHLY_AMOUNT_USD")
        run("setting gone", f"sync --today 2026-03-07 {COST}")
        patch.setenv("CHARGEBACK__MONTHLY_AMOUNT_USD", "1300.00")
        run("setting changed", f"sync --today 2026-03-08 {COST}")
        run("status", "status --today 2026-03-08")
        run("doctor", "doctor --today 2026-03-08")
        yield told


CHART_LINE = (
    "org_chart: 1 line added, 1 changed, 1 removed since the last run; 1 person is in another "
    "department on days that are past; closed 2026-01: $100.00 move between departments "
)


def test_a_run_says_what_a_file_moves_before_it_publishes(story: Story) -> None:
    words = story.words["change"]

    assert story.code["change"] == 0
    assert CHART_LINE in words
    assert (
        "chargeback_policies: 1 line added, 0 changed, 0 removed since the last run; "
        "no closed month is corrected by it." in words
    )
    assert words.index(CHART_LINE) < words.index("Publishing them to readers")


def test_a_correction_is_explained_by_each_cause_with_its_amount(story: Story) -> None:
    words = " ".join(story.words["change"].split())

    assert "The closed 2026-01 is corrected: $110.00 move, $10.00 less in all" in words
    assert "org_chart: $100.00 move between departments" in words
    assert "cost that was restated: $10.00 less in all" in words
    assert "people and seats" not in words
    corrected = {department: int(usd) for department, usd in story.corrected["change"]}
    assert corrected == {"Law": 100, "Legal": -10, "Sales": -100}


def test_preview_says_the_same_without_a_run(story: Story) -> None:
    words = story.words["preview"]

    assert story.code["preview"] == 0
    assert CHART_LINE in words
    assert story.corrected["preview"] == []
    assert story.words["folder"] == ""


def test_preview_works_beside_a_run(story: Story) -> None:
    assert story.beside is not None
    assert story.beside.returncode == 0, story.beside.stderr
    assert CHART_LINE in story.beside.stdout


def test_a_setting_that_is_gone_keeps_counting_and_one_that_changed_is_said(story: Story) -> None:
    gone, changed = story.words["setting gone"], story.words["setting changed"]

    assert story.code["setting gone"] == 1
    assert "[chargeback] monthly_amount_usd was 1200.00" in gone
    assert "claude-warehouse accept chargeback.monthly_amount_usd" in gone
    assert story.code["setting changed"] == 0
    assert "[chargeback] monthly_amount_usd is 1300.00 and was 1200.00" in changed


def test_status_counts_lines_that_meet_nobody_and_doctor_names_them(story: Story) -> None:
    status, doctor = (" ".join(story.words[step].split()) for step in ("status", "doctor"))

    assert (
        "org_chart: 2 lines name nobody (of 4); 1 person has no line today and is Unmapped: "
        "see claude-warehouse doctor." in status
    )
    assert (
        "org_chart: lines that meet nobody (2): cho@x.org: nobody has or had this address "
        "eve@x.org: nobody has or had this address" in doctor
    )
    assert "org_chart: people without a line (1): zoe@x.org" in doctor
