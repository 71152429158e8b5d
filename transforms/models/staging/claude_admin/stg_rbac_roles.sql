-- One row per role and period in which it was the same.
select
    id as rbac_role_id,
    display_name as role_name,
    source__type as source_type,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('rbac_roles') }}
