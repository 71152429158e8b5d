-- One row per file or answer of the export API, and per workspace and period that it tells of.
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
    outcome,
    message,
    skipped_reasons,
    columns_present,
    undeclared_fields,
    row_count,
    skipped_row_count,
    {{ utc_timestamp('exported_at') }} as exported_at,
    {{ utc_timestamp('read_at') }} as read_at
from {{ source('claude_raw', 'langdock_exports') }}
