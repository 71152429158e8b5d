-- One row per UTC day, organisation of the Console, actor, workspace, API key, service tier, agent and cost type; null
-- actors have several.
select
    activity_date,
    organization_id,
    {{ spend_actor_type('group__actor__') }} as actor_type,
    {{ spend_actor_id('group__actor__') }} as actor_id,
    case when group__actor__type = 'user_actor' then group__actor__user_id end as user_id,
    group__actor__email_address as email,
    group__actor__name as name,
    group__workspace_id as workspace_id,
    group__api_key_id as api_key_id,
    group__service_tier as service_tier,
    group__agent_id as agent_id,
    group__cost_type as cost_type,
    cost__currency as currency,
    {{ cents_to_usd('cost__amount') }} as spend_usd,
    {{ cents_to_usd('cost__list_amount') }} as list_price_usd
from {{ counting_rows('workspace_costs') }}
