-- One row per further organisation of the Console, API key and period in which it was the same.
select
    organization_id,
    id as api_key_id,
    name as api_key_name,
    case when principal__user_id is null and created_by__type = 'user' then created_by__id else principal__user_id end
        as owner_user_id,
    valid_from_at,
    valid_until_at
from {{ roster_rows('api_keys', is_further=true) }}
