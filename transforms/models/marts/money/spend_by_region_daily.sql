-- One row per UTC day, organisation, product, model, region of inference, service tier, cost type and token type.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
    where generation = 'unified'
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where endpoint in ('region_costs', 'region_usage')
),

region_costs as (
    select * from {{ ref('stg_region_costs') }}
),

region_usage as (
    select * from {{ ref('stg_region_usage') }}
),

-- Cost of the older reports is not told by region: such a day is not here.
covered_days as (
    select
        days.activity_date,
        days.organization_id,
        max(case when days_loaded.endpoint = 'region_usage' then 1 else 0 end) = 1 as is_usage_loaded,
        min(case when days_loaded.is_settled then 1 else 0 end) = 1 as is_settled
    from days
    inner join days_loaded
        on
            days.activity_date = days_loaded.activity_date
            and days.organization_id is not distinct from days_loaded.organization_id
    group by days.activity_date, days.organization_id
    having max(case when days_loaded.endpoint = 'region_costs' then 1 else 0 end) = 1
),

tokens_by_type as (
    {% for token_type, column in token_columns().items() -%}
        select
            activity_date,
            organization_id,
            child_organization_id,
            product,
            model,
            inference_geo,
            service_tier,
            '{{ token_type }}' as token_type,
            {{ column }} as token_count
        from region_usage
        where {{ column }} <> 0
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

stacked as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        product,
        model,
        inference_geo,
        service_tier,
        cost_type,
        token_type,
        spend_usd,
        list_price_usd,
        cast(null as bigint) as token_count
    from region_costs
    union all
    select
        activity_date,
        organization_id,
        child_organization_id,
        product,
        model,
        inference_geo,
        service_tier,
        'tokens' as cost_type,
        token_type,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        token_count
    from tokens_by_type
),

-- Tokens that cost nothing cost 0; what is no token has no count of them.
summed as (
    select
        stacked.activity_date,
        stacked.organization_id,
        stacked.child_organization_id,
        stacked.product,
        stacked.model,
        stacked.inference_geo,
        stacked.service_tier,
        stacked.cost_type,
        stacked.token_type,
        cast(coalesce(sum(stacked.spend_usd), 0) as decimal(38, 8)) as spend_usd,
        cast(coalesce(sum(stacked.list_price_usd), 0) as decimal(38, 8)) as list_price_usd,
        cast(
            case
                when covered_days.is_usage_loaded and stacked.token_type is not null
                    then coalesce(sum(stacked.token_count), 0)
            end as bigint
        ) as token_count,
        covered_days.is_settled
    from stacked
    inner join covered_days
        on
            stacked.activity_date = covered_days.activity_date
            and stacked.organization_id is not distinct from covered_days.organization_id
    where covered_days.is_usage_loaded or stacked.spend_usd is not null
    group by
        stacked.activity_date,
        stacked.organization_id,
        stacked.child_organization_id,
        stacked.product,
        stacked.model,
        stacked.inference_geo,
        stacked.service_tier,
        stacked.cost_type,
        stacked.token_type,
        covered_days.is_usage_loaded,
        covered_days.is_settled
),

with_organization as (
    select
        summed.activity_date,
        {{ organization_of('summed') }} as organization_id,
        summed.product,
        summed.model,
        summed.inference_geo,
        summed.service_tier,
        summed.cost_type,
        summed.token_type,
        summed.spend_usd,
        summed.list_price_usd,
        summed.token_count,
        summed.is_settled
    from summed
    cross join organization
)

select * from with_organization
