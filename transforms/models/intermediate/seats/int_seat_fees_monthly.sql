-- One row per month with seat fees: what the organisation pays, before any split.
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
        sum(fee_parts) as fee_parts
    from seat_fees
    where has_price
    group by month
),

configured as (
    select
        cast(
            nullif(
                '{{ var("chargeback_monthly_amount_usd") }}', ''
            ) as decimal(38, 8)
        ) as monthly_amount_usd
),

month_fees as (
    select
        month_lengths.month,
        month_lengths.covered_days,
        month_lengths.settled_days = month_lengths.month_days as is_settled,
        fees.fee_parts,
        {{ exact_integer(fee_parts_per_unit()) }} * month_lengths.month_days as parts_per_unit
    from month_lengths
    left join fees on month_lengths.month = fees.month
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
        rounded_fees.is_settled,
        coalesce(configured.monthly_amount_usd, {{ units_to_usd('rounded_fees.fee_units') }}) as billed_usd
    from rounded_fees
    cross join configured
)

select * from billed
where billed_usd is not null
