"""The nightly run as assets of Dagster: every raw table, and every model and mart of dbt.

    dagster dev -f dagster_definitions.py

Dagster runs our own commands, as processes: it neither loads nor builds by itself. The resource of
dagster-dlt drops packages that a killed run left, so that rows are lost or doubled; and dbt alone
publishes nothing. dagster-dbt reads the manifest: assets, their order and their descriptions are
those of the marts.
"""

import json
import os
import subprocess
from collections.abc import Iterator

import dagster as dg
from dagster_dbt import build_dbt_asset_specs

COMMAND = os.environ.get("CLAUDE_WAREHOUSE_COMMAND", "/opt/claude-warehouse/bin/claude-warehouse")
FOLDER = os.environ.get("CLAUDE_WAREHOUSE_FOLDER", "/var/lib/claude-warehouse")
"""Where `claude-warehouse init` was run: it holds .dlt and the data folder."""

MANIFEST = json.loads(
    subprocess.run([COMMAND, "manifest"], cwd=FOLDER, check=True, stdout=subprocess.PIPE).stdout
)
RAW = [
    dg.AssetSpec(
        # As dagster-dbt calls a source of dbt: so the marts wait for the load.
        key=[source["source_name"], source["name"]],
        group_name="raw",
        description=source["description"] or None,
        kinds={"dlt"},
    )
    for source in MANIFEST["sources"].values()
]
MODELS = build_dbt_asset_specs(manifest=MANIFEST)


def run(context: dg.AssetExecutionContext, words: str) -> None:
    """Run a command; 4 is done, with rows that could not be read."""
    ended = subprocess.run([COMMAND, *words.split()], cwd=FOLDER, check=False)
    if ended.returncode not in (0, 4):
        raise dg.Failure(f"claude-warehouse {words} ended with {ended.returncode}")
    context.log.info("claude-warehouse %s ended with %d", words, ended.returncode)


@dg.multi_asset(specs=RAW, name="load", can_subset=False)
def load(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """What is missing or may have changed, of every source."""
    run(context, "sync --no-transform")
    for spec in RAW:
        yield dg.MaterializeResult(asset_key=spec.key)


@dg.multi_asset(specs=MODELS, name="build", can_subset=False)
def build(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
    """All models, tested, and published if their tests pass."""
    run(context, "transform")
    for spec in MODELS:
        yield dg.MaterializeResult(asset_key=spec.key)


@dg.asset_check(asset=["claude_marts", "data_coverage_daily"], name="what_readers_have_is_fine")
def fine() -> dg.AssetCheckResult:
    """What a monitor would hear."""
    ended = subprocess.run(
        [COMMAND, "check", "--json"], cwd=FOLDER, check=False, stdout=subprocess.PIPE
    )
    told = json.loads(ended.stdout)
    return dg.AssetCheckResult(
        passed=ended.returncode == 0,
        severity=dg.AssetCheckSeverity.WARN
        if ended.returncode == 1
        else dg.AssetCheckSeverity.ERROR,
        metadata={"reasons": dg.MetadataValue.json(told["reasons"])},
    )


nightly = dg.define_asset_job("nightly", selection="*", executor_def=dg.in_process_executor)
defs = dg.Definitions(
    assets=[load, build],
    asset_checks=[fine],
    jobs=[nightly],
    # The API opens a day at 10:30 UTC; `sync` decides by itself which days are due.
    schedules=[
        dg.ScheduleDefinition(job=nightly, cron_schedule="45 10 * * *", execution_timezone="UTC")
    ],
)
