#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.0: the pipeline's state keeps the folder of its first run, and a
# relative path of a DuckDB file is resolved against that one ever after. A copy of the whole
# project, run in its own folder, writes into the original's file.
# Expected: each folder's run writes into its own file, 1 row in the original and 2 in the copy.
# Seen: original 2, copy 1
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" RUNTIME__DLTHUB_TELEMETRY=false
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "dlt[duckdb]==1.31.0" duckdb==2.0.0
cat > load.py <<'PYTHON'
import dlt

pipeline = dlt.pipeline(
    "p", destination=dlt.destinations.duckdb("w.duckdb"), dataset_name="d", pipelines_dir="state"
)
pipeline.run([{"a": 1}], table_name="t")
PYTHON
mkdir original
(cd original && ../venv/bin/python ../load.py)
cp -r original copy
(cd copy && ../venv/bin/python ../load.py)
seen="$(venv/bin/python - <<'PYTHON'
import duckdb

for name in ("original", "copy"):
    with duckdb.connect(f"{name}/w.duckdb", read_only=True) as warehouse:
        print(name, warehouse.execute("select count(*) from d.t").fetchone()[0], end=" ")
PYTHON
)"
echo "$seen"
test "$seen" = "original 2 copy 1 "
