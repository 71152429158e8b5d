-- One row per UTC day, user and product used. Unified chat and Cowork is in chat and cowork.
with

user_days as (
    select * from {{ ref('int_user_days') }}
),

product_days as (
    select
        activity_date,
        user_id,
        'chat' as product,
        chat_message_count as message_count,
        chat_thinking_message_count as thinking_message_count,
        chat_conversation_count as conversation_count,
        cast(null as bigint) as session_count,
        distinct_chat_projects_used_count as projects_used_count,
        chat_projects_created_count as projects_created_count,
        chat_artifacts_created_count as artifacts_created_count,
        chat_files_uploaded_count as files_uploaded_count,
        cast(null as bigint) as skills_used_count,
        chat_connectors_used_count as connectors_used_count,
        distinct_chat_skills_used_count as distinct_skills_used_count,
        distinct_chat_connectors_used_count as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_chat as is_active,
        (
            chat_message_count > 0
            or chat_thinking_message_count > 0
            or chat_conversation_count > 0
            or distinct_chat_projects_used_count > 0
            or chat_projects_created_count > 0
            or chat_artifacts_created_count > 0
            or chat_files_uploaded_count > 0
            or chat_shared_conversations_viewed_count > 0
            or distinct_chat_shared_artifacts_viewed_count > 0
            or chat_connectors_used_count > 0
            or distinct_chat_skills_used_count > 0
            or distinct_chat_connectors_used_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'claude_code' as product,
        cast(null as bigint) as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        claude_code_session_count as session_count,
        cast(null as bigint) as projects_used_count,
        cast(null as bigint) as projects_created_count,
        claude_code_artifacts_created_count as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        cast(null as bigint) as skills_used_count,
        cast(null as bigint) as connectors_used_count,
        cast(null as bigint) as distinct_skills_used_count,
        cast(null as bigint) as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_claude_code as is_active,
        (
            claude_code_session_count > 0
            or claude_code_artifacts_created_count > 0
            or commit_count > 0
            or pull_request_count > 0
            or lines_added_count > 0
            or lines_removed_count > 0
            or tool_accepted_count > 0
            or tool_rejected_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'cowork' as product,
        cowork_message_count as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        cowork_session_count as session_count,
        cast(null as bigint) as projects_used_count,
        cast(null as bigint) as projects_created_count,
        cowork_artifacts_created_count as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        cowork_skills_used_count as skills_used_count,
        cowork_connectors_used_count as connectors_used_count,
        distinct_cowork_skills_used_count as distinct_skills_used_count,
        distinct_cowork_connectors_used_count as distinct_connectors_used_count,
        cowork_plugins_used_count as plugins_used_count,
        distinct_cowork_plugins_used_count as distinct_plugins_used_count,
        cowork_action_count as action_count,
        is_active_in_cowork as is_active,
        (
            cowork_message_count > 0
            or cowork_session_count > 0
            or cowork_artifacts_created_count > 0
            or cowork_skills_used_count > 0
            or cowork_connectors_used_count > 0
            or distinct_cowork_skills_used_count > 0
            or distinct_cowork_connectors_used_count > 0
            or cowork_action_count > 0
            or cowork_dispatch_turn_count > 0
            or cowork_plugins_used_count > 0
            or distinct_cowork_plugins_used_count > 0
            or cowork_file_edit_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'office_agent' as product,
        office_message_count as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        office_session_count as session_count,
        cast(null as bigint) as projects_used_count,
        cast(null as bigint) as projects_created_count,
        cast(null as bigint) as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        office_skills_used_count as skills_used_count,
        office_connectors_used_count as connectors_used_count,
        distinct_office_skills_used_count as distinct_skills_used_count,
        distinct_office_connectors_used_count as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_office as is_active,
        (
            office_message_count > 0
            or office_session_count > 0
            or office_skills_used_count > 0
            or office_connectors_used_count > 0
            or distinct_office_skills_used_count > 0
            or distinct_office_connectors_used_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'claude_design' as product,
        design_message_count as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        design_session_count as session_count,
        distinct_design_projects_used_count as projects_used_count,
        design_projects_created_count as projects_created_count,
        cast(null as bigint) as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        cast(null as bigint) as skills_used_count,
        cast(null as bigint) as connectors_used_count,
        cast(null as bigint) as distinct_skills_used_count,
        cast(null as bigint) as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_design as is_active,
        (
            design_message_count > 0
            or design_session_count > 0
            or distinct_design_projects_used_count > 0
            or design_projects_created_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'science' as product,
        science_message_count as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        science_session_count as session_count,
        cast(null as bigint) as projects_used_count,
        cast(null as bigint) as projects_created_count,
        cast(null as bigint) as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        science_skills_used_count as skills_used_count,
        cast(null as bigint) as connectors_used_count,
        cast(null as bigint) as distinct_skills_used_count,
        cast(null as bigint) as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_science as is_active,
        (
            science_message_count > 0
            or science_session_count > 0
            or science_skills_used_count > 0
            or science_delegation_count > 0
            or science_remote_compute_job_count > 0
        ) as is_used
    from user_days
    union all
    select
        activity_date,
        user_id,
        'claude_tag' as product,
        claude_tag_message_count as message_count,
        cast(null as bigint) as thinking_message_count,
        cast(null as bigint) as conversation_count,
        cast(null as bigint) as session_count,
        cast(null as bigint) as projects_used_count,
        cast(null as bigint) as projects_created_count,
        cast(null as bigint) as artifacts_created_count,
        cast(null as bigint) as files_uploaded_count,
        cast(null as bigint) as skills_used_count,
        cast(null as bigint) as connectors_used_count,
        cast(null as bigint) as distinct_skills_used_count,
        cast(null as bigint) as distinct_connectors_used_count,
        cast(null as bigint) as plugins_used_count,
        cast(null as bigint) as distinct_plugins_used_count,
        cast(null as bigint) as action_count,
        is_active_in_claude_tag as is_active,
        (
            claude_tag_message_count > 0
            or claude_tag_active_day_count > 0
        ) as is_used
    from user_days
),

used_products as (
    select
        activity_date,
        user_id,
        product,
        cast(sum(message_count) as bigint) as message_count,
        cast(sum(thinking_message_count) as bigint) as thinking_message_count,
        {{ unless_repeated('conversation_count') }} as conversation_count,
        {{ unless_repeated('session_count') }} as session_count,
        {{ unless_repeated('projects_used_count') }} as projects_used_count,
        cast(sum(projects_created_count) as bigint) as projects_created_count,
        cast(sum(artifacts_created_count) as bigint) as artifacts_created_count,
        {{ unless_repeated('files_uploaded_count') }} as files_uploaded_count,
        cast(sum(skills_used_count) as bigint) as skills_used_count,
        cast(sum(connectors_used_count) as bigint) as connectors_used_count,
        {{ unless_repeated('distinct_skills_used_count') }} as distinct_skills_used_count,
        {{ unless_repeated('distinct_connectors_used_count') }} as distinct_connectors_used_count,
        cast(sum(plugins_used_count) as bigint) as plugins_used_count,
        {{ unless_repeated('distinct_plugins_used_count') }} as distinct_plugins_used_count,
        cast(sum(action_count) as bigint) as action_count,
        max(case when is_active then 1 else 0 end) = 1 as is_active
    from product_days
    where is_used
    group by activity_date, user_id, product
),

-- Chat reports distinct skills but no skill uses; the distinct ones are the only number there is.
with_chat_skills as (
    select
        activity_date,
        user_id,
        product,
        message_count,
        thinking_message_count,
        conversation_count,
        session_count,
        projects_used_count,
        projects_created_count,
        artifacts_created_count,
        files_uploaded_count,
        coalesce(skills_used_count, distinct_skills_used_count) as skills_used_count,
        connectors_used_count,
        distinct_skills_used_count,
        distinct_connectors_used_count,
        plugins_used_count,
        distinct_plugins_used_count,
        action_count,
        is_active
    from used_products
)

select * from with_chat_skills
