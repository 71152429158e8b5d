-- One row per month with seat fees: what the organisation pays, before any split. Null where prices are in force in the
-- month, and none for seats of a tier in it.
with

days as (
    select * from {{ ref('int_days') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_daily') }}
),

price_periods as (
    select * from {{ ref('int_billed_price_periods') }}
),

months as (
    select
        cast({{ dbt.date_trunc('month', 'days.activity_date') }} as date) as month,
        count(case when days.is_users_loaded then 1 end) as covered_days,
        count(
            case
                when days.is_users_settled and days.is_summaries_settled and summaries.assigned_seats is not null
                    then 1
            end
        ) as settled_days
    from days
    left join summaries on days.activity_date = summaries.activity_date
    group by cast({{ dbt.date_trunc('month', 'days.activity_date') }} as date)
),

month_lengths as (
    select
        month,
        covered_days,
        settled_days,
        {{ days_from('month', dbt.last_day('month', 'month')) }} + 1 as month_days
    from months
),

fees as (
    select
        month,
        sum(fee_parts) as fee_parts,
        count(case when has_price then 1 end) as priced_rows,
        count(*) as seat_rows
    from seat_fees
    group by month
),

tier_days_without_price as (
    select
        month,
        activity_date,
        seat_tier,
        sum(seat_count) as seat_count
    from seat_fees
    where not has_price
    group by month, activity_date, seat_tier
),

closed_months as (
    select distinct closed_month from price_periods
    where closed_month is not null
),

months_with_price as (
    select distinct fees.month
    from fees
    left join closed_months on fees.month = closed_months.closed_month
    inner join price_periods
        on
            closed_months.closed_month is not distinct from price_periods.closed_month
            and {{ dbt.last_day('fees.month', 'month') }} >= price_periods.valid_from_date
            and fees.month < price_periods.valid_until_date
),

tiers_without_price as (
    select
        tier_days_without_price.month,
        tier_days_without_price.seat_tier,
        tier_days_without_price.seat_tier
        || ' (' || cast(max(tier_days_without_price.seat_count) as {{ dbt.type_string() }}) || ')' as tier_and_seats
    from tier_days_without_price
    inner join months_with_price on tier_days_without_price.month = months_with_price.month
    group by tier_days_without_price.month, tier_days_without_price.seat_tier
),

unpriced as (
    select
        month,
        {{ dbt.listagg('tier_and_seats', "', '", 'order by seat_tier') }} as unpriced_tiers
    from tiers_without_price
    group by month
),

settings as (
    select * from {{ ref('int_chargeback_settings') }}
),

month_fees as (
    select
        month_lengths.month,
        month_lengths.covered_days,
        month_lengths.settled_days = month_lengths.month_days as is_settled,
        case when fees.priced_rows = fees.seat_rows then fees.fee_parts end as fee_parts,
        unpriced.unpriced_tiers,
        {{ exact_integer(fee_parts_per_unit()) }} * month_lengths.month_days as parts_per_unit
    from month_lengths
    left join fees on month_lengths.month = fees.month
    left join unpriced on month_lengths.month = unpriced.month
),

-- Half a unit is added before the division, which rounds to the nearest unit of 0.00000001 USD, once.
rounded_fees as (
    select
        month_fees.*,
        {{ quotient('2 * fee_parts + parts_per_unit', '2 * parts_per_unit') }} as fee_units
    from month_fees
),

billed as (
    select
        rounded_fees.month,
        cast(rounded_fees.covered_days as bigint) as covered_days,
        rounded_fees.unpriced_tiers,
        coalesce(settings.monthly_amount_usd, {{ units_to_usd('rounded_fees.fee_units') }}) as billed_usd,
        rounded_fees.is_settled
    from rounded_fees
    inner join settings on rounded_fees.month = settings.month
),

with_states as (
    select
        month,
        covered_days,
        unpriced_tiers,
        billed_usd,
        is_settled and billed_usd is not null as is_settled
    from billed
)

select * from with_states
where billed_usd is not null or unpriced_tiers is not null
