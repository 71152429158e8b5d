-- One row per month, department and cost center whose people spent: each day's spend where the person was that day.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where actor_type = 'user' and spend_usd is not null
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

spend_by_department as (
    select
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date) as month,
        department_periods.department,
        department_periods.cost_center,
        cast(sum(spend.spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(spend.list_price_usd) as decimal(38, 8)) as list_price_usd
    from spend
    inner join department_periods
        on
            spend.user_id = department_periods.user_id
            and spend.activity_date >= department_periods.valid_from_date
            and spend.activity_date < department_periods.valid_until_date
    group by
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date),
        department_periods.department,
        department_periods.cost_center
)

select * from spend_by_department
