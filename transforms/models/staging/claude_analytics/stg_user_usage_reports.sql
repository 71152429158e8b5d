-- One row per UTC day, user, product and model.
select
    activity_date,
    actor__user_id as user_id,
    actor__email_address as email,
    actor__name as name,
    {{ canonical_product('product') }} as product,
    model,
    requests as request_count,
    uncached_input_tokens,
    cache_read_input_tokens,
    cache_creation__ephemeral_5m_input_tokens
    + cache_creation__ephemeral_1h_input_tokens as cache_creation_input_tokens,
    output_tokens,
    server_tool_use__web_search_requests as web_search_request_count
from {{ counting_rows('user_usage_reports') }}
