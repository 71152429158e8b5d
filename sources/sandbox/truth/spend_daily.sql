-- One row per UTC day, actor, product, model and cost type. Counts stand on the row of the tokens, which is there
-- also where they cost nothing.
with facts as (
    select spend_facts.*, models.*
    from spend_facts
    left join models on models.model = spend_facts.model
    where is_visible(published_on, withdrawn_on, $as_of) and occurred_at < $refreshed_at
        and activity_date >= greatest(first_day(), $as_of - 365)
),
actors as (
    select
        spender,
        case actor_type
            when 'user_actor' then 'user' when 'service_account_actor' then 'service_account'
            when 'api_actor' then 'api_key' when 'federated_actor' then 'federated' else 'unattributed'
        end as actor_type,
        coalesce(
            user_id, actor ->> 'service_account_id', actor ->> 'api_key_id', actor ->> 'subject',
            actor ->> '$.provider.subscription_id'
        ) as actor_id,
        user_id
    from other_spenders
    union all
    select person_spender(n), 'user', user_id, user_id from people
),
tokens as (
    select
        *,
        uncached_input_tokens * uncached_price as uncached,
        output_tokens * output_price as output,
        cache_read_input_tokens * cache_read_price as cache_read,
        cache_5m_input_tokens * cache_5m_price as cache_5m,
        cache_1h_input_tokens * cache_1h_price as cache_1h
    from facts
),
charges as (
    select
        tokens.*, 'tokens' as cost_type,
        coalesce(uncached + output + cache_read + cache_5m + cache_1h, 0) + credit as listed,
        listed - coalesce(
            uncached * discount // 100 + output * discount // 100 + cache_read * discount // 100
            + cache_5m * discount // 100 + cache_1h * discount // 100, 0
        ) as charged
    from tokens
    union all
    select tokens.*, 'web_search', web_searches * 1000000, web_searches * 1000000 from tokens where web_searches > 0
    union all
    select tokens.*, 'code_execution', code_executions * 83333, code_executions * 83333
    from tokens where code_executions > 0
),
sums as (
    select
        activity_date, actor_type, actor_id, user_id, product, charges.model, cost_type,
        cast(cast(sum(charged) as decimal(28, 0)) * 0.00000001 as decimal(38, 8)) as spend_usd,
        cast(cast(sum(listed) as decimal(28, 0)) * 0.00000001 as decimal(38, 8)) as list_price_usd,
        cast(sum(requests) as bigint) as request_count,
        cast(sum(uncached_input_tokens) as bigint) as uncached_input_tokens,
        cast(sum(cache_read_input_tokens) as bigint) as cache_read_input_tokens,
        cast(sum(cache_5m_input_tokens + cache_1h_input_tokens) as bigint) as cache_creation_input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens
    from charges
    inner join actors using (spender)
    group by all
)
select
    activity_date, actor_type, actor_id, user_id, product, model, cost_type, spend_usd, list_price_usd,
    if(cost_type = 'tokens', request_count, null) as request_count,
    if(cost_type = 'tokens', uncached_input_tokens, null) as uncached_input_tokens,
    if(cost_type = 'tokens', cache_read_input_tokens, null) as cache_read_input_tokens,
    if(cost_type = 'tokens', cache_creation_input_tokens, null) as cache_creation_input_tokens,
    if(cost_type = 'tokens', output_tokens, null) as output_tokens,
    activity_date + 30 <= $as_of as is_settled
from sums
order by all
