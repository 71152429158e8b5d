#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.0 and pyarrow 26.0.1: a column that was made from whole numbers takes
# an Arrow table with 5.75 and stores 6. No error, no warning, no variant column.
# Expected: an error, or a second column, as dlt makes one for rows that are dicts.
# Seen: [('mon', 5), ('tue', 6)]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" RUNTIME__DLTHUB_TELEMETRY=false
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "dlt[duckdb]==1.31.0" duckdb==2.0.0 pyarrow==26.0.1
seen="$(venv/bin/python - <<'PYTHON'
import dlt
import pyarrow as pa

pipeline = dlt.pipeline("p", destination=dlt.destinations.duckdb("w.duckdb"), dataset_name="d")
for day, n in (("mon", 5), ("tue", 5.75)):
    pipeline.run(pa.table({"day": [day], "n": [n]}), table_name="t", write_disposition="append")
with pipeline.sql_client() as client:
    print(client.execute_sql("select day, n from t order by day"))
PYTHON
)"
echo "$seen"
test "$seen" = "[('mon', 5), ('tue', 6)]"
