-- One row per plugin, target with a setting of its own, and period in which it was the same.
select
    plugin_id,
    target__type as target_type,
    target__rbac_group_id as rbac_group_id,
    installation_preference,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('plugin_installation_settings') }}
