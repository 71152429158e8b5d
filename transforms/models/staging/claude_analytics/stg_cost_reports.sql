-- One row per UTC day, product, model and cost type; at most 100 a day.
select
    activity_date,
    {{ canonical_product('product') }} as product,
    model,
    cost_type,
    currency,
    requests as request_count,
    {{ cents_to_usd('amount') }} as spend_usd,
    {{ cents_to_usd('list_amount') }} as list_price_usd
from {{ counting_rows('cost_reports') }}
