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

charged as (
    select
        coalesce(corrected_month, month) as corrected_month,
        cost_pool,
        sum(amount_usd) as amount_usd
    from closed_months
    where record_type = 'line' and amount_usd is not null
    group by coalesce(corrected_month, month), cost_pool
),

-- What the closed months would be billed now, less what they were, belongs to the open month's bill.
bills as (
    select
        pools.month,
        pools.cost_pool,
        pools.billed_usd,
        cast(0 as decimal(38, 8)) as corrections_usd,
        pools.covered_days,
        pools.is_settled,
        pools.note
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
        is_settled,
        case when amount_usd is null then 'Not known when the month was closed.' end as note
    from closed_months
    where record_type = 'bill'
    union all
    select
        open_month.month,
        pools.cost_pool,
        pools.billed_usd,
        pools.billed_usd as corrections_usd,
        cast(null as bigint) as covered_days,
        cast(null as boolean) as is_settled,
        cast(null as {{ dbt.type_string() }}) as note
    from pools
    inner join closed on pools.month = closed.month
    cross join open_month
    where pools.billed_usd is not null
    union all
    select
        open_month.month,
        charged.cost_pool,
        -charged.amount_usd as billed_usd,
        -charged.amount_usd as corrections_usd,
        cast(null as bigint) as covered_days,
        cast(null as boolean) as is_settled,
        cast(null as {{ dbt.type_string() }}) as note
    from charged
    cross join open_month
    left join pools on charged.corrected_month = pools.month and charged.cost_pool = pools.cost_pool
    where pools.month is null or pools.billed_usd is not null
),

billed as (
    select
        month,
        cost_pool,
        cast({{ sum_of_known('billed_usd') }} as decimal(38, 8)) as billed_usd,
        cast(sum(corrections_usd) as decimal(38, 8)) as corrections_usd,
        coalesce(max(covered_days), 0) as covered_days,
        coalesce(min(case when is_settled then 1 when not is_settled then 0 end), 0) = 1 as is_settled,
        count(is_settled) as bill_count,
        max(note) as note
    from bills
    group by month, cost_pool
),

allocated as (
    select
        month,
        cost_pool,
        cast({{ sum_of_known('amount_usd') }} as decimal(38, 8)) as allocated_usd,
        count(*) as line_count
    from chargeback
    group by month, cost_pool
),

-- A pool of a month that lost its allocation has 0 allocated, and so a difference.
with_allocated as (
    select
        billed.*,
        case
            when allocated.line_count is null then cast(0 as decimal(38, 8)) else allocated.allocated_usd
        end as allocated_usd
    from billed
    left join allocated
        on billed.month = allocated.month and billed.cost_pool = allocated.cost_pool
    -- An open month without cost of its own, into which nothing is corrected, is no month yet.
    where billed.bill_count > 0 or billed.billed_usd <> 0 or allocated.line_count is not null
),

compared as (
    select
        with_allocated.month,
        with_allocated.cost_pool,
        case with_allocated.cost_pool
            when 'metered' then 'Spend of people: all that the reports of users show.'
            when 'shared' then 'Spend without a person: missing in the reports of users.'
            when 'seats' then 'Seat fees, from prices or the configured amount.'
            when 'unexplained' then 'What the organisation''s total has beyond the rows by actor.'
        end as meaning,
        with_allocated.billed_usd,
        with_allocated.corrections_usd,
        with_allocated.allocated_usd,
        cast(with_allocated.billed_usd - with_allocated.allocated_usd as decimal(38, 8)) as difference_usd,
        with_allocated.note,
        with_allocated.covered_days,
        closed.month is not null as is_closed,
        with_allocated.is_settled
    from with_allocated
    left join closed on with_allocated.month = closed.month
)

select * from compared
