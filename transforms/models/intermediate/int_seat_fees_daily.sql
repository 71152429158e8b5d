-- One row per UTC day, department, cost center and seat tier that holds seats, with what they weigh in the month's fee.
with

seat_days as (
    select * from {{ ref('int_seat_days') }}
),

price_periods as (
    select * from {{ ref('int_seat_price_periods') }}
),

-- A tier without a price of its own costs the default price.
with_price as (
    select
        seat_days.activity_date,
        seat_days.month,
        seat_days.department,
        seat_days.cost_center,
        seat_days.seat_tier,
        seat_days.parts_per_seat,
        seat_days.seat_count,
        {{ exact_integer('seat_days.seat_parts') }} as seat_parts,
        {{ usd_to_units('coalesce(tier_prices.usd_per_month, default_prices.usd_per_month)') }} as price_units
    from seat_days
    left join price_periods as tier_prices
        on
            seat_days.seat_tier = tier_prices.seat_tier
            and seat_days.activity_date >= tier_prices.valid_from_date
            and seat_days.activity_date < tier_prices.valid_until_date
    left join price_periods as default_prices
        on
            default_prices.seat_tier = 'default'
            and seat_days.activity_date >= default_prices.valid_from_date
            and seat_days.activity_date < default_prices.valid_until_date
),

with_fee as (
    select
        with_price.*,
        seat_parts * price_units as fee_parts
    from with_price
)

select * from with_fee
