-- One row per UTC day and user with a row that day; `email` is the newest one seen up to $last_date.
with activity as (
    select
        activity_date,
        row.user.id as user_id,
        row.user.email_address as email,
        row.chat_metrics as chat,
        row.chat_cowork_unified_metrics.chat as unified_chat,
        row.cowork_metrics as cowork,
        row.chat_cowork_unified_metrics.sessions as unified_cowork,
        row.claude_code_metrics.core_metrics as code,
        row.claude_code_metrics.tool_actions as tools,
        row.office_metrics as office,
        row.design_metrics.message_count as design_message_count,
        row.science_metrics.message_count as science_message_count,
        row.claude_tag_metrics.active_message_count as tag_message_count,
        row.web_search_count as web_search_count
    from users_rows($first_date, $last_date, $as_of)
),
sums as (
    select
        activity_date,
        user_id,
        chat.message_count + unified_chat.message_count as chat_message_count,
        chat.distinct_conversation_count + unified_chat.distinct_conversation_count as chat_conversation_count,
        code.distinct_session_count as claude_code_session_count,
        code.commit_count,
        code.pull_request_count,
        code.lines_of_code.added_count as lines_added_count,
        code.lines_of_code.removed_count as lines_removed_count,
        tools.edit_tool.accepted_count + tools.multi_edit_tool.accepted_count
            + tools.notebook_edit_tool.accepted_count + tools.write_tool.accepted_count as tool_accepted_count,
        tools.edit_tool.rejected_count + tools.multi_edit_tool.rejected_count
            + tools.notebook_edit_tool.rejected_count + tools.write_tool.rejected_count as tool_rejected_count,
        cowork.distinct_session_count + unified_cowork.distinct_session_count as cowork_session_count,
        cowork.message_count + unified_cowork.message_count as cowork_message_count,
        office.excel.message_count + office.outlook.message_count
            + office.powerpoint.message_count + office.word.message_count as office_message_count,
        design_message_count,
        science_message_count,
        tag_message_count,
        web_search_count
    from activity
),
-- A person's e-mail also shows where they created a project.
seen_emails as (
    select activity_date, user_id, email from activity
    union all
    select activity_date, row.created_by.id as user_id, row.created_by.email_address as email
    from chat_projects_rows($first_date, $last_date, $as_of)
    where row.created_by is not null
),
emails as (
    select user_id, max_by(email, activity_date) as email from seen_emails group by user_id
)
select
    activity_date,
    user_id,
    email,
    chat_message_count + claude_code_session_count + cowork_session_count + cowork_message_count
        + office_message_count + design_message_count + science_message_count + tag_message_count > 0 as is_active,
    chat_message_count,
    chat_conversation_count,
    claude_code_session_count,
    commit_count,
    pull_request_count,
    lines_added_count,
    lines_removed_count,
    tool_accepted_count,
    tool_rejected_count,
    tool_accepted_count / nullif(tool_accepted_count + tool_rejected_count, 0) as tool_acceptance_rate,
    cowork_session_count,
    cowork_message_count,
    office_message_count,
    design_message_count,
    web_search_count
from sums
inner join emails using (user_id)
order by activity_date, user_id
