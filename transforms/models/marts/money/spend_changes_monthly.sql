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
        coalesce(volume.usd, 0) as volume_usd,
        coalesce(models.usd, 0) as models_usd,
        coalesce(products.usd, 0) as products_usd,
        coalesce(answers.usd, 0) as answers_usd,
        coalesce(token_types.usd, 0) as token_types_usd,
        coalesce(windows.usd, 0) as windows_usd,
        coalesce(speeds.usd, 0) as speeds_usd,
        coalesce(before_regions.usd, 0) as before_regions_usd,
        coalesce(by_region.usd, 0) as by_region_usd,
        coalesce(tiers.usd, 0) as tiers_usd
    from sums
    inner join months on sums.month = months.month
    left join volume on sums.month = volume.month
    left join models on sums.month = models.month
    left join products on sums.month = products.month
    left join answers on sums.month = answers.month
    left join token_types on sums.month = token_types.month
    left join windows on sums.month = windows.month
    left join speeds on sums.month = speeds.month
    left join before_regions on sums.month = before_regions.month
    left join by_region on sums.month = by_region.month
    left join tiers on sums.month = tiers.month
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
    cast(previous_spend_usd as decimal(38, 8)) as previous_spend_usd,
    cast(spend_usd as decimal(38, 8)) as spend_usd,
    cast(change_usd as decimal(38, 8)) as change_usd,
    cast(volume_usd as decimal(38, 8)) as volume_usd,
    cast(model_mix_usd as decimal(38, 8)) as model_mix_usd,
    cast(product_mix_usd as decimal(38, 8)) as product_mix_usd,
    cast(output_share_usd as decimal(38, 8)) as output_share_usd,
    cast(cache_usd as decimal(38, 8)) as cache_usd,
    cast(long_context_usd as decimal(38, 8)) as long_context_usd,
    cast(fast_mode_usd as decimal(38, 8)) as fast_mode_usd,
    cast(region_usd as decimal(38, 8)) as region_usd,
    cast(service_tier_usd as decimal(38, 8)) as service_tier_usd,
    cast(price_usd as decimal(38, 8)) as price_usd,
    cast(not_tokens_usd as decimal(38, 8)) as not_tokens_usd,
    cast(unexplained_usd as decimal(38, 8)) as unexplained_usd
from parts
