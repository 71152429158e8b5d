-- One row per file or answer of the export API, and per workspace and period that it tells of, as it stands now.
with

exports as (
    select * from {{ source('claude_raw', 'langdock_exports') }}
    where outcome <> 'kept_apart' and {{ known_by(utc_timestamp('noted_at')) }}
),

complete_loads as (
    select * from {{ ref('stg_dlt_loads') }}
    where status = 0
),

exports_in_order as (
    select
        exports.*,
        row_number() over (partition by export_id order by fetch_number desc) as changes_since
    from exports
    where _dlt_load_id in (select complete_loads.load_id from complete_loads)
)

select
    export_id,
    slot,
    org_id,
    period_start as period_start_date,
    period_end as period_end_date,
    entity,
    group_by,
    source_name,
    file_hash,
    _dlt_load_id as load_id,
    version,
    outcome,
    message,
    skipped_reasons,
    columns_present,
    undeclared_fields,
    row_count,
    skipped_row_count,
    {{ utc_timestamp('exported_at') }} as exported_at,
    {{ utc_timestamp('read_at') }} as read_at
from exports_in_order
where changes_since = 1
