-- One row per UTC day and product: the organisation's own usage.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ canonical_product('group__product') }} as product,
    usage__requests as request_count,
    usage__uncached_input_tokens as uncached_input_tokens,
    usage__cache_read_input_tokens as cache_read_input_tokens,
    usage__cache_creation__ephemeral_5m_input_tokens
    + usage__cache_creation__ephemeral_1h_input_tokens as cache_creation_input_tokens,
    usage__output_tokens as output_tokens,
    usage__server_tool_use__web_search_requests as web_search_request_count
from {{ counting_rows('usage_totals') }}
