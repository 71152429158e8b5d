-- One row per seat tier and period with one price. The end is not in the period.
with

seat_prices as (
    select * from {{ ref('stg_seat_prices') }}
),

starts as (
    select
        seat_tier,
        coalesce(valid_from_date, cast('0001-01-01' as date)) as valid_from_date,
        usd_per_month
    from seat_prices
),

periods as (
    select
        seat_tier,
        valid_from_date,
        coalesce(
            lead(valid_from_date) over (partition by seat_tier order by valid_from_date),
            cast('9999-12-31' as date)
        ) as valid_until_date,
        cast(usd_per_month as decimal(38, 8)) as usd_per_month
    from starts
)

select * from periods
