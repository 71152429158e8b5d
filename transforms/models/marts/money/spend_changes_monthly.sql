-- One row per month whose cost and usage are loaded whole, as are those of the month before: why its use cost more or
-- less. The parts add up to the change: each one tells this month's tokens apart by one more property, and is by how
-- much that moves what they would have cost at the former month's prices.
{% set levels = {
    'volume': [],
    'models': ['model'],
    'products': ['model', 'product'],
    'answers': ['model', 'product', 'is_output'],
    'token_types': ['model', 'product', 'token_type'],
    'windows': ['model', 'product', 'token_type', 'context_window'],
    'speeds': ['model', 'product', 'token_type', 'context_window', 'speed'],
} -%}
{% set region_levels = {
    'before_regions': ['model', 'product', 'token_type'],
    'by_region': ['model', 'product', 'token_type', 'inference_geo'],
    'tiers': ['model', 'product', 'token_type', 'inference_geo', 'service_tier'],
} -%}
with

months as (
    select * from {{ ref('int_months_compared') }}
),

drivers as (
    select * from {{ ref('spend_drivers_daily') }}
),

regions as (
    select * from {{ ref('spend_by_region_daily') }}
),

-- Each row stands beside those of its own month, and as a former one beside those of the next.
driver_rows as (
    select
        months.month,
        drivers.model,
        drivers.product,
        drivers.token_type = 'output_tokens' as is_output,
        drivers.token_type,
        drivers.context_window,
        drivers.speed,
        drivers.token_type is not null or drivers.token_count is not null as is_token,
        {{ of_month('drivers.activity_date', 'drivers.spend_usd', 'drivers.token_count') }}
    from drivers
    inner join months
        on {{ dbt.date_trunc('month', 'drivers.activity_date') }} in (months.month, months.former_month)
),

region_rows as (
    select
        months.month,
        regions.model,
        regions.product,
        regions.token_type,
        regions.inference_geo,
        regions.service_tier,
        {{ of_month('regions.activity_date', 'regions.spend_usd', 'regions.token_count') }}
    from regions
    inner join months
        on
            {{ dbt.date_trunc('month', 'regions.activity_date') }} in (months.month, months.former_month)
            and months.is_by_region
    where regions.token_type is not null
),

sums as (
    select
        month,
        cast(sum(former_usd) as decimal(38, 8)) as previous_spend_usd,
        cast(sum(usd) as decimal(38, 8)) as spend_usd,
        cast(sum(case when is_token then former_usd else 0 end) as decimal(38, 8)) as former_token_usd,
        cast(sum(case when is_token then usd else 0 end) as decimal(38, 8)) as token_usd
    from driver_rows
    group by month
),

{% for level, columns in levels.items() -%}
    {{ level }} as (
        {{ at_former_prices('driver_rows', columns, 'is_token') }}
    ),

{% endfor -%}
{% for level, columns in region_levels.items() -%}
    {{ level }} as (
        {{ at_former_prices('region_rows', columns) }}
    ),

{% endfor -%}
by_level as (
    select
        sums.*,
        months.is_by_token_type,
        months.is_by_region and months.is_by_token_type as is_by_region,
        {% for level in levels -%}
            coalesce({{ level }}.usd, 0) as {{ level }}_usd,
        {% endfor -%}
        {% for level in region_levels -%}
            coalesce({{ level }}.usd, 0) as {{ level }}_usd{{ ',' if not loop.last }}
        {% endfor %}
    from sums
    inner join months on sums.month = months.month
    {% for level in (levels.keys() | list) + (region_levels.keys() | list) -%}
        left join {{ level }} on sums.month = {{ level }}.month
    {% endfor %}
),

parts as (
    select
        month,
        previous_spend_usd,
        spend_usd,
        spend_usd - previous_spend_usd as change_usd,
        volume_usd - former_token_usd as volume_usd,
        models_usd - volume_usd as model_mix_usd,
        products_usd - models_usd as product_mix_usd,
        case when is_by_token_type then answers_usd - products_usd end as output_share_usd,
        case when is_by_token_type then token_types_usd - answers_usd end as cache_usd,
        case when is_by_token_type then windows_usd - token_types_usd end as long_context_usd,
        case when is_by_token_type then speeds_usd - windows_usd end as fast_mode_usd,
        case when is_by_region then by_region_usd - before_regions_usd end as region_usd,
        case when is_by_region then tiers_usd - by_region_usd end as service_tier_usd,
        case
            when is_by_region then token_usd - speeds_usd - (tiers_usd - before_regions_usd)
            when is_by_token_type then token_usd - speeds_usd
        end as price_usd,
        spend_usd - token_usd - (previous_spend_usd - former_token_usd) as not_tokens_usd,
        case when is_by_token_type then 0 else token_usd - products_usd end as unexplained_usd
    from by_level
)

select
    month,
    {% for part in [
        'previous_spend', 'spend', 'change', 'volume', 'model_mix', 'product_mix', 'output_share', 'cache',
        'long_context', 'fast_mode', 'region', 'service_tier', 'price', 'not_tokens', 'unexplained',
    ] -%}
        cast({{ part }}_usd as decimal(38, 8)) as {{ part }}_usd{{ ',' if not loop.last }}
    {% endfor -%}
from parts
