-- One row per UTC day, product, model, region of inference and service tier: the organisation's own usage.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ canonical_product('group__product') }} as product,
    group__model as model,
    group__inference_geo as inference_geo,
    group__service_tier as service_tier,
    usage__uncached_input_tokens as uncached_input_tokens,
    usage__cache_read_input_tokens as cache_read_input_tokens,
    usage__cache_creation__ephemeral_5m_input_tokens as cache_creation_5m_input_tokens,
    usage__cache_creation__ephemeral_1h_input_tokens as cache_creation_1h_input_tokens,
    usage__output_tokens as output_tokens
from {{ counting_rows('region_usage') }}
