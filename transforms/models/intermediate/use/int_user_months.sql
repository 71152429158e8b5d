-- One row per month and person active in it.
with

user_activity as (
    select * from {{ ref('user_activity_daily') }}
    where is_active
),

user_months as (
    select
        user_id,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        count(*) as active_days
    from user_activity
    group by user_id, cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

with_history as (
    select
        user_id,
        month,
        active_days,
        min(month) over (partition by user_id) as first_active_month,
        lag(month) over (partition by user_id order by month) as previous_active_month,
        lead(month) over (partition by user_id order by month) as next_active_month
    from user_months
)

select * from with_history
