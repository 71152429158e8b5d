-- One row per invitation and period in which it was the same.
select
    id as invite_id,
    email,
    role,
    status,
    rbac_group_ids,
    {{ utc_timestamp('invited_at') }} as invited_at,
    {{ utc_timestamp('expires_at') }} as expires_at,
    {{ utc_timestamp('accepted_at') }} as accepted_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('invites') }}
