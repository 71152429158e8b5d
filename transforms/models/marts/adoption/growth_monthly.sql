-- One row per month.
with

months as (
    select * from {{ ref('int_months') }}
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

active as (
    select
        month,
        count(*) as active_users,
        count(case when first_active_month = month then 1 end) as new_users,
        count(
            case when {{ months_from('previous_active_month', 'month') }} = 1 then 1 end
        ) as retained_users,
        count(
            case when {{ months_from('previous_active_month', 'month') }} > 1 then 1 end
        ) as resurrected_users,
        count(
            case
                when
                    next_active_month is null
                    or {{ months_from('month', 'next_active_month') }} > 1
                    then 1
            end
        ) as users_churned_after
    from user_months
    group by month
),

-- In a month that is loaded throughout, nobody found means that nobody was active: 0.
counted as (
    select
        months.month,
        months.history_start_date,
        months.covered_days,
        months.month_days,
        months.is_covered,
        months.is_covered and months.is_previous_covered as is_comparable,
        coalesce(active.active_users, 0) as active_users,
        lag(coalesce(active.active_users, 0)) over (order by months.month) as previous_active_users,
        coalesce(active.new_users, 0) as new_users,
        coalesce(active.retained_users, 0) as retained_users,
        coalesce(active.resurrected_users, 0) as resurrected_users,
        lag(coalesce(active.users_churned_after, 0)) over (order by months.month) as churned_users
    from months
    left join active on months.month = active.month
),

compared as (
    select
        month,
        history_start_date,
        case when is_covered then active_users end as active_users,
        case when is_comparable then previous_active_users end as previous_active_users,
        case when is_comparable then new_users end as new_users,
        case when is_comparable then retained_users end as retained_users,
        case when is_comparable then resurrected_users end as resurrected_users,
        case when is_comparable then churned_users end as churned_users,
        covered_days,
        month_days
    from counted
),

with_rates as (
    select
        month,
        history_start_date,
        active_users,
        previous_active_users,
        new_users,
        retained_users,
        resurrected_users,
        churned_users,
        {{ rate('retained_users', 'previous_active_users') }} as retention_rate,
        {{ rate('churned_users', 'previous_active_users') }} as churn_rate,
        covered_days,
        month_days
    from compared
)

select * from with_rates
