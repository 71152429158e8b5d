-- One row per organisation (null: the first one), endpoint, UTC day and fetch; counts only if its load is complete in
-- stg_dlt_loads.
select
    endpoint,
    activity_date,
    organization_id,
    _dlt_load_id as load_id,
    fetch_number,
    version,
    outcome,
    rows_hash,
    row_count,
    rejected_row_count,
    {{ utc_timestamp('fetched_at') }} >= cast(settles_on as timestamp) as is_settled,
    {{ utc_timestamp('data_refreshed_at') }} as data_refreshed_at,
    {{ utc_timestamp('fetched_at') }} as fetched_at
from {{ source('claude_raw', 'loaded_days') }}
where {{ known_by(utc_timestamp('fetched_at')) }}
