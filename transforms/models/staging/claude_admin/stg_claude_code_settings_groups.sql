-- One row per group that has managed settings and period in which it was the same.
select
    rbac_group_id,
    rbac_group_status__type as group_status,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('claude_code_settings_groups') }}
