-- One row per month with seat fees whose cost is known, seat tier and price: how many seat-months, and what of the pool
-- they cost. Amounts are split in whole units of 0.00000001 USD by largest remainder, so that they are the pool.
with

pools as (
    select * from {{ ref('int_chargeback_pools') }}
    where cost_pool = 'seats' and billed_usd is not null
),

seat_fees as (
    select * from {{ ref('int_seat_fees_daily') }}
),

tiers as (
    select
        month,
        seat_tier,
        usd_per_month,
        sum(fee_parts) as fee_parts,
        {{ exact_integer('sum(paid_seats) * 1000000000000') }} as seat_day_trillionths
    from seat_fees
    group by month, seat_tier, usd_per_month
),

-- An amount of a month without a seat count is of no tier.
with_pool as (
    select
        pools.month,
        tiers.seat_tier,
        tiers.usd_per_month,
        tiers.seat_day_trillionths,
        {{ days_from('pools.month', dbt.last_day('pools.month', 'month')) }} + 1 as month_days,
        pools.covered_days,
        pools.is_settled,
        pools.billed_usd < 0 as is_negative,
        {{ usd_to_units('abs(pools.billed_usd)') }} as total_units,
        coalesce(tiers.fee_parts, 1) as fee_parts,
        sum(coalesce(tiers.fee_parts, 1)) over (partition by pools.month) as total_parts
    from pools
    left join tiers on pools.month = tiers.month
),

with_whole_units as (
    select
        with_pool.*,
        cast(
            {{ quotient('2 * seat_day_trillionths + month_days', '2 * month_days') }} as decimal(26, 0)
        ) * 0.000000000001 as seat_months,
        coalesce({{ quotient('total_units * fee_parts', 'nullif(total_parts, 0)') }}, 0) as whole_units
    from with_pool
),

with_rank as (
    select
        with_whole_units.*,
        row_number() over (
            partition by month
            order by
                total_units * fee_parts - whole_units * total_parts desc, seat_tier asc, usd_per_month asc
        ) as remainder_rank,
        total_units - sum(whole_units) over (partition by month) as units_left
    from with_whole_units
),

seat_charges as (
    select
        month,
        seat_tier,
        usd_per_month,
        cast(seat_months as decimal(38, 12)) as seat_months,
        is_settled,
        covered_days < month_days as is_estimated,
        {{ units_to_usd(
            'case when is_negative then -1 else 1 end'
            ~ ' * (whole_units + case when remainder_rank <= units_left then 1 else 0 end)'
        ) }} as billed_usd
    from with_rank
)

select * from seat_charges
