-- One row per group and period in which its managed settings were the same; texts are hashed.
select
    rbac_group_id,
    rbac_group_status__type as group_status,
    settings,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('claude_code_group_settings') }}
