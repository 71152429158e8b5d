-- One row per month that our days touch, with how much of it is loaded.
with

days as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        activity_date,
        is_users_loaded
    from {{ ref('int_days') }}
),

months as (
    select
        month,
        count(case when is_users_loaded then 1 end) as covered_days,
        min(case when is_users_loaded then activity_date end) as first_loaded_date
    from days
    group by month
),

with_lengths as (
    select
        month,
        cast({{ dbt.last_day('month', 'month') }} as date) as last_date,
        cast(covered_days as bigint) as covered_days,
        cast({{ days_from('month', dbt.last_day('month', 'month')) }} + 1 as bigint) as month_days,
        min(first_loaded_date) over () as history_start_date
    from months
),

with_states as (
    select
        with_lengths.*,
        covered_days = month_days as is_covered,
        coalesce(
            lag(case when covered_days = month_days then 1 else 0 end) over (order by month) = 1, false
        ) as is_previous_covered
    from with_lengths
)

select * from with_states
