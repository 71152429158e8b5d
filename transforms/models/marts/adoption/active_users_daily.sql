-- One row per UTC day that the API's window or our warehouse covers.
with

days as (
    select * from {{ ref('int_days') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

computed as (
    select * from {{ ref('int_rolling_active_users') }}
    where product = 'all'
),

reported_and_computed as (
    select
        days.activity_date,
        summaries.daily_active_users as reported_daily_active_users,
        summaries.weekly_active_users as reported_weekly_active_users,
        summaries.monthly_active_users as reported_monthly_active_users,
        computed.computed_daily_active_users,
        computed.computed_weekly_active_users,
        computed.computed_monthly_active_users,
        {{ rate('summaries.daily_active_users', 'summaries.monthly_active_users') }} as stickiness_rate,
        days.covered_days_in_30
    from days
    left join summaries on days.activity_date = summaries.activity_date
    left join computed on days.activity_date = computed.activity_date
)

select * from reported_and_computed
