-- One row per UTC day and user with a row that day.
with

user_days as (
    select * from {{ ref('int_user_days') }}
),

people as (
    select * from {{ ref('int_people') }}
),

activity as (
    select
        activity_date,
        user_id,
        max(case when is_active then 1 else 0 end) = 1 as is_active,
        cast(sum(chat_message_count) as bigint) as chat_message_count,
        cast(sum(chat_thinking_message_count) as bigint) as chat_thinking_message_count,
        {{ unless_repeated('chat_conversation_count') }} as chat_conversation_count,
        cast(sum(claude_code_session_count) as bigint) as claude_code_session_count,
        cast(sum(commit_count) as bigint) as commit_count,
        cast(sum(pull_request_count) as bigint) as pull_request_count,
        cast(sum(lines_added_count) as bigint) as lines_added_count,
        cast(sum(lines_removed_count) as bigint) as lines_removed_count,
        cast(sum(tool_accepted_count) as bigint) as tool_accepted_count,
        cast(sum(tool_rejected_count) as bigint) as tool_rejected_count,
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
        cast(sum(office_message_count) as bigint) as office_message_count,
        cast(sum(design_message_count) as bigint) as design_message_count,
        cast(sum(science_message_count) as bigint) as science_message_count,
        cast(sum(claude_tag_message_count) as bigint) as claude_tag_message_count,
        cast(sum(web_search_count) as bigint) as web_search_count
    from user_days
    group by activity_date, user_id
),

with_email as (
    select
        activity.activity_date,
        activity.user_id,
        people.email,
        activity.chat_message_count,
        activity.chat_thinking_message_count,
        activity.chat_conversation_count,
        activity.claude_code_session_count,
        activity.commit_count,
        activity.pull_request_count,
        activity.lines_added_count,
        activity.lines_removed_count,
        activity.tool_accepted_count,
        activity.tool_rejected_count,
        {{ rate('activity.tool_accepted_count', 'activity.tool_accepted_count + activity.tool_rejected_count') }}
            as tool_acceptance_rate,
        activity.edit_tool_accepted_count,
        activity.edit_tool_rejected_count,
        activity.multi_edit_tool_accepted_count,
        activity.multi_edit_tool_rejected_count,
        activity.notebook_edit_tool_accepted_count,
        activity.notebook_edit_tool_rejected_count,
        activity.write_tool_accepted_count,
        activity.write_tool_rejected_count,
        activity.cowork_session_count,
        activity.cowork_message_count,
        activity.office_message_count,
        activity.design_message_count,
        activity.science_message_count,
        activity.claude_tag_message_count,
        activity.web_search_count,
        activity.is_active
    from activity
    inner join people on activity.user_id = people.user_id
)

select * from with_email
