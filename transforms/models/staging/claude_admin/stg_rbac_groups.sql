-- One row per group and period in which it was the same.
select
    id as rbac_group_id,
    name,
    source_type,
    role_ids,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    {{ utc_timestamp('_dlt_valid_from') }} as valid_from_at,
    {{ utc_timestamp('_dlt_valid_to') }} as valid_until_at
from {{ source('claude_raw', 'rbac_groups') }}
