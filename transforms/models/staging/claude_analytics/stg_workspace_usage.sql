-- One row per UTC day, organisation of the Console, actor, workspace, API key, service tier and agent; null actors have
-- several.
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
    usage__requests as request_count,
    usage__total_tokens as token_count
from {{ counting_rows('workspace_usage') }}
