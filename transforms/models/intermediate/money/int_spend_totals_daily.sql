-- One row per UTC day whose cost is loaded: what its rows add up to, beside the organisation's own total.
with

days as (
    select * from {{ ref('int_spend_days') }}
),

spend as (
    select * from {{ ref('spend_daily') }}
),

cost_totals as (
    select * from {{ ref('stg_cost_totals') }}
),

sums as (
    select
        activity_date,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from spend
    group by activity_date
),

totals as (
    select
        activity_date,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from cost_totals
    group by activity_date
),

-- A loaded day without a row cost 0. Without the organisation's total its rows are all that is known.
side_by_side as (
    select
        days.activity_date,
        cast({{ dbt.date_trunc('month', 'days.activity_date') }} as date) as month,
        days.generation,
        days.is_cost_loaded,
        days.is_cost_settled,
        case when days.is_cost_loaded then coalesce(sums.spend_usd, 0) end as rows_usd,
        case when days.is_cost_loaded then coalesce(sums.list_price_usd, 0) end as rows_list_price_usd,
        case when days.is_cost_totals_loaded then coalesce(totals.spend_usd, 0) end as total_usd,
        case when days.is_cost_totals_loaded then coalesce(totals.list_price_usd, 0) end as total_list_price_usd
    from days
    left join sums on days.activity_date = sums.activity_date
    left join totals on days.activity_date = totals.activity_date
    where days.is_cost_loaded or days.is_cost_totals_loaded
),

with_difference as (
    select
        activity_date,
        month,
        generation,
        is_cost_loaded,
        is_cost_settled,
        cast(rows_usd as decimal(38, 8)) as rows_usd,
        cast(rows_list_price_usd as decimal(38, 8)) as rows_list_price_usd,
        cast(coalesce(total_usd, rows_usd) as decimal(38, 8)) as total_usd,
        cast(coalesce(total_list_price_usd, rows_list_price_usd) as decimal(38, 8)) as total_list_price_usd,
        cast(coalesce(total_usd - coalesce(rows_usd, 0), 0) as decimal(38, 8)) as difference_usd,
        cast(
            coalesce(total_list_price_usd - coalesce(rows_list_price_usd, 0), 0) as decimal(38, 8)
        ) as list_price_difference_usd
    from side_by_side
)

select * from with_difference
