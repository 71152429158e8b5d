-- One row per UTC day, organisation of the Console, person or API key, kind of customer, terminal and whether it ran
-- remotely; the models that it used are a list in JSON.
select
    activity_date,
    organization_id,
    case actor__type when 'user_actor' then 'user' when 'api_actor' then 'api_key' else 'unattributed' end
        as actor_type,
    actor__email_address as email,
    actor__api_key_name as api_key_name,
    customer_type,
    subscription_type,
    terminal_type,
    is_remote,
    core_metrics__num_sessions as session_count,
    core_metrics__lines_of_code__added as lines_added_count,
    core_metrics__lines_of_code__removed as lines_removed_count,
    core_metrics__commits_by_claude_code as commit_count,
    core_metrics__pull_requests_by_claude_code as pull_request_count,
    coalesce(tool_actions__edit_tool__accepted, 0) + coalesce(tool_actions__multi_edit_tool__accepted, 0)
    + coalesce(tool_actions__notebook_edit_tool__accepted, 0)
    + coalesce(tool_actions__write_tool__accepted, 0) as tool_accepted_count,
    coalesce(tool_actions__edit_tool__rejected, 0) + coalesce(tool_actions__multi_edit_tool__rejected, 0)
    + coalesce(tool_actions__notebook_edit_tool__rejected, 0)
    + coalesce(tool_actions__write_tool__rejected, 0) as tool_rejected_count,
    '{"models": ' || coalesce(model_breakdown, '[]') || '}' as models
from {{ counting_rows('claude_code_reports') }}
