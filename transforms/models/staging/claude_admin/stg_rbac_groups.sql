-- One row per group and period in which it was the same.
select
    id as rbac_group_id,
    name,
    source_type,
    role_ids,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('rbac_groups') }}
