-- One row per UTC day, department, cost center and seat tier that holds seats, with what they weigh in the month's fee:
-- parts of a monthly price, of which a unit of 0.00000001 USD has many, so that seats can be shared. `paid_seats` are
-- as many as are paid for where more people hold seats than there are.
with

seat_days as (
    select * from {{ ref('int_seat_days') }}
),

price_periods as (
    select * from {{ ref('int_billed_price_periods') }}
),

closed_months as (
    select distinct closed_month from price_periods
    where closed_month is not null
),

seat_days_by_close as (
    select
        seat_days.*,
        closed_months.closed_month
    from seat_days
    left join closed_months on seat_days.month = closed_months.closed_month
),

-- A tier without a price of its own costs the default price.
with_price as (
    select
        seat_days.*,
        {{ usd_to_units('coalesce(tier_prices.usd_per_month, default_prices.usd_per_month)') }} as price_units
    from seat_days_by_close as seat_days
    left join price_periods as tier_prices
        on
            seat_days.closed_month is not distinct from tier_prices.closed_month
            and seat_days.seat_tier = tier_prices.seat_tier
            and seat_days.activity_date >= tier_prices.valid_from_date
            and seat_days.activity_date < tier_prices.valid_until_date
    left join price_periods as default_prices
        on
            seat_days.closed_month is not distinct from default_prices.closed_month
            and default_prices.seat_tier = 'default'
            and seat_days.activity_date >= default_prices.valid_from_date
            and seat_days.activity_date < default_prices.valid_until_date
),

-- In a month without a price for each of its seats, as beside a configured amount, every seat weighs the same.
with_weight as (
    select
        with_price.*,
        case
            when count(price_units) over (partition by month) < count(*) over (partition by month)
                then {{ usd_to_units('1') }}
            else price_units
        end as weight_units
    from with_price
),

with_shares as (
    select
        with_weight.*,
        cast(
            {{ quotient('seat_count * shared_seats * ' ~ exact_integer('1000000000000'), 'sharing_holders') }}
            as decimal(26, 0)
        ) * 0.000000000001 as paid_seats,
        weight_units * {{ fee_parts_per_unit() }} * seat_count * shared_seats as shared_parts
    from with_weight
),

with_whole_parts as (
    select
        with_shares.*,
        {{ quotient('shared_parts', 'sharing_holders') }} as whole_parts
    from with_shares
),

-- The day's fee is rounded once; what is left after the whole parts goes to the largest remainders.
with_rank as (
    select
        with_whole_parts.*,
        row_number() over (
            partition by activity_date
            order by
                shared_parts - whole_parts * sharing_holders desc, department asc, cost_center asc, seat_tier asc
        ) as remainder_rank,
        sum(shared_parts - whole_parts * sharing_holders) over (partition by activity_date) as shared_parts_left
    from with_whole_parts
),

with_parts as (
    select
        activity_date,
        month,
        department,
        cost_center,
        seat_tier,
        seat_count,
        price_units is not null as has_price,
        {{ units_to_usd('price_units') }} as usd_per_month,
        cast(paid_seats as decimal(38, 12)) as paid_seats,
        whole_parts + case when remainder_rank * sharing_holders <= shared_parts_left then 1 else 0 end as fee_parts
    from with_rank
)

select * from with_parts
