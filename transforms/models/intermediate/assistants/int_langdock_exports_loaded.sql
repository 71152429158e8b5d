-- One row per workspace, period and grouping of a Langdock export whose rows are loaded.
with

exports as (
    select * from {{ ref('stg_langdock_exports') }}
),

complete_loads as (
    select * from {{ ref('stg_dlt_loads') }}
    where status = 0
),

-- Without usage an export names no workspace.
loaded as (
    select
        slot,
        file_hash,
        coalesce(org_id, '') as org_key,
        entity,
        coalesce(group_by, '') as grouping_key,
        period_start_date,
        period_end_date,
        {{ days_from('period_start_date', 'period_end_date') }} + 1 as period_days,
        -- While the period goes on, its numbers are provisional.
        cast(exported_at as date) <= period_end_date as is_provisional,
        -- Whose lines they were is not known, so the period is not either.
        coalesce(skipped_row_count, 0) > 0 as has_skipped_rows,
        exported_at
    from exports
    where outcome = 'loaded' and load_id in (select complete_loads.load_id from complete_loads)
)

select * from loaded
