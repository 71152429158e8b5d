-- One row per address that events are sent to and period in which it was the same.
select
    id as webhook_id,
    name as webhook_name,
    url,
    state,
    disabled_reason,
    enabled_events,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('organization_webhooks') }}
