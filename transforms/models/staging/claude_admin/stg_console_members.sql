-- One row per further organisation of the Console, member and period in which it was the same.
select
    organization_id,
    id as user_id,
    email,
    name,
    valid_from_at,
    valid_until_at
from {{ roster_rows('members', is_further=true) }}
