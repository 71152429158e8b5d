-- One row per UTC day, organisation of the Console, account, service account, API key, workspace, model, service tier,
-- context window and region, by the older report of messages.
select
    activity_date,
    organization_id,
    case
        when account_id is not null then 'user'
        when service_account_id is not null then 'service_account'
        when api_key_id is not null then 'api_key'
        else 'unattributed'
    end as actor_type,
    coalesce(account_id, service_account_id, api_key_id) as actor_id,
    workspace_id,
    api_key_id,
    model,
    service_tier,
    context_window,
    uncached_input_tokens,
    cache_read_input_tokens,
    cache_creation__ephemeral_5m_input_tokens
    + cache_creation__ephemeral_1h_input_tokens as cache_creation_input_tokens,
    output_tokens,
    server_tool_use__web_search_requests as web_search_request_count
from {{ counting_rows('console_usage_reports') }}
