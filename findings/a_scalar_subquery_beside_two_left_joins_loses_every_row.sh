#!/usr/bin/env bash
# duckdb 2.0.0: a correlated scalar subquery in the select list of two left joins, one of which meets
# nothing, and a group by with having over it: no row comes out. No error, no warning.
# Expected: 5 rows, one for each department, as without the second join.
# Seen: 0
# Here: ask with `in (select …)` where a join would only say whether there is something.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export HOME="$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0
seen="$(venv/bin/python - <<'PYTHON'
import duckdb

duckdb.sql("create table name_keys (name varchar, name_key varchar)")
duckdb.sql("create table organizations as select 'one' as id, 'enterprise' as kind")
duckdb.sql("""
    create table charges as
    select 1 as month, 'a' || i % 5 as department, i as usd, true as is_settled, 'one' as id
    from range(100) as t(i)
""")
print(len(duckdb.sql("""
    with further as (select id from organizations where kind <> 'enterprise'),
    older as (select month from charges group by month having count(is_settled) = 0),
    with_keys as (
        select
            charges.*,
            further.id as further_id,
            coalesce(
                (
                    select max(known.name_key)
                    from (select name as known_name, name_key from name_keys) as known
                    where known.known_name = department
                ),
                lower(department)
            ) as department_key,
            case when older.month is null then usd end as compared_usd
        from charges
        left join older on charges.month = older.month
        left join further on charges.id = further.id
    )
    select month, further_id, department_key, sum(usd) as usd
    from with_keys
    group by month, further_id, department_key
    having sum(usd) <> 0
""").fetchall()))
PYTHON
)"
echo "$seen"
test "$seen" = "0"
