-- One row per run and state that was noted of it.
select
    run_id,
    command,
    as_of_date,
    outcome,
    version,
    exit_code,
    request_count,
    wait_seconds,
    retry_count,
    day_count,
    row_count,
    revision_count,
    problem_count,
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('ended_at') }} as ended_at
from {{ source('claude_raw', 'runs') }}
