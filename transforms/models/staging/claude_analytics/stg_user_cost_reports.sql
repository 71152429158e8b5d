-- One row per UTC day, user, product, model and cost type.
select
    activity_date,
    actor__user_id as user_id,
    actor__email_address as email,
    actor__name as name,
    {{ canonical_product('product') }} as product,
    model,
    cost_type,
    currency,
    requests as request_count,
    {{ cents_to_usd('amount') }} as spend_usd,
    {{ cents_to_usd('list_amount') }} as list_price_usd
from {{ counting_rows('user_cost_reports') }}
