-- One row per UTC day and product: the organisation's own cost. Where it is told by one amount alone, that is the list
-- price as well.
select
    activity_date,
    organization_id,
    group__organization_id as child_organization_id,
    {{ canonical_product('group__product') }} as product,
    cost__currency as currency,
    cost__requests as request_count,
    {{ cents_to_usd('cost__amount') }} as spend_usd,
    {{ cents_to_usd('coalesce(cost__list_amount, cost__amount)') }} as list_price_usd
from {{ counting_rows('cost_totals') }}
