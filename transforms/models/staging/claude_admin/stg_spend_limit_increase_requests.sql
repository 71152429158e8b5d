-- One row per request for a higher limit and period in which it was the same.
select
    id as request_id,
    actor__user_id as user_id,
    period,
    status,
    coalesce(resolved_by__user_id, resolved_by__scoped_api_key_id) as resolved_by_id,
    resolved_by__user_id as resolved_by_user_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('resolved_at') }} as resolved_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('spend_limit_increase_requests') }}
