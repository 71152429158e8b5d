#!/usr/bin/env bash
# duckdb 2.0.0: where decimals of full width and different scales meet in a union (or in coalesce),
# the result has the lesser scale, and the digits beyond it are gone. No error, no warning.
# Expected: an error, or the greater scale, as a sum of the same two has it.
# Seen: [(Decimal('1.0000'),), (Decimal('2.0000'),)]
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0
seen="$(venv/bin/python - <<'PYTHON'
import duckdb

print(duckdb.sql("""
    select cast('1.00000001' as decimal(38, 8)) as usd
    union all
    select cast(2 as decimal(38, 4)) as usd
    order by 1
""").fetchall())
PYTHON
)"
echo "$seen"
test "$seen" = "[(Decimal('1.0000'),), (Decimal('2.0000'),)]"
