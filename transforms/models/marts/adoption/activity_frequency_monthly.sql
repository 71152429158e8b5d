-- One row per month and number of active days, from 1 to the days of the month.
with

months as (
    select * from {{ ref('int_months') }}
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

days_of_months as (
    select
        month,
        covered_days,
        month_days,
        is_covered,
        {{ days_between('month', 'last_date') }} as activity_date
    from months
),

numbers_of_days as (
    select
        month,
        covered_days,
        month_days,
        is_covered,
        cast({{ days_from('month', 'activity_date') }} + 1 as bigint) as active_days
    from days_of_months
),

people_by_active_days as (
    select
        month,
        active_days,
        count(*) as users
    from user_months
    group by month, active_days
),

-- In a month that is loaded throughout, nobody found means nobody: 0.
frequencies as (
    select
        numbers_of_days.month,
        numbers_of_days.active_days,
        case when numbers_of_days.is_covered then coalesce(people_by_active_days.users, 0) end as users,
        numbers_of_days.covered_days,
        numbers_of_days.month_days
    from numbers_of_days
    left join people_by_active_days
        on
            numbers_of_days.month = people_by_active_days.month
            and numbers_of_days.active_days = people_by_active_days.active_days
),

with_rates as (
    select
        month,
        active_days,
        users,
        {{ rate('users', 'sum(users) over (partition by month)') }} as user_rate,
        {{ rate(
            'sum(users) over (partition by month order by active_days desc)', 'sum(users) over (partition by month)'
        ) }} as user_rate_at_least,
        covered_days,
        month_days
    from frequencies
)

select * from with_rates
