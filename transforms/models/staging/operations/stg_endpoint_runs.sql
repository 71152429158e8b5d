-- One row per run, organisation (null: the first one) and endpoint.
select
    endpoint,
    organization_id,
    run_number,
    window_start_date,
    newest_available_date,
    outcome,
    message,
    request_count,
    {{ utc_timestamp('run_at') }} as run_at
from {{ source('claude_raw', 'endpoint_runs') }}
where {{ known_by(utc_timestamp('run_at')) }}
