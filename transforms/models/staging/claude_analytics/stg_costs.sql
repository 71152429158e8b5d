-- One row per UTC day, actor, product, model and cost type, and where it was asked so per context window, speed and
-- token type; null actors have several.
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
    group__cost_type as cost_type,
    group__token_type as token_type,
    group__context_window as context_window,
    group__speed as speed,
    cost__currency as currency,
    cost__requests as request_count,
    {{ cents_to_usd('cost__amount') }} as spend_usd,
    {{ cents_to_usd('cost__list_amount') }} as list_price_usd
from {{ counting_rows('costs') }}
