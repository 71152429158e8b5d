-- One row per group, member and period in which the member was in it.
select
    rbac_group_id,
    user_id,
    email,
    {{ utc_timestamp('created_at') }} as created_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('rbac_group_members') }}
