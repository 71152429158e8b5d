-- One row per member and period in which the roster said the same of them.
select
    id as user_id,
    email,
    name,
    role,
    {{ utc_timestamp('added_at') }} as added_at,
    {{ utc_timestamp('_dlt_valid_from') }} as valid_from_at,
    {{ utc_timestamp('_dlt_valid_to') }} as valid_until_at
from {{ source('claude_raw', 'members') }}
