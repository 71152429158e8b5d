-- One row per month and cost pool.
with

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

chargeback as (
    select * from {{ ref('chargeback_monthly') }}
),

closed as (
    select distinct month from closed_months
),

open_month as (
    select cast({{ dbt.dateadd('month', 1, 'max(month)') }} as date) as month
    from closed
),

-- What the closed months would be billed now, less what they were, belongs to the open month's bill.
bills as (
    select
        pools.month,
        pools.cost_pool,
        pools.billed_usd,
        cast(0 as decimal(38, 8)) as corrections_usd,
        pools.covered_days,
        pools.is_settled
    from pools
    left join closed on pools.month = closed.month
    where closed.month is null
    union all
    select
        month,
        cost_pool,
        amount_usd as billed_usd,
        cast(0 as decimal(38, 8)) as corrections_usd,
        covered_days,
        is_settled
    from closed_months
    where record_type = 'bill'
    union all
    select
        open_month.month,
        pools.cost_pool,
        pools.billed_usd,
        pools.billed_usd as corrections_usd,
        cast(null as bigint) as covered_days,
        cast(null as boolean) as is_settled
    from pools
    inner join closed on pools.month = closed.month
    cross join open_month
    union all
    select
        open_month.month,
        closed_months.cost_pool,
        -closed_months.amount_usd as billed_usd,
        -closed_months.amount_usd as corrections_usd,
        cast(null as bigint) as covered_days,
        cast(null as boolean) as is_settled
    from closed_months
    cross join open_month
    where closed_months.record_type = 'bill'
),

billed as (
    select
        month,
        cost_pool,
        cast(sum(billed_usd) as decimal(38, 8)) as billed_usd,
        cast(sum(corrections_usd) as decimal(38, 8)) as corrections_usd,
        coalesce(max(covered_days), 0) as covered_days,
        coalesce(min(case when is_settled then 1 when not is_settled then 0 end), 0) = 1 as is_settled,
        count(is_settled) as bill_count
    from bills
    group by month, cost_pool
),

allocated as (
    select
        month,
        cost_pool,
        cast(sum(amount_usd) as decimal(38, 8)) as allocated_usd
    from chargeback
    group by month, cost_pool
),

-- A pool of a month that lost its allocation has 0 allocated, and so a difference.
compared as (
    select
        billed.month,
        billed.cost_pool,
        case billed.cost_pool
            when 'metered' then 'Spend of people: all that the reports of users show.'
            when 'shared' then 'Spend without a person: missing in the reports of users.'
            when 'seats' then 'Seat fees, from prices or the configured amount.'
            when 'unexplained' then 'What the organisation''s total has beyond the rows by actor.'
        end as meaning,
        billed.billed_usd,
        billed.corrections_usd,
        coalesce(allocated.allocated_usd, cast(0 as decimal(38, 8))) as allocated_usd,
        cast(
            billed.billed_usd - coalesce(allocated.allocated_usd, cast(0 as decimal(38, 8))) as decimal(38, 8)
        ) as difference_usd,
        billed.covered_days,
        closed.month is not null as is_closed,
        billed.is_settled
    from billed
    left join closed on billed.month = closed.month
    left join allocated
        on billed.month = allocated.month and billed.cost_pool = allocated.cost_pool
    -- An open month without cost of its own, into which nothing is corrected, is no month yet.
    where billed.bill_count > 0 or billed.billed_usd <> 0 or allocated.allocated_usd is not null
)

select * from compared
