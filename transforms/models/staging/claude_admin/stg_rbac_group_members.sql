-- One row per group, member and period in which the member was in it.
select
    rbac_group_id,
    user_id,
    email,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('_dlt_valid_from') }} as valid_from_at,
    {{ utc_timestamp('_dlt_valid_to') }} as valid_until_at
from {{ source('claude_raw', 'rbac_group_members') }}
