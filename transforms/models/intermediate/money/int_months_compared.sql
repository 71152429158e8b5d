-- One row per month that is over and whose cost and usage are loaded whole, as are those of the month before.
with

days as (
    select * from {{ ref('int_spend_days') }}
),

days_by_region as (
    select activity_date
    from {{ ref('int_days_loaded') }}
    where endpoint in ('region_costs', 'region_usage')
    group by activity_date
    having count(*) = 2 * count(distinct coalesce(organization_id, ''))
),

drivers as (
    select * from {{ ref('spend_drivers_daily') }}
),

today as (
    select * from {{ ref('int_today') }}
),

-- Tokens without a type: cost was not asked by it on that day.
days_without_types as (
    select distinct activity_date
    from drivers
    where token_type is null and token_count > 0
),

months as (
    select
        cast({{ dbt.date_trunc('month', 'days.activity_date') }} as date) as month,
        count(case when days.is_cost_loaded and days.is_usage_loaded then 1 end) as covered_days,
        count(days_without_types.activity_date) = 0 as is_by_token_type,
        count(case when days.generation = 'unified' then days_by_region.activity_date end) as region_days
    from days
    left join days_by_region on days.activity_date = days_by_region.activity_date
    left join days_without_types on days.activity_date = days_without_types.activity_date
    group by cast({{ dbt.date_trunc('month', 'days.activity_date') }} as date)
),

with_lengths as (
    select
        months.*,
        cast({{ dbt.dateadd('month', -1, 'months.month') }} as date) as former_month,
        cast({{ dbt.last_day('month', 'month') }} as date) as last_date,
        {{ days_from('months.month', dbt.last_day('month', 'month')) }} + 1 as month_days
    from months
),

whole_months as (
    select with_lengths.*
    from with_lengths
    cross join today
    where with_lengths.covered_days = with_lengths.month_days and with_lengths.last_date < today.today_date
),

compared as (
    select
        whole_months.month,
        whole_months.former_month,
        whole_months.is_by_token_type and former_months.is_by_token_type as is_by_token_type,
        (
            whole_months.region_days = whole_months.month_days
            and former_months.region_days = former_months.month_days
        ) as is_by_region
    from whole_months
    inner join whole_months as former_months on whole_months.former_month = former_months.month
)

select * from compared
