-- One row per UTC day, organisation, actor, product, model and cost type; all rows of a day without a known actor count
-- as one actor.
-- Cost and usage are stacked and summed, never joined, so that no null e-mail, model, product or cost type is lost.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

people as (
    select * from {{ ref('int_people') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
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
        spend_usd,
        list_price_usd
    from report_costs
),

token_rows as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        'unified' as generation,
        actor_type,
        actor_id,
        product,
        model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from usage_rows
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
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from report_usage
),

-- Tokens and requests stand beside the cost of tokens, and beside no other.
stacked as (
    select
        cost_rows.activity_date,
        cost_rows.organization_id,
        cost_rows.child_organization_id,
        cost_rows.actor_type,
        cost_rows.actor_id,
        cost_rows.product,
        cost_rows.model,
        cost_rows.cost_type,
        true as is_cost,
        cost_rows.spend_usd,
        cost_rows.list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count
    from cost_rows
    inner join days
        on
            cost_rows.activity_date = days.activity_date
            and cost_rows.organization_id is not distinct from days.organization_id
            and cost_rows.generation = days.generation
            and days.is_cost_loaded
    union all
    select
        token_rows.activity_date,
        token_rows.organization_id,
        token_rows.child_organization_id,
        token_rows.actor_type,
        token_rows.actor_id,
        token_rows.product,
        token_rows.model,
        'tokens' as cost_type,
        false as is_cost,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        token_rows.request_count,
        token_rows.uncached_input_tokens,
        token_rows.cache_read_input_tokens,
        token_rows.cache_creation_input_tokens,
        token_rows.output_tokens,
        token_rows.web_search_request_count
    from token_rows
    inner join days
        on
            token_rows.activity_date = days.activity_date
            and token_rows.organization_id is not distinct from days.organization_id
            and token_rows.generation = days.generation
            and days.is_usage_loaded
),

summed as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        actor_type,
        actor_id,
        product,
        model,
        cost_type,
        {{ dbt.bool_or('is_cost') }} as has_cost,
        {{ dbt.bool_or('not is_cost') }} as has_usage,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd,
        sum(request_count) as request_count,
        sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_input_tokens) as cache_read_input_tokens,
        sum(cache_creation_input_tokens) as cache_creation_input_tokens,
        sum(output_tokens) as output_tokens,
        sum(web_search_request_count) as web_search_request_count
    from stacked
    group by
        activity_date, organization_id, child_organization_id, actor_type, actor_id, product, model, cost_type
),

-- Where the other side of a row is loaded and has nothing, that is 0; where it is not loaded, it is unknown.
with_absent as (
    select
        summed.*,
        case when summed.actor_type = 'user' then coalesce(console_people.person_id, summed.actor_id) end as user_id,
        charged_keys.owner_user_id,
        case when days.is_cost_loaded and not summed.has_cost then 0 end as absent_usd,
        case when days.is_usage_loaded and not summed.has_usage and summed.cost_type = 'tokens' then 0 end
            as absent_count,
        (
            (days.is_cost_loaded or days.is_usage_loaded)
            and (days.is_cost_settled or not days.is_cost_loaded)
            and (days.is_usage_settled or not days.is_usage_loaded)
        ) as is_settled
    from summed
    inner join days
        on
            summed.activity_date = days.activity_date
            and summed.organization_id is not distinct from days.organization_id
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

charged as (
    select
        with_absent.*,
        coalesce(user_id, owner_user_id) as charged_user_id
    from with_absent
),

with_people as (
    select
        charged.activity_date,
        {{ organization_of('charged') }} as organization_id,
        charged.actor_type,
        charged.actor_id,
        charged.user_id,
        people.email,
        charged.charged_user_id,
        case
            when charged.charged_user_id is not null then coalesce(department_periods.department, 'Unmapped')
        end as department,
        department_periods.cost_center,
        charged.product,
        charged.model,
        charged.cost_type,
        cast(coalesce(charged.spend_usd, charged.absent_usd) as decimal(38, 8)) as spend_usd,
        cast(coalesce(charged.list_price_usd, charged.absent_usd) as decimal(38, 8)) as list_price_usd,
        cast(coalesce(charged.request_count, charged.absent_count) as bigint) as request_count,
        cast(coalesce(charged.uncached_input_tokens, charged.absent_count) as bigint)
            as uncached_input_tokens,
        cast(coalesce(charged.cache_read_input_tokens, charged.absent_count) as bigint)
            as cache_read_input_tokens,
        cast(coalesce(charged.cache_creation_input_tokens, charged.absent_count) as bigint)
            as cache_creation_input_tokens,
        cast(coalesce(charged.output_tokens, charged.absent_count) as bigint) as output_tokens,
        cast(coalesce(charged.web_search_request_count, charged.absent_count) as bigint)
            as web_search_request_count,
        charged.is_settled
    from charged
    cross join organization
    left join people on charged.user_id = people.user_id
    left join department_periods
        on
            charged.charged_user_id = department_periods.user_id
            and charged.activity_date >= department_periods.valid_from_date
            and charged.activity_date < department_periods.valid_until_date
)

select * from with_people
