-- One row per member and period in which the roster said the same of them.
select
    id as user_id,
    email,
    name,
    role,
    {{ utc_timestamp('added_at') }} as added_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('members') }}
