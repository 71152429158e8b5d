-- One row per month and cost pool: what is billed of it, before any split.
-- The pools of cost together are the organisation's own total: metered is what its people and the Console's keys of
-- theirs spent, shared what is nobody's, and unexplained what the total has beyond the rows, or they beyond it. Seat
-- fees can be unknown: null.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where spend_usd is not null
),

totals as (
    select * from {{ ref('int_spend_totals_daily') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_monthly') }}
),

months as (
    select
        month,
        count(case when is_cost_loaded then 1 end) as covered_days,
        count(case when is_cost_settled then 1 end) as settled_days,
        sum(difference_usd) as difference_usd,
        sum(list_price_difference_usd) as list_price_difference_usd
    from totals
    group by month
),

month_ends as (
    select
        months.*,
        {{ dbt.last_day('month', 'month') }} as last_date
    from months
),

month_lengths as (
    select
        month_ends.*,
        {{ days_from('month', 'last_date') }} + 1 as month_days
    from month_ends
),

month_states as (
    select
        month_lengths.*,
        settled_days = month_days as is_settled
    from month_lengths
),

spend_with_pool as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        case when charged_user_id is not null then 'metered' else 'shared' end as cost_pool,
        spend_usd,
        list_price_usd
    from spend
),

spend_by_pool as (
    select
        month,
        cost_pool,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from spend_with_pool
    group by month, cost_pool
),

spend_pools as (
    select 'metered' as cost_pool
    union all
    select 'shared' as cost_pool
),

-- In a month with cost a pool in which nothing was spent is 0.
pools as (
    select
        month_states.month,
        spend_pools.cost_pool,
        cast(coalesce(spend_by_pool.spend_usd, 0) as decimal(38, 8)) as billed_usd,
        cast(coalesce(spend_by_pool.list_price_usd, 0) as decimal(38, 8)) as list_price_usd,
        cast(month_states.covered_days as bigint) as covered_days,
        month_states.is_settled,
        cast(null as {{ dbt.type_string() }}) as note
    from month_states
    cross join spend_pools
    left join spend_by_pool
        on month_states.month = spend_by_pool.month and spend_pools.cost_pool = spend_by_pool.cost_pool
    union all
    select
        month,
        'unexplained' as cost_pool,
        cast(difference_usd as decimal(38, 8)) as billed_usd,
        cast(list_price_difference_usd as decimal(38, 8)) as list_price_usd,
        cast(covered_days as bigint) as covered_days,
        is_settled,
        cast(null as {{ dbt.type_string() }}) as note
    from month_states
    where difference_usd <> 0 or list_price_difference_usd <> 0
    union all
    select
        month,
        'seats' as cost_pool,
        billed_usd,
        billed_usd as list_price_usd,
        covered_days,
        is_settled,
        case
            when billed_usd is null then 'No price is in force for seats of these tiers: ' || unpriced_tiers
        end as note
    from seat_fees
)

select * from pools
