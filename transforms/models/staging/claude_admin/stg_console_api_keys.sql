-- One row per further organisation of the Console, API key and period in which it was the same.
select
    organization_id,
    id as api_key_id,
    name as api_key_name,
    status,
    case
        when principal__service_account_id is not null then null
        when principal__user_id is not null then principal__user_id
        when created_by__type = 'user' then created_by__id
    end as owner_user_id,
    principal__service_account_id as service_account_id,
    scope__workspace_id as workspace_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('expires_at') }} as expires_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('api_keys', is_further=true) }}
