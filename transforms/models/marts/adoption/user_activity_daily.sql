-- One row per UTC day and user with a row that day.
with

people as (
    select * from {{ ref('int_people') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

user_days as (
    select
        user_days.*,
        people.email,
        coalesce(department_periods.department, 'Unmapped') as department,
        department_periods.cost_center
    from {{ ref('int_user_days') }} as user_days
    inner join people on user_days.user_id = people.user_id
    left join department_periods
        on
            user_days.user_id = department_periods.user_id
            and user_days.activity_date >= department_periods.valid_from_date
            and user_days.activity_date < department_periods.valid_until_date
),

repeated_users as (
    select
        activity_date,
        user_id
    from {{ ref('int_user_days') }}
    group by activity_date, user_id
    having count(*) > 1
),

days_and_repetition as (
    select
        user_days.*,
        repeated_users.user_id is not null as is_repeated
    from user_days
    left join repeated_users
        on
            user_days.activity_date = repeated_users.activity_date
            and user_days.user_id = repeated_users.user_id
),

-- Nearly every row is the only one of its user and day: adding up only the others takes a tenth of the memory.
single_rows as (
    select
        activity_date,
        user_id,
        email,
        department,
        cost_center,
        chat_message_count,
        chat_thinking_message_count,
        chat_conversation_count,
        chat_shared_conversations_viewed_count,
        chat_projects_created_count,
        chat_artifacts_created_count,
        chat_files_uploaded_count,
        chat_connectors_used_count,
        distinct_chat_projects_used_count,
        distinct_chat_connectors_used_count,
        distinct_chat_skills_used_count,
        distinct_chat_shared_artifacts_viewed_count,
        claude_code_session_count,
        claude_code_artifacts_created_count,
        commit_count,
        pull_request_count,
        lines_added_count,
        lines_removed_count,
        tool_accepted_count,
        tool_rejected_count,
        {{ rate('tool_accepted_count', 'tool_accepted_count + tool_rejected_count') }} as tool_acceptance_rate,
        edit_tool_accepted_count,
        edit_tool_rejected_count,
        multi_edit_tool_accepted_count,
        multi_edit_tool_rejected_count,
        notebook_edit_tool_accepted_count,
        notebook_edit_tool_rejected_count,
        write_tool_accepted_count,
        write_tool_rejected_count,
        cowork_session_count,
        cowork_message_count,
        cowork_action_count,
        cowork_dispatch_turn_count,
        cowork_connectors_used_count,
        cowork_skills_used_count,
        cowork_plugins_used_count,
        cowork_artifacts_created_count,
        cowork_file_edit_count,
        cowork_edit_tool_count,
        cowork_multi_edit_tool_count,
        cowork_notebook_edit_tool_count,
        cowork_write_tool_count,
        cowork_session_with_file_edits_count,
        distinct_cowork_connectors_used_count,
        distinct_cowork_skills_used_count,
        distinct_cowork_plugins_used_count,
        unified_chat_message_count,
        unified_chat_conversation_count,
        unified_cowork_message_count,
        unified_cowork_session_count,
        office_message_count,
        excel_message_count,
        outlook_message_count,
        powerpoint_message_count,
        word_message_count,
        office_session_count,
        office_connectors_used_count,
        office_skills_used_count,
        distinct_office_connectors_used_count,
        distinct_office_skills_used_count,
        design_message_count,
        design_session_count,
        design_projects_created_count,
        distinct_design_projects_used_count,
        science_message_count,
        science_session_count,
        science_delegation_count,
        science_remote_compute_job_count,
        science_skills_used_count,
        claude_tag_message_count,
        web_search_count,
        is_active
    from days_and_repetition
    where not is_repeated
),

added_up_rows as (
    select
        activity_date,
        user_id,
        max(email) as email,
        max(department) as department,
        max(cost_center) as cost_center,
        cast(sum(chat_message_count) as bigint) as chat_message_count,
        cast(sum(chat_thinking_message_count) as bigint) as chat_thinking_message_count,
        {{ unless_repeated('chat_conversation_count') }} as chat_conversation_count,
        cast(sum(chat_shared_conversations_viewed_count) as bigint) as chat_shared_conversations_viewed_count,
        cast(sum(chat_projects_created_count) as bigint) as chat_projects_created_count,
        cast(sum(chat_artifacts_created_count) as bigint) as chat_artifacts_created_count,
        {{ unless_repeated('chat_files_uploaded_count') }} as chat_files_uploaded_count,
        cast(sum(chat_connectors_used_count) as bigint) as chat_connectors_used_count,
        {{ unless_repeated('distinct_chat_projects_used_count') }} as distinct_chat_projects_used_count,
        {{ unless_repeated('distinct_chat_connectors_used_count') }} as distinct_chat_connectors_used_count,
        {{ unless_repeated('distinct_chat_skills_used_count') }} as distinct_chat_skills_used_count,
        {{ unless_repeated('distinct_chat_shared_artifacts_viewed_count') }}
            as distinct_chat_shared_artifacts_viewed_count,
        cast(sum(claude_code_session_count) as bigint) as claude_code_session_count,
        cast(sum(claude_code_artifacts_created_count) as bigint) as claude_code_artifacts_created_count,
        cast(sum(commit_count) as bigint) as commit_count,
        cast(sum(pull_request_count) as bigint) as pull_request_count,
        cast(sum(lines_added_count) as bigint) as lines_added_count,
        cast(sum(lines_removed_count) as bigint) as lines_removed_count,
        cast(sum(tool_accepted_count) as bigint) as tool_accepted_count,
        cast(sum(tool_rejected_count) as bigint) as tool_rejected_count,
        {{ rate('sum(tool_accepted_count)', 'sum(tool_accepted_count) + sum(tool_rejected_count)') }}
            as tool_acceptance_rate,
        cast(sum(edit_tool_accepted_count) as bigint) as edit_tool_accepted_count,
        cast(sum(edit_tool_rejected_count) as bigint) as edit_tool_rejected_count,
        cast(sum(multi_edit_tool_accepted_count) as bigint) as multi_edit_tool_accepted_count,
        cast(sum(multi_edit_tool_rejected_count) as bigint) as multi_edit_tool_rejected_count,
        cast(sum(notebook_edit_tool_accepted_count) as bigint) as notebook_edit_tool_accepted_count,
        cast(sum(notebook_edit_tool_rejected_count) as bigint) as notebook_edit_tool_rejected_count,
        cast(sum(write_tool_accepted_count) as bigint) as write_tool_accepted_count,
        cast(sum(write_tool_rejected_count) as bigint) as write_tool_rejected_count,
        {{ unless_repeated('cowork_session_count') }} as cowork_session_count,
        cast(sum(cowork_message_count) as bigint) as cowork_message_count,
        cast(sum(cowork_action_count) as bigint) as cowork_action_count,
        cast(sum(cowork_dispatch_turn_count) as bigint) as cowork_dispatch_turn_count,
        cast(sum(cowork_connectors_used_count) as bigint) as cowork_connectors_used_count,
        cast(sum(cowork_skills_used_count) as bigint) as cowork_skills_used_count,
        cast(sum(cowork_plugins_used_count) as bigint) as cowork_plugins_used_count,
        cast(sum(cowork_artifacts_created_count) as bigint) as cowork_artifacts_created_count,
        cast(sum(cowork_file_edit_count) as bigint) as cowork_file_edit_count,
        cast(sum(cowork_edit_tool_count) as bigint) as cowork_edit_tool_count,
        cast(sum(cowork_multi_edit_tool_count) as bigint) as cowork_multi_edit_tool_count,
        cast(sum(cowork_notebook_edit_tool_count) as bigint) as cowork_notebook_edit_tool_count,
        cast(sum(cowork_write_tool_count) as bigint) as cowork_write_tool_count,
        {{ unless_repeated('cowork_session_with_file_edits_count') }} as cowork_session_with_file_edits_count,
        {{ unless_repeated('distinct_cowork_connectors_used_count') }} as distinct_cowork_connectors_used_count,
        {{ unless_repeated('distinct_cowork_skills_used_count') }} as distinct_cowork_skills_used_count,
        {{ unless_repeated('distinct_cowork_plugins_used_count') }} as distinct_cowork_plugins_used_count,
        cast(sum(unified_chat_message_count) as bigint) as unified_chat_message_count,
        {{ unless_repeated('unified_chat_conversation_count') }} as unified_chat_conversation_count,
        cast(sum(unified_cowork_message_count) as bigint) as unified_cowork_message_count,
        {{ unless_repeated('unified_cowork_session_count') }} as unified_cowork_session_count,
        cast(sum(office_message_count) as bigint) as office_message_count,
        cast(sum(excel_message_count) as bigint) as excel_message_count,
        cast(sum(outlook_message_count) as bigint) as outlook_message_count,
        cast(sum(powerpoint_message_count) as bigint) as powerpoint_message_count,
        cast(sum(word_message_count) as bigint) as word_message_count,
        {{ unless_repeated('office_session_count') }} as office_session_count,
        cast(sum(office_connectors_used_count) as bigint) as office_connectors_used_count,
        cast(sum(office_skills_used_count) as bigint) as office_skills_used_count,
        {{ unless_repeated('distinct_office_connectors_used_count') }} as distinct_office_connectors_used_count,
        {{ unless_repeated('distinct_office_skills_used_count') }} as distinct_office_skills_used_count,
        cast(sum(design_message_count) as bigint) as design_message_count,
        {{ unless_repeated('design_session_count') }} as design_session_count,
        cast(sum(design_projects_created_count) as bigint) as design_projects_created_count,
        {{ unless_repeated('distinct_design_projects_used_count') }} as distinct_design_projects_used_count,
        cast(sum(science_message_count) as bigint) as science_message_count,
        {{ unless_repeated('science_session_count') }} as science_session_count,
        cast(sum(science_delegation_count) as bigint) as science_delegation_count,
        cast(sum(science_remote_compute_job_count) as bigint) as science_remote_compute_job_count,
        cast(sum(science_skills_used_count) as bigint) as science_skills_used_count,
        cast(sum(claude_tag_message_count) as bigint) as claude_tag_message_count,
        cast(sum(web_search_count) as bigint) as web_search_count,
        max(case when is_active then 1 else 0 end) = 1 as is_active
    from days_and_repetition
    where is_repeated
    group by activity_date, user_id
),

all_rows as (
    select * from single_rows
    union all
    select * from added_up_rows
)

select * from all_rows
