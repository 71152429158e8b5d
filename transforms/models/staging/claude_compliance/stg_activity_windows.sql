-- One row per window of the activity feed and reading of it; counts only if its load is complete in stg_dlt_loads.
select
    _dlt_load_id as load_id,
    fetch_number,
    version,
    outcome,
    activity_count,
    {{ utc_timestamp('from_at') }} as from_at,
    {{ utc_timestamp('to_at') }} as to_at,
    {{ utc_timestamp('read_at') }} as read_at
from {{ source('claude_raw', 'activity_windows') }}
where {{ known_by(utc_timestamp('read_at')) }}
