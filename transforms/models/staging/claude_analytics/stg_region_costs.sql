-- One row per UTC day, product, model, region of inference, service tier, cost type and token type: the organisation's
-- own cost.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ canonical_product('group__product') }} as product,
    group__model as model,
    group__inference_geo as inference_geo,
    group__service_tier as service_tier,
    group__cost_type as cost_type,
    group__token_type as token_type,
    cost__currency as currency,
    {{ cents_to_usd('cost__amount') }} as spend_usd,
    {{ cents_to_usd('cost__list_amount') }} as list_price_usd
from {{ counting_rows('region_costs') }}
