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
    cost__currency as currency,
    {{ cents_to_usd('cost__amount') }} as spend_usd,
    {{ cents_to_usd('cost__list_amount') }} as list_price_usd
from {{ counting_rows('hourly_costs') }}
