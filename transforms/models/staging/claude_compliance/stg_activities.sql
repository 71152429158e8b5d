-- One row per event of the activity feed. A load that broke off can have stored an event twice.
select distinct
    id as event_id,
    type as event_type,
    organization_id,
    organization_uuid,
    actor__type as actor_type,
    actor__user_id as user_id,
    actor__email_address as email,
    actor__unauthenticated_email_address as unverified_email,
    actor__api_key_id as api_key_id,
    actor__admin_api_key_id as admin_api_key_id,
    actor__service_account_id as service_account_id,
    actor__directory_id as directory_id,
    actor__subject as subject,
    actor__external_client_id as external_client_id,
    actor__service as service,
    actor__ip_address as ip_address,
    actor__user_agent as user_agent,
    attributes,
    {{ utc_timestamp('created_at') }} as event_at
from {{ source('claude_raw', 'activities') }}
