-- One row per UTC hour, organisation, actor, product and model of the days that were read by the hour; all rows of an
-- hour without a known actor count as one actor.
with

costs as (
    select * from {{ ref('stg_hourly_costs') }}
),

console_people as (
    select * from {{ ref('int_console_people') }}
),

usage_rows as (
    select * from {{ ref('stg_hourly_usage') }}
),

people as (
    select * from {{ ref('int_people') }}
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

fetches as (
    {{ fetches_that_count('stg_loaded_days') }}
),

-- Until when a day's cost is complete; 0 where its cost, and its usage, is loaded.
days as (
    select
        activity_date,
        organization_id,
        max(case when endpoint = 'hourly_costs' then data_refreshed_at end) as data_refreshed_at,
        max(case when endpoint = 'hourly_costs' then 0 end) as absent_usd,
        max(case when endpoint = 'hourly_usage' then 0 end) as absent_count
    from fetches
    where endpoint in ('hourly_costs', 'hourly_usage')
    group by activity_date, organization_id
),

stacked as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        hour_at,
        actor_type,
        actor_id,
        product,
        model,
        spend_usd,
        list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens
    from costs
    union all
    select
        activity_date,
        organization_id,
        child_organization_id,
        hour_at,
        actor_type,
        actor_id,
        product,
        model,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens
    from usage_rows
),

summed as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        hour_at,
        actor_type,
        actor_id,
        product,
        model,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd,
        sum(request_count) as request_count,
        sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_input_tokens) as cache_read_input_tokens,
        sum(cache_creation_input_tokens) as cache_creation_input_tokens,
        sum(output_tokens) as output_tokens
    from stacked
    group by
        activity_date, organization_id, child_organization_id, hour_at, actor_type, actor_id, product, model
),

-- Where the other side of a row is loaded and has nothing, that is 0; where it is not loaded, it is unknown.
with_people as (
    select
        summed.hour_at,
        summed.activity_date,
        {{ organization_of('summed') }} as organization_id,
        summed.actor_type,
        summed.actor_id,
        people.user_id,
        people.email,
        summed.product,
        summed.model,
        cast(coalesce(summed.spend_usd, days.absent_usd) as decimal(38, 8)) as spend_usd,
        cast(coalesce(summed.list_price_usd, days.absent_usd) as decimal(38, 8)) as list_price_usd,
        cast(coalesce(summed.request_count, days.absent_count) as bigint) as request_count,
        cast(coalesce(summed.uncached_input_tokens, days.absent_count) as bigint) as uncached_input_tokens,
        cast(coalesce(summed.cache_read_input_tokens, days.absent_count) as bigint) as cache_read_input_tokens,
        cast(coalesce(summed.cache_creation_input_tokens, days.absent_count) as bigint) as cache_creation_input_tokens,
        cast(coalesce(summed.output_tokens, days.absent_count) as bigint) as output_tokens,
        coalesce(
            days.data_refreshed_at >= {{ dbt.dateadd('hour', 1, 'summed.hour_at') }}, false
        ) as is_complete
    from summed
    inner join days
        on
            summed.activity_date = days.activity_date
            and summed.organization_id is not distinct from days.organization_id
    cross join organization
    left join console_people
        on
            summed.organization_id = console_people.organization_id
            and summed.actor_id = console_people.account_id
    left join people
        on summed.actor_type = 'user' and coalesce(console_people.person_id, summed.actor_id) = people.user_id
)

select * from with_people
