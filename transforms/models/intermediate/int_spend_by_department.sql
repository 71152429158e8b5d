-- One row per month, department and cost center whose people spent: each day's spend where the person was that day.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where actor_type = 'user' and spend_usd is not null
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

spend_by_person as (
    select
        activity_date,
        user_id,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from spend
    group by activity_date, user_id
),

spend_by_department as (
    select
        cast({{ dbt.date_trunc('month', 'spend_by_person.activity_date') }} as date) as month,
        department_periods.department,
        department_periods.cost_center,
        cast(sum(spend_by_person.spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(spend_by_person.list_price_usd) as decimal(38, 8)) as list_price_usd
    from spend_by_person
    inner join department_periods
        on
            spend_by_person.user_id = department_periods.user_id
            and spend_by_person.activity_date >= department_periods.valid_from_date
            and spend_by_person.activity_date < department_periods.valid_until_date
    group by
        cast({{ dbt.date_trunc('month', 'spend_by_person.activity_date') }} as date),
        department_periods.department,
        department_periods.cost_center
)

select * from spend_by_department
