-- One row per month, cost pool, department and cost center that bears a part of a pool which is split by weight.
-- Amounts are split in whole units of 0.00000001 USD by largest remainder, so that the parts are the whole.
with

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

weights as (
    select * from {{ ref('int_chargeback_weights') }}
),

measures as (
    select
        month,
        cost_pool,
        'amount' as measure,
        billed_usd as total_usd
    from pools
    union all
    select
        month,
        cost_pool,
        'list_price' as measure,
        list_price_usd as total_usd
    from pools
),

with_total as (
    select
        weights.month,
        weights.cost_pool,
        weights.allocation_method,
        weights.department,
        weights.cost_center,
        weights.weight,
        measures.measure,
        sum(weights.weight) over (partition by weights.month, weights.cost_pool, measures.measure) as total_weight,
        {{ usd_to_units('abs(measures.total_usd)') }} as total_units,
        {{ sign_of('measures.total_usd') }} as total_sign
    from weights
    inner join measures on weights.month = measures.month and weights.cost_pool = measures.cost_pool
),

with_whole_units as (
    select
        with_total.*,
        {{ quotient('total_units * weight', 'total_weight') }} as whole_units
    from with_total
),

with_rank as (
    select
        with_whole_units.*,
        row_number() over (
            partition by month, cost_pool, measure
            order by total_units * weight - whole_units * total_weight desc, department asc, cost_center asc
        ) as remainder_rank,
        total_units - sum(whole_units) over (partition by month, cost_pool, measure) as units_left
    from with_whole_units
),

parts as (
    select
        month,
        cost_pool,
        allocation_method,
        department,
        cost_center,
        measure,
        {{ units_to_usd('total_sign * (whole_units + case when remainder_rank <= units_left then 1 else 0 end)') }}
            as part_usd
    from with_rank
),

split as (
    select
        month,
        cost_pool,
        allocation_method,
        department,
        cost_center,
        cast(sum(case when measure = 'amount' then part_usd end) as decimal(38, 8)) as amount_usd,
        cast(sum(case when measure = 'list_price' then part_usd end) as decimal(38, 8)) as list_price_usd
    from parts
    group by month, cost_pool, allocation_method, department, cost_center
)

select * from split
