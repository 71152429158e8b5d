-- One row per month and cost pool.
with

billed as (
    select * from {{ ref('int_seat_fees_monthly') }}
),

chargeback as (
    select * from {{ ref('chargeback_monthly') }}
),

allocated as (
    select
        month,
        cost_pool,
        cast(sum(amount_usd) as decimal(38, 8)) as allocated_usd
    from chargeback
    group by month, cost_pool
),

-- A month that lost its allocation has 0 allocated, and so a difference.
compared as (
    select
        billed.month,
        'seats' as cost_pool,
        billed.billed_usd,
        coalesce(allocated.allocated_usd, cast(0 as decimal(38, 8))) as allocated_usd,
        cast(
            billed.billed_usd - coalesce(allocated.allocated_usd, cast(0 as decimal(38, 8))) as decimal(38, 8)
        ) as difference_usd,
        billed.covered_days,
        billed.is_settled
    from billed
    left join allocated
        on billed.month = allocated.month and allocated.cost_pool = 'seats'
)

select * from compared
