#!/usr/bin/env bash
# duckdb 2.0.0: deleting every second block of 1,000 rows of 2,000,000, then a checkpoint, makes
# the file half as large again; vacuum and one more checkpoint give nothing back.
# Expected: a smaller file, or at least one of the same size. Only a fresh file is smaller.
# Seen: larger after delete: True; smaller after vacuum: False; smaller as a copy: True
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0
seen="$(venv/bin/python - <<'PYTHON'
import os

import duckdb

warehouse = duckdb.connect("w.duckdb")


def size(*queries):
    for query in (*queries, "checkpoint"):
        warehouse.execute(query)
    return os.path.getsize("w.duckdb")


before = size(
    "create table t as select i // 1000 as version, i as n,"
    " hash(i)::varchar || hash(i + 1)::varchar as text from range(2000000) as rows (i)"
)
deleted = size("delete from t where version % 2 = 0")
vacuumed = size("vacuum")
warehouse.execute("attach 'copy.duckdb' as fresh")
warehouse.execute("copy from database w to fresh")
warehouse.execute("detach fresh")
print("larger after delete:", deleted > 1.2 * before, end="; ")
print("smaller after vacuum:", vacuumed < deleted, end="; ")
print("smaller as a copy:", os.path.getsize("copy.duckdb") < 0.7 * before)
PYTHON
)"
echo "$seen"
test "$seen" = "larger after delete: True; smaller after vacuum: False; smaller as a copy: True"
