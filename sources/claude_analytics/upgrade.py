"""Days as an earlier release stored them, with rows that each fetch replaced, as versions."""

import dlt

from sources.claude_analytics.endpoints import EVERY_ENDPOINT
from sources.ledger import (
    COMPLETE,
    add_columns,
    add_version_columns,
    change,
    highest_number,
    known_columns,
    number_columns,
    stored,
)


def upgrade(pipeline: dlt.Pipeline) -> None:
    """Number the fetches by their time, and give the rows that are there the version that counts.

    The rows of an earlier fetch are gone, unless it brought the same ones as the newest.
    """
    known = known_columns(pipeline)
    if "loaded_days" not in known:
        return
    texts = dict.fromkeys(("rejected_hash", "organization_id"), "varchar")
    add_columns(pipeline, known, "loaded_days", {**number_columns(), **texts})
    tables = sorted({endpoint.table for endpoint in EVERY_ENDPOINT} & known.keys())
    add_version_columns(pipeline, known, "loaded_days", tables)
    if not stored(pipeline, "select 1 from loaded_days where fetch_number is null limit 1"):
        return
    before = highest_number(pipeline)
    counting = f"""
        select endpoint, activity_date, max(version) as version
        from loaded_days
        where fetch_number in (
            select max(fetch_number) from loaded_days
            where {COMPLETE}
            group by endpoint, activity_date
        )
        group by endpoint, activity_date
    """
    change(
        pipeline,
        [
            f"""
            update loaded_days
            set fetch_number = numbered.fetch_number, version = numbered.version
            from (
                select
                    _dlt_id,
                    fetch_number,
                    -- Of fetches in a row that brought the same, the first one's.
                    coalesce(
                        max(case when is_new then fetch_number end) over (
                            partition by endpoint, activity_date, is_complete
                            order by fetch_number
                            rows between unbounded preceding and current row
                        ),
                        fetch_number
                    ) as version
                from (
                    select
                        *,
                        not is_complete
                        or rejected_row_count > 0
                        or rows_hash is distinct from lag(rows_hash) over (
                            partition by endpoint, activity_date, is_complete
                            order by fetch_number
                        ) as is_new
                    from (
                        select
                            *,
                            {COMPLETE} as is_complete,
                            {before} + row_number() over (
                                order by fetched_at, activity_date, endpoint, _dlt_id
                            ) as fetch_number
                        from (
                            select
                                _dlt_id, _dlt_load_id, endpoint, activity_date, fetched_at,
                                rows_hash, rejected_row_count
                            from loaded_days
                            where fetch_number is null
                        ) as unnumbered
                    ) as in_order
                ) as compared
            ) as numbered
            where loaded_days._dlt_id = numbered._dlt_id
            """,
            *(
                f"""
                update {table} set version = counting.version
                from ({counting}) as counting
                where counting.endpoint = '{table}'
                    and {table}.activity_date = counting.activity_date
                    and {table}.version is null
                """
                for table in tables
            ),
            *(
                f"""
                update rejected_rows set version = counting.version
                from ({counting}) as counting
                where rejected_rows.endpoint = counting.endpoint
                    and rejected_rows.activity_date = counting.activity_date
                    and rejected_rows.version is null
                """
                for _ in range("rejected_rows" in known)
            ),
        ],
    )
