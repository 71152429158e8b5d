-- One row per UTC hour, actor, product and model; null actors have several.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ utc_timestamp('starting_at') }} as hour_at,
    {{ spend_actor_type('group__actor__') }} as actor_type,
    {{ spend_actor_id('group__actor__') }} as actor_id,
    {{ canonical_product('group__product') }} as product,
    group__model as model,
    usage__requests as request_count,
    usage__uncached_input_tokens as uncached_input_tokens,
    usage__cache_read_input_tokens as cache_read_input_tokens,
    usage__cache_creation__ephemeral_5m_input_tokens
    + usage__cache_creation__ephemeral_1h_input_tokens as cache_creation_input_tokens,
    usage__output_tokens as output_tokens
from {{ counting_rows('hourly_usage') }}
