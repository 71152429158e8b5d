-- One row per seat tier and period with one price by which fees are billed; with `closed_month` those that a close
-- keeps for its month alone. The end is not in the period.
with

price_periods as (
    select * from {{ ref('int_seat_price_periods') }}
),

closed_settings as (
    select * from {{ ref('stg_closed_settings') }}
    where setting = 'seat_price'
),

closed_months as (
    select distinct closing_id from {{ ref('int_closed_months') }}
),

tiers as (
    select seat_tier from {{ ref('stg_org_chart') }}
    union distinct
    select seat_tier from price_periods
),

-- As tiers are written today.
spellings as (
    select
        {{ name_key('seat_tier') }} as tier_key,
        max(seat_tier) as seat_tier
    from tiers
    group by {{ name_key('seat_tier') }}
),

frozen as (
    select
        closed_settings.month,
        coalesce(spellings.seat_tier, closed_settings.setting_name) as seat_tier,
        closed_settings.valid_from_date,
        cast(closed_settings.setting_value as decimal(38, 8)) as usd_per_month
    from closed_settings
    left join spellings on {{ name_key('closed_settings.setting_name') }} = spellings.tier_key
    where closed_settings.closing_id in (select closed_months.closing_id from closed_months)
),

billed as (
    select
        cast(null as date) as closed_month,
        seat_tier,
        valid_from_date,
        valid_until_date,
        usd_per_month
    from price_periods
    union all
    select
        month as closed_month,
        seat_tier,
        valid_from_date,
        coalesce(
            lead(valid_from_date) over (partition by month, seat_tier order by valid_from_date),
            cast('9999-12-31' as date)
        ) as valid_until_date,
        usd_per_month
    from frozen
)

select * from billed
