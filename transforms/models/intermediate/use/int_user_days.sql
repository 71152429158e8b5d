-- One row per row of users: a UTC day and user, unless the API repeats one. Unified chat and Cowork is counted in.
with

users as (
    select * from {{ ref('stg_users') }}
    where user_id is not null
),

with_products as (
    select
        activity_date,
        user_id,
        {{ with_unified('chat_message_count', 'chat_message_count') }} as chat_message_count,
        {{ with_unified('chat_thinking_message_count', 'chat_message_count') }} as chat_thinking_message_count,
        {{ with_unified('chat_conversation_count', 'chat_message_count') }} as chat_conversation_count,
        {{ with_unified('chat_projects_created_count', 'chat_message_count') }} as chat_projects_created_count,
        {{ with_unified('chat_artifacts_created_count', 'chat_message_count') }} as chat_artifacts_created_count,
        {{ with_unified('chat_files_uploaded_count', 'chat_message_count') }} as chat_files_uploaded_count,
        {{ with_unified('chat_connectors_used_count', 'chat_message_count') }} as chat_connectors_used_count,
        {{ with_unified('chat_shared_conversations_viewed_count', 'chat_message_count') }}
            as chat_shared_conversations_viewed_count,
        -- Unified chat never reports it.
        case
            when coalesce(unified_chat_message_count, 0) = 0 then distinct_chat_shared_artifacts_viewed_count
        end as distinct_chat_shared_artifacts_viewed_count,
        {{ distinct_with_unified('chat_projects_used_count', 'chat_message_count') }}
            as distinct_chat_projects_used_count,
        {{ distinct_with_unified('chat_connectors_used_count', 'chat_message_count') }}
            as distinct_chat_connectors_used_count,
        {{ distinct_with_unified('chat_skills_used_count', 'chat_message_count') }} as distinct_chat_skills_used_count,
        {{ with_unified('cowork_message_count', 'cowork_message_count') }} as cowork_message_count,
        {{ with_unified('cowork_action_count', 'cowork_message_count') }} as cowork_action_count,
        {{ with_unified('cowork_dispatch_turn_count', 'cowork_message_count') }} as cowork_dispatch_turn_count,
        {{ with_unified('cowork_session_count', 'cowork_message_count') }} as cowork_session_count,
        {{ with_unified('cowork_connectors_used_count', 'cowork_message_count') }} as cowork_connectors_used_count,
        {{ with_unified('cowork_skills_used_count', 'cowork_message_count') }} as cowork_skills_used_count,
        {{ with_unified('cowork_plugins_used_count', 'cowork_message_count') }} as cowork_plugins_used_count,
        {{ with_unified('cowork_file_edit_count', 'cowork_message_count') }} as cowork_file_edit_count,
        {{ with_unified('cowork_edit_tool_count', 'cowork_message_count') }} as cowork_edit_tool_count,
        {{ with_unified('cowork_multi_edit_tool_count', 'cowork_message_count') }} as cowork_multi_edit_tool_count,
        {{ with_unified('cowork_notebook_edit_tool_count', 'cowork_message_count') }}
            as cowork_notebook_edit_tool_count,
        {{ with_unified('cowork_write_tool_count', 'cowork_message_count') }} as cowork_write_tool_count,
        {{ with_unified('cowork_session_with_file_edits_count', 'cowork_message_count') }}
            as cowork_session_with_file_edits_count,
        {{ with_unified('cowork_artifacts_created_count', 'cowork_message_count') }} as cowork_artifacts_created_count,
        {{ distinct_with_unified('cowork_connectors_used_count', 'cowork_message_count') }}
            as distinct_cowork_connectors_used_count,
        {{ distinct_with_unified('cowork_skills_used_count', 'cowork_message_count') }}
            as distinct_cowork_skills_used_count,
        {{ distinct_with_unified('cowork_plugins_used_count', 'cowork_message_count') }}
            as distinct_cowork_plugins_used_count,
        excel_message_count,
        outlook_message_count,
        powerpoint_message_count,
        word_message_count,
        excel_message_count
        + outlook_message_count
        + powerpoint_message_count
        + word_message_count as office_message_count,
        excel_session_count
        + outlook_session_count
        + powerpoint_session_count
        + word_session_count as office_session_count,
        excel_connectors_used_count
        + outlook_connectors_used_count
        + powerpoint_connectors_used_count
        + word_connectors_used_count as office_connectors_used_count,
        excel_skills_used_count
        + outlook_skills_used_count
        + powerpoint_skills_used_count
        + word_skills_used_count as office_skills_used_count,
        {{ distinct_of_parts([
            'distinct_excel_connectors_used_count',
            'distinct_outlook_connectors_used_count',
            'distinct_powerpoint_connectors_used_count',
            'distinct_word_connectors_used_count'
        ]) }} as distinct_office_connectors_used_count,
        {{ distinct_of_parts([
            'distinct_excel_skills_used_count',
            'distinct_outlook_skills_used_count',
            'distinct_powerpoint_skills_used_count',
            'distinct_word_skills_used_count'
        ]) }} as distinct_office_skills_used_count,
        web_search_count,
        commit_count,
        pull_request_count,
        lines_added_count,
        lines_removed_count,
        claude_code_session_count,
        claude_code_artifacts_created_count,
        edit_tool_accepted_count,
        edit_tool_rejected_count,
        multi_edit_tool_accepted_count,
        multi_edit_tool_rejected_count,
        notebook_edit_tool_accepted_count,
        notebook_edit_tool_rejected_count,
        write_tool_accepted_count,
        write_tool_rejected_count,
        design_message_count,
        design_projects_created_count,
        design_session_count,
        distinct_design_projects_used_count,
        science_message_count,
        science_delegation_count,
        science_remote_compute_job_count,
        science_skills_used_count,
        science_session_count,
        claude_tag_message_count,
        claude_tag_active_day_count,
        unified_chat_message_count,
        unified_chat_conversation_count,
        unified_cowork_message_count,
        unified_cowork_session_count,
        edit_tool_accepted_count
        + multi_edit_tool_accepted_count
        + notebook_edit_tool_accepted_count
        + write_tool_accepted_count as tool_accepted_count,
        edit_tool_rejected_count
        + multi_edit_tool_rejected_count
        + notebook_edit_tool_rejected_count
        + write_tool_rejected_count as tool_rejected_count,
        (
            unified_chat_message_count > 0
            or unified_cowork_message_count > 0
            or unified_cowork_session_count > 0
        ) as is_active_in_unified,
        coalesce(
            unified_chat_message_count, unified_cowork_message_count, unified_cowork_session_count
        ) is not null as is_unified_reported
    from users
),

with_product_activity as (
    select
        with_products.*,
        chat_message_count > 0 as is_active_in_chat,
        claude_code_session_count > 0 as is_active_in_claude_code,
        (cowork_session_count > 0 or cowork_message_count > 0) as is_active_in_cowork,
        office_message_count > 0 as is_active_in_office,
        design_message_count > 0 as is_active_in_design,
        science_message_count > 0 as is_active_in_science,
        claude_tag_message_count > 0 as is_active_in_claude_tag
    from with_products
),

-- Whatever is unknown, one known use is enough; without any, nobody saw the person active.
with_activity as (
    select
        with_product_activity.*,
        coalesce(
            is_active_in_chat
            or is_active_in_claude_code
            or is_active_in_cowork
            or is_active_in_office
            or is_active_in_design
            or is_active_in_science
            or is_active_in_claude_tag,
            false
        ) as is_active
    from with_product_activity
)

select * from with_activity
