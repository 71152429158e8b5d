-- One row per UTC day, actor, product and model, and where it was asked so per context window and speed; null actors
-- have several.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ spend_actor_type('group__actor__') }} as actor_type,
    {{ spend_actor_id('group__actor__') }} as actor_id,
    case when group__actor__type = 'user_actor' then group__actor__user_id end as user_id,
    group__actor__email_address as email,
    group__actor__name as name,
    {{ canonical_product('group__product') }} as product,
    group__model as model,
    group__context_window as context_window,
    group__speed as speed,
    usage__requests as request_count,
    usage__uncached_input_tokens as uncached_input_tokens,
    usage__cache_read_input_tokens as cache_read_input_tokens,
    usage__cache_creation__ephemeral_5m_input_tokens
    + usage__cache_creation__ephemeral_1h_input_tokens as cache_creation_input_tokens,
    usage__cache_creation__ephemeral_5m_input_tokens as cache_creation_5m_input_tokens,
    usage__cache_creation__ephemeral_1h_input_tokens as cache_creation_1h_input_tokens,
    usage__output_tokens as output_tokens,
    usage__server_tool_use__web_search_requests as web_search_request_count
from {{ counting_rows('usage') }}
