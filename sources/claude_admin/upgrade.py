"""Rosters as an earlier release stored them, as periods of validity, as snapshots' changes."""

from collections.abc import Iterator

import dlt

from sources.claude_admin.endpoints import ROSTERS
from sources.ledger import (
    add_columns,
    add_version_columns,
    change,
    highest_number,
    known_columns,
    number_columns,
    stored,
)
from sources.roster_versions import row_hash

ROWS_AT_ONCE = 1_000


def upgrade(pipeline: dlt.Pipeline) -> None:
    """Number the snapshots by their time; a period's beginning and end become changes of theirs."""
    known = known_columns(pipeline)
    if "roster_snapshots" not in known:
        return
    tables = [roster.table for roster in ROSTERS if roster.table in known]
    for table in tables:
        if "version" not in known[table]:
            with pipeline.sql_client() as warehouse:
                warehouse.execute_sql(f"alter table {table} alter _dlt_valid_from drop not null")
        add_columns(pipeline, known, table, {"row_hash": "varchar", "is_gone": "boolean"})
    texts = dict.fromkeys(("rows_hash", "outcome", "organization_id"), "varchar")
    of_snapshots = {**number_columns(), **texts}
    add_columns(pipeline, known, "roster_snapshots", of_snapshots)
    add_version_columns(pipeline, known, "roster_snapshots", tables)
    if not stored(pipeline, "select 1 from roster_snapshots where fetch_number is null limit 1"):
        return
    before = highest_number(pipeline)
    change(
        pipeline,
        [
            f"""
            update roster_snapshots
            set fetch_number = numbered.fetch_number,
                version = numbered.fetch_number,
                outcome = case when row_count > 0 then 'loaded' else 'empty' end
            from (
                select
                    _dlt_id,
                    {before} + row_number() over (order by snapshot_at, roster_table, _dlt_id)
                        as fetch_number
                from roster_snapshots
                where fetch_number is null
            ) as numbered
            where roster_snapshots._dlt_id = numbered._dlt_id
            """,
            *(statement for table in tables for statement in _statements(pipeline, table)),
            *(_unchanged(table) for table in tables),
        ],
    )


def _statements(pipeline: dlt.Pipeline, table: str) -> Iterator[str]:
    [roster] = [roster for roster in ROSTERS if roster.table == table]
    columns = [name for name in (*roster.columns, "undeclared_fields")]
    there = known_columns(pipeline)[table]
    names = ", ".join(["_dlt_id", *(name for name in columns if name in there)])
    rows = stored(pipeline, f"select {names} from {table} where row_hash is null")
    for first in range(0, len(rows), ROWS_AT_ONCE):
        values = ", ".join(
            f"('{row.pop('_dlt_id')}', '{row_hash(row)}')"
            for row in rows[first : first + ROWS_AT_ONCE]
        )
        yield f"""
            update {table} set row_hash = hashes.row_hash, is_gone = false
            from (values {values}) as hashes(id, row_hash)
            where {table}._dlt_id = hashes.id
        """
    at = f"roster_snapshots.roster_table = '{table}' and roster_snapshots.snapshot_at"
    yield f"""
        insert into {table} (row_hash, is_gone, version, _dlt_id, _dlt_load_id)
        select
            {table}.row_hash, true, roster_snapshots.version, {table}._dlt_id || '_gone',
            {table}._dlt_load_id
        from {table}
        inner join roster_snapshots on {at} = {table}._dlt_valid_to
        where {table}.version is null
    """
    yield f"""
        update {table} set version = roster_snapshots.version
        from roster_snapshots
        where {at} = {table}._dlt_valid_from and {table}.version is null
    """


def _unchanged(table: str) -> str:
    """Of snapshots in a row that brought the same, the first one's version counts."""
    return f"""
        update roster_snapshots set version = counting.version
        from (
            select
                snapshots._dlt_id,
                max(changes.version) as version
            from roster_snapshots as snapshots
            inner join (select distinct version from {table}) as changes
                on changes.version <= snapshots.fetch_number
            where snapshots.roster_table = '{table}'
            group by snapshots._dlt_id
        ) as counting
        where roster_snapshots._dlt_id = counting._dlt_id
    """
