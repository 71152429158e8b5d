-- One row per API key of the Console and period in which it was the same.
select
    id as api_key_id,
    name as api_key_name,
    status,
    case when created_by__type = 'user' then created_by__id end as creator_user_id,
    principal__user_id as principal_user_id,
    principal__service_account_id as service_account_id,
    scope__workspace_id as workspace_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('expires_at') }} as expires_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('api_keys') }}
