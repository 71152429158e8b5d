#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.0 and pyarrow 26.0.1: a table was loaded from Arrow; then the parquet
# normalizer's setting add_dlt_load_id is switched on. The new column is added as NOT NULL to a
# table that has rows, and no load of it succeeds any more; the rows of before stay.
# Expected: a nullable column, null in the rows of before, as any other new column.
# Seen: loaded; stopped: Constraint Error
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" RUNTIME__DLTHUB_TELEMETRY=false RUNTIME__LOG_LEVEL=CRITICAL
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "dlt[duckdb]==1.31.0" duckdb==2.0.0 pyarrow==26.0.1
cat > load.py <<'PYTHON'
import re
import sys

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed
import pyarrow as pa

pipeline = dlt.pipeline(
    "p", destination=dlt.destinations.duckdb("w.duckdb"), dataset_name="d", pipelines_dir="state"
)
try:
    pipeline.run(pa.table({"day": [sys.argv[1]]}), table_name="t", write_disposition="append")
except PipelineStepFailed as failure:
    print("stopped:", re.search(r"\w+ Error", str(failure)).group())
else:
    print("loaded")
PYTHON
setting=NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID
seen="$(env $setting=false venv/bin/python load.py mon; env $setting=true venv/bin/python load.py tue)"
echo "$seen"
test "$seen" = "loaded
stopped: Constraint Error"
