-- One row per UTC day with cost, organisation, actor, product, model and cost type, and where cost was asked so per
-- token type, context window and speed: what it cost beside what was used of it. A row of spend_daily is the sum of its
-- rows here.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
    where is_cost_loaded
),

people as (
    select * from {{ ref('int_people') }}
),

console_people as (
    select * from {{ ref('int_console_people') }}
),

charged_keys as (
    select * from {{ ref('int_charged_keys') }}
),

costs as (
    select * from {{ ref('stg_costs') }}
),

usage_rows as (
    select * from {{ ref('stg_usage') }}
),

report_costs as (
    select * from {{ ref('int_spend_reports_costs') }}
),

report_usage as (
    select * from {{ ref('int_spend_reports_usage') }}
),

-- What the price of a token depends on says nothing of what is no token, or is known as a sum of them.
cost_rows as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        'unified' as generation,
        actor_type,
        actor_id,
        product,
        model,
        cost_type,
        token_type,
        case when token_type is not null then context_window end as context_window,
        case when token_type is not null then speed end as speed,
        spend_usd,
        list_price_usd
    from costs
    union all
    select
        activity_date,
        organization_id,
        cast(null as {{ dbt.type_string() }}) as child_organization_id,
        'reports' as generation,
        case when user_id is null then 'unattributed' else 'user' end as actor_type,
        user_id as actor_id,
        product,
        model,
        cost_type,
        cast(null as {{ dbt.type_string() }}) as token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        spend_usd,
        list_price_usd
    from report_costs
),

days_by_token_type as (
    select distinct
        activity_date,
        organization_id
    from costs
    where token_type is not null
),

use_of_code_execution as (
    select distinct
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model
    from cost_rows
    where cost_type = 'code_execution'
),

used as (
    select
        usage_rows.activity_date,
        usage_rows.organization_id,
        usage_rows.child_organization_id,
        'unified' as generation,
        usage_rows.actor_type,
        usage_rows.actor_id,
        usage_rows.product,
        usage_rows.model,
        days_by_token_type.activity_date is not null as is_by_token_type,
        usage_rows.context_window,
        usage_rows.speed,
        usage_rows.request_count,
        usage_rows.uncached_input_tokens,
        usage_rows.cache_read_input_tokens,
        usage_rows.cache_creation_5m_input_tokens,
        usage_rows.cache_creation_1h_input_tokens,
        usage_rows.cache_creation_input_tokens,
        usage_rows.output_tokens,
        usage_rows.web_search_request_count
    from usage_rows
    left join days_by_token_type
        on
            usage_rows.activity_date = days_by_token_type.activity_date
            and usage_rows.organization_id is not distinct from days_by_token_type.organization_id
    union all
    select
        activity_date,
        organization_id,
        cast(null as {{ dbt.type_string() }}) as child_organization_id,
        'reports' as generation,
        case when user_id is null then 'unattributed' else 'user' end as actor_type,
        user_id as actor_id,
        product,
        model,
        false as is_by_token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cast(null as bigint) as cache_creation_5m_input_tokens,
        cast(null as bigint) as cache_creation_1h_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from report_usage
),

-- Requests are counted once, beside the first kind of token that they used.
with_first_type as (
    select
        used.*,
        use_of_code_execution.activity_date is not null as is_code_execution,
        case
            when used.uncached_input_tokens > 0 then 'uncached_input_tokens'
            when used.output_tokens > 0 then 'output_tokens'
            when used.cache_read_input_tokens > 0 then 'cache_read_input_tokens'
            when used.cache_creation_5m_input_tokens > 0 then 'cache_creation.ephemeral_5m_input_tokens'
            when used.cache_creation_1h_input_tokens > 0 then 'cache_creation.ephemeral_1h_input_tokens'
        end as first_token_type
    from used
    left join use_of_code_execution
        on
            used.activity_date = use_of_code_execution.activity_date
            and used.organization_id is not distinct from use_of_code_execution.organization_id
            and used.child_organization_id is not distinct from use_of_code_execution.child_organization_id
            and used.generation = use_of_code_execution.generation
            and used.actor_type = use_of_code_execution.actor_type
            and used.actor_id is not distinct from use_of_code_execution.actor_id
            and used.product is not distinct from use_of_code_execution.product
            and used.model is not distinct from use_of_code_execution.model
            and used.uncached_input_tokens + used.output_tokens + used.cache_read_input_tokens
            + used.cache_creation_input_tokens = 0
),

token_types as (
    select 'uncached_input_tokens' as token_type
    union all
    select 'output_tokens' as token_type
    union all
    select 'cache_read_input_tokens' as token_type
    union all
    select 'cache_creation.ephemeral_5m_input_tokens' as token_type
    union all
    select 'cache_creation.ephemeral_1h_input_tokens' as token_type
),

tokens_by_type as (
    select
        with_first_type.*,
        token_types.token_type,
        case token_types.token_type
            when 'uncached_input_tokens' then with_first_type.uncached_input_tokens
            when 'output_tokens' then with_first_type.output_tokens
            when 'cache_read_input_tokens' then with_first_type.cache_read_input_tokens
            when 'cache_creation.ephemeral_5m_input_tokens' then with_first_type.cache_creation_5m_input_tokens
            else with_first_type.cache_creation_1h_input_tokens
        end as tokens
    from with_first_type
    cross join token_types
    where with_first_type.is_by_token_type
),

use_rows as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model,
        'tokens' as cost_type,
        token_type,
        context_window,
        speed,
        case when token_type = first_token_type then request_count end as request_count,
        case when token_type = 'uncached_input_tokens' then tokens end as uncached_input_tokens,
        case when token_type = 'cache_read_input_tokens' then tokens end as cache_read_input_tokens,
        case when token_type like 'cache_creation.%' then tokens end as cache_creation_input_tokens,
        case when token_type = 'output_tokens' then tokens end as output_tokens,
        cast(null as bigint) as web_search_request_count
    from tokens_by_type
    where tokens <> 0
    union all
    select
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model,
        case when is_code_execution then 'code_execution' else 'tokens' end as cost_type,
        cast(null as {{ dbt.type_string() }}) as token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        request_count,
        case when not is_by_token_type then uncached_input_tokens end as uncached_input_tokens,
        case when not is_by_token_type then cache_read_input_tokens end as cache_read_input_tokens,
        case when not is_by_token_type then cache_creation_input_tokens end as cache_creation_input_tokens,
        case when not is_by_token_type then output_tokens end as output_tokens,
        cast(null as bigint) as web_search_request_count
    from with_first_type
    where not is_by_token_type or first_token_type is null
    union all
    select
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model,
        'web_search' as cost_type,
        cast(null as {{ dbt.type_string() }}) as token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        web_search_request_count
    from used
    where web_search_request_count <> 0
),

stacked as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model,
        cost_type,
        token_type,
        context_window,
        speed,
        true as is_cost,
        spend_usd,
        list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count
    from cost_rows
    union all
    select
        activity_date,
        organization_id,
        child_organization_id,
        generation,
        actor_type,
        actor_id,
        product,
        model,
        cost_type,
        token_type,
        context_window,
        speed,
        false as is_cost,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from use_rows
),

-- Use of a day whose cost is loaded, and that cost nothing, cost 0.
summed as (
    select
        stacked.activity_date,
        stacked.organization_id,
        stacked.child_organization_id,
        stacked.actor_type,
        stacked.actor_id,
        stacked.product,
        stacked.model,
        stacked.cost_type,
        stacked.token_type,
        stacked.context_window,
        stacked.speed,
        days.is_cost_settled and (days.is_usage_settled or not days.is_usage_loaded) as is_settled,
        cast(coalesce(sum(stacked.spend_usd), 0) as decimal(38, 8)) as spend_usd,
        cast(coalesce(sum(stacked.list_price_usd), 0) as decimal(38, 8)) as list_price_usd,
        cast(sum(stacked.request_count) as bigint) as request_count,
        cast(sum(stacked.uncached_input_tokens) as bigint) as uncached_input_tokens,
        cast(sum(stacked.cache_read_input_tokens) as bigint) as cache_read_input_tokens,
        cast(sum(stacked.cache_creation_input_tokens) as bigint) as cache_creation_input_tokens,
        cast(sum(stacked.output_tokens) as bigint) as output_tokens,
        cast(sum(stacked.web_search_request_count) as bigint) as web_search_request_count
    from stacked
    inner join days
        on
            stacked.activity_date = days.activity_date
            and stacked.organization_id is not distinct from days.organization_id
            and stacked.generation = days.generation
            and (stacked.is_cost or days.is_usage_loaded)
    group by
        stacked.activity_date,
        stacked.organization_id,
        stacked.child_organization_id,
        stacked.actor_type,
        stacked.actor_id,
        stacked.product,
        stacked.model,
        stacked.cost_type,
        stacked.token_type,
        stacked.context_window,
        stacked.speed,
        days.is_cost_settled and (days.is_usage_settled or not days.is_usage_loaded)
),

with_user as (
    select
        summed.*,
        case when summed.actor_type = 'user' then coalesce(console_people.person_id, summed.actor_id) end as user_id,
        charged_keys.owner_user_id
    from summed
    left join console_people
        on
            summed.organization_id = console_people.organization_id
            and summed.actor_id = console_people.account_id
    left join charged_keys
        on
            summed.actor_type = 'api_key'
            and summed.organization_id = charged_keys.organization_id
            and summed.actor_id = charged_keys.api_key_id
            and cast({{ dbt.date_trunc('month', 'summed.activity_date') }} as date) = charged_keys.month
),

with_people as (
    select
        with_user.*,
        coalesce(with_user.user_id, with_user.owner_user_id) as charged_user_id,
        people.email
    from with_user
    left join people on with_user.user_id = people.user_id
)

select * from with_people
