-- One row per UTC day and connector used. Unified chat and Cowork is counted in.
with

connectors as (
    select * from {{ ref('stg_connectors') }}
),

-- Unified mode is absent where it is not offered; an absent part adds nothing.
by_product as (
    select
        connectors.*,
        chat_conversation_count + coalesce(unified_chat_conversation_count, 0) as all_chat_conversation_count,
        cowork_session_count + coalesce(unified_cowork_session_count, 0) as all_cowork_session_count,
        excel_session_count + outlook_session_count + powerpoint_session_count + word_session_count
            as office_session_count
    from connectors
),

by_name as (
    select
        activity_date,
        connector_name,
        max(connector_display_name) as connector_display_name,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        {{ unless_repeated('distinct_individual_auth_user_count') }} as distinct_individual_auth_user_count,
        {{ unless_repeated('distinct_managed_auth_user_count') }} as distinct_managed_auth_user_count,
        cast({{ sum_of_known('read_call_count') }} as bigint) as read_call_count,
        cast({{ sum_of_known('write_call_count') }} as bigint) as write_call_count,
        cast({{ sum_of_known('unclassified_call_count') }} as bigint) as unclassified_call_count,
        {{ unless_repeated('all_chat_conversation_count') }} as chat_conversation_count,
        {{ unless_repeated('claude_code_session_count') }} as claude_code_session_count,
        {{ unless_repeated('all_cowork_session_count') }} as cowork_session_count,
        {{ unless_repeated('office_session_count') }} as office_session_count
    from by_product
    group by activity_date, connector_name
)

select * from by_name
