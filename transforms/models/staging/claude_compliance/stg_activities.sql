-- One row per event of the activity feed, as the newest window has it.
with

events as (
    select
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
        actor__provider as provider,
        actor__issuer as issuer,
        actor__audience as audience,
        actor__idp_connection_type as idp_connection_type,
        actor__workos_event_id as workos_event_id,
        actor__kid_hash as kid_hash,
        actor__ip_address as ip_address,
        actor__user_agent as user_agent,
        attributes,
        {{ utc_timestamp('created_at') }} as event_at,
        row_number() over (partition by id order by version desc, attributes asc) as versions_since
    from {{ counting_rows('activities', none) }}
)

select
    event_id,
    event_type,
    organization_id,
    organization_uuid,
    actor_type,
    user_id,
    email,
    unverified_email,
    api_key_id,
    admin_api_key_id,
    service_account_id,
    directory_id,
    subject,
    external_client_id,
    service,
    provider,
    issuer,
    audience,
    idp_connection_type,
    workos_event_id,
    kid_hash,
    ip_address,
    user_agent,
    attributes,
    event_at
from events
where versions_since = 1
