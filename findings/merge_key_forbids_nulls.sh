#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.0: a column that is a merge_key, which only says by what rows are
# deleted before new ones come, may hold no null any more, like a primary key's; even under write
# disposition append, where it is used for nothing.
# Expected: rows whose merge key is null are loaded, since nothing calls that key unique or given.
# Seen: without a key ['mon', None]; merge_key day stopped in normalize
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" RUNTIME__DLTHUB_TELEMETRY=false RUNTIME__LOG_LEVEL=CRITICAL
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "dlt[duckdb]==1.31.0" duckdb==2.0.0
seen="$(venv/bin/python - <<'PYTHON'
import dlt
from dlt.pipeline.exceptions import PipelineStepFailed


def load(name, key):
    pipeline = dlt.pipeline(
        name,
        destination=dlt.destinations.duckdb(f"{name}.duckdb"),
        dataset_name="d",
        pipelines_dir="state",
    )
    rows = dlt.resource(
        [{"day": "mon", "n": 1}, {"day": None, "n": 2}],
        name="t",
        write_disposition="append",
        merge_key=key,
    )
    try:
        pipeline.run(rows)
    except PipelineStepFailed as failure:
        return f"stopped in {failure.step}"
    with pipeline.sql_client() as client:
        return [day for (day,) in client.execute_sql("select day from t order by n")]


print("without a key", load("without", None))
print("merge_key day", load("with_key", "day"))
PYTHON
)"
echo "$seen"
test "$seen" = "without a key ['mon', None]
merge_key day stopped in normalize"
