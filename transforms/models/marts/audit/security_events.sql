-- One row per event of the activity feed.
with

activities as (
    select * from {{ ref('stg_activities') }}
),

event_types as (
    select * from {{ ref('int_event_types') }}
),

with_category as (
    select
        activities.event_id,
        cast(activities.event_at as date) as event_date,
        coalesce(activities.event_type, 'unknown') as event_type,
        event_types.category,
        activities.actor_type,
        coalesce(
            activities.user_id,
            activities.api_key_id,
            activities.admin_api_key_id,
            activities.service_account_id,
            activities.directory_id,
            activities.subject,
            activities.external_client_id,
            activities.service
        ) as actor_id,
        activities.user_id,
        coalesce(activities.email, activities.unverified_email) as actor_email,
        nullif({{ json_of_texts(
            ['provider', 'issuer', 'audience', 'idp_connection_type', 'workos_event_id', 'kid_hash']
        ) }}, '{}') as actor_identity_provider,
        coalesce(
            {{ json_text('activities.attributes', 'user_id') }},
            {{ json_text('activities.attributes', 'deleted_user_id') }},
            {{ json_text('activities.attributes', 'new_owner_id') }},
            {{ json_text('activities.attributes', 'principal_id') }},
            {{ json_text('activities.attributes', 'target_id') }},
            {{ json_text('activities.attributes', 'api_key_id') }},
            {{ json_text('activities.attributes', 'admin_api_key_id') }},
            {{ json_text('activities.attributes', 'service_key_id') }},
            {{ json_text('activities.attributes', 'signing_key_id') }},
            {{ json_text('activities.attributes', 'invite_id') }},
            {{ json_text('activities.attributes', 'group_id') }},
            {{ json_text('activities.attributes', 'role_id') }},
            {{ json_text('activities.attributes', 'claude_file_id') }},
            {{ json_text('activities.attributes', 'file_id') }},
            {{ json_text('activities.attributes', 'mcp_server_id') }},
            {{ json_text('activities.attributes', 'claude_artifact_id') }},
            {{ json_text('activities.attributes', 'claude_chat_id') }},
            {{ json_text('activities.attributes', 'claude_project_id') }},
            {{ json_text('activities.attributes', 'workspace_id') }}
        ) as target_id,
        activities.ip_address,
        activities.user_agent,
        activities.organization_id,
        activities.organization_uuid,
        activities.attributes,
        activities.event_at
    from activities
    inner join event_types on coalesce(activities.event_type, 'unknown') = event_types.event_type
)

select * from with_category
