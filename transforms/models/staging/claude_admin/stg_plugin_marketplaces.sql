-- One row per place from which plugins come and period in which it was the same.
select
    id as marketplace_id,
    name as marketplace_name,
    source,
    owner__type as owner_type,
    owner__user_id as owner_user_id,
    default_installation_preference,
    sync_status,
    {{ utc_timestamp('created_at') }} as created_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('plugin_marketplaces') }}
