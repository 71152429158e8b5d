#!/usr/bin/env bash
# dbt-core 1.11.16 with dbt-duckdb 1.11.1 and duckdb 2.0.0: an incremental model by delete+insert,
# unique_key 'day'. A day whose source has no rows any more keeps its old ones, and rows whose day
# is null are added again by each run.
# Expected, as a full rebuild gives: mon and one row without a day.
# Seen after three runs, of which the second and third no longer have tuesday:
#   [('mon', 1), ('tue', 2), (None, 3), (None, 3), (None, 3)]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder" DBT_SEND_ANONYMOUS_USAGE_STATS=false
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 duckdb==2.0.0
mkdir models
cat > dbt_project.yml <<'YAML'
name: p
version: "1.0"
profile: p
YAML
cat > profiles.yml <<'YAML'
p: {target: d, outputs: {d: {type: duckdb, path: w.duckdb}}}
YAML
cat > models/days.sql <<'SQL'
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}
select day, n from raw.events
SQL
seen="$(PATH="$folder/venv/bin:$PATH" venv/bin/python - <<'PYTHON'
import subprocess

import duckdb


def sql(*queries):
    with duckdb.connect("w.duckdb") as warehouse:
        for query in queries:
            rows = warehouse.execute(query).fetchall()
    return rows


def build():
    subprocess.run(["dbt", "build", "--quiet"], check=True, stdout=subprocess.DEVNULL)


sql(
    "create schema raw",
    "create table raw.events (day varchar, n bigint)",
    "insert into raw.events values ('mon', 1), ('tue', 2), (null, 3)",
)
build()
sql("delete from raw.events where day = 'tue'")
build()
build()
print(sql("select day, n from days order by day, n"))
PYTHON
)"
echo "$seen"
test "$seen" = "[('mon', 1), ('tue', 2), (None, 3), (None, 3), (None, 3)]"
