-- One row per plugin of a member, target that it is shared with, and period in which it was so.
select
    plugin_id,
    target__type as target_type,
    target__rbac_group_id as rbac_group_id,
    target__user_id as target_user_id,
    {{ utc_timestamp('granted_at') }} as granted_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('plugin_shares') }}
