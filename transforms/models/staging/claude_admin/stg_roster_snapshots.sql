-- One row per snapshot, organisation (null: the first one) and roster table; counts only if its load is complete in
-- stg_dlt_loads.
select
    roster_table,
    organization_id,
    _dlt_load_id as load_id,
    fetch_number,
    version,
    outcome,
    row_count,
    {{ utc_timestamp('snapshot_at') }} as snapshot_at
from {{ source('claude_raw', 'roster_snapshots') }}
where {{ known_by(utc_timestamp('snapshot_at')) }}
