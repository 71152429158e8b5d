"""Exports as an earlier release stored them, whose periods replaced each other, as versions."""

import dlt

from sources.hints import VERSION_SQL
from sources.langdock import ENTITIES
from sources.langdock.entities import Cell
from sources.ledger import (
    add_columns,
    change,
    highest_number,
    known_columns,
    number_columns,
    stored,
)

SQL_TYPES = {
    Cell.DATE: "date",
    Cell.COUNT: "bigint",
    Cell.NUMBER: "decimal(38, 12)",
    Cell.BOOL: "boolean",
}


def upgrade(pipeline: dlt.Pipeline) -> None:
    """Number the exports by their time; a file is the version of all its periods."""
    known = known_columns(pipeline)
    if "langdock_exports" not in known:
        return
    noted = {**number_columns(), "noted_at": "timestamp with time zone"}
    add_columns(pipeline, known, "langdock_exports", noted)
    entities = [entity for entity in ENTITIES if entity.table in known]
    tables = [entity.table for entity in entities]
    for entity in entities:
        declared = {name: SQL_TYPES.get(c, "varchar") for name, c in entity.all_columns.items()}
        add_columns(pipeline, known, entity.table, {**declared, **VERSION_SQL})
    if not stored(pipeline, "select 1 from langdock_exports where fetch_number is null limit 1"):
        return
    change(
        pipeline,
        [
            f"""
            update langdock_exports
            set fetch_number = numbered.fetch_number, version = numbered.version,
                noted_at = read_at
            from (
                select
                    _dlt_id,
                    fetch_number,
                    min(fetch_number) over (partition by file_hash) as version
                from (
                    select
                        _dlt_id,
                        file_hash,
                        {highest_number(pipeline)} + row_number() over (
                            order by read_at, source_name, slot, _dlt_id
                        ) as fetch_number
                    from langdock_exports
                    where fetch_number is null
                ) as in_order
            ) as numbered
            where langdock_exports._dlt_id = numbered._dlt_id
            """,
            *(
                f"""
                update {table} set version = exports.version
                from (select distinct file_hash, version from langdock_exports) as exports
                where {table}.file_hash = exports.file_hash and {table}.version is null
                """
                for table in tables
            ),
            """
            update rejected_rows set version = exports.version
            from (
                select source_name, max(version) as version from langdock_exports
                group by source_name
            ) as exports
            where rejected_rows.source_name = exports.source_name
                and rejected_rows.version is null
            """,
        ],
    )
