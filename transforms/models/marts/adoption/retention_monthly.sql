-- One row per first-active month and months since, up to the newest month.
with

months as (
    select * from {{ ref('int_months') }}
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

pairs as (
    select
        cohorts.month as first_active_month,
        {{ months_from('cohorts.month', 'months.month') }} as months_since,
        months.month,
        cohorts.history_start_date,
        cohorts.is_covered and cohorts.is_previous_covered as is_cohort_known,
        months.is_covered as is_month_known,
        months.covered_days,
        months.month_days
    from months as cohorts
    inner join months on cohorts.month <= months.month
),

people as (
    select
        first_active_month,
        month,
        count(*) as users
    from user_months
    group by first_active_month, month
),

-- In months that are loaded throughout, nobody found means nobody: 0.
cohorts_over_time as (
    select
        pairs.first_active_month,
        pairs.months_since,
        pairs.month,
        pairs.history_start_date,
        case when pairs.is_cohort_known then coalesce(cohort_people.users, 0) end as cohort_users,
        case
            when pairs.is_cohort_known and pairs.is_month_known then coalesce(people.users, 0)
        end as retained_users,
        pairs.covered_days,
        pairs.month_days
    from pairs
    left join people as cohort_people
        on
            pairs.first_active_month = cohort_people.first_active_month
            and pairs.first_active_month = cohort_people.month
    left join people
        on
            pairs.first_active_month = people.first_active_month
            and pairs.month = people.month
),

with_rates as (
    select
        first_active_month,
        months_since,
        month,
        history_start_date,
        cohort_users,
        retained_users,
        {{ rate('retained_users', 'cohort_users') }} as retention_rate,
        covered_days,
        month_days
    from cohorts_over_time
)

select * from with_rates
