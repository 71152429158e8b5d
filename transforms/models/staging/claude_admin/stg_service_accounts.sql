-- One row per service account and period in which it was the same.
select
    id as service_account_id,
    name as service_account_name,
    organization_role,
    created_by_actor_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('archived_at') }} as archived_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('service_accounts') }}
