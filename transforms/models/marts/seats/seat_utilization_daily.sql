-- One row per UTC day.
with

days as (
    select * from {{ ref('int_days') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

inactive as (
    select * from {{ ref('int_inactive_seats') }}
),

utilization as (
    select
        days.activity_date,
        summaries.assigned_seats,
        summaries.pending_invites,
        summaries.science_entitled_users,
        {{ rate('summaries.daily_active_users', 'summaries.assigned_seats') }} as daily_utilization_rate,
        {{ rate('summaries.weekly_active_users', 'summaries.assigned_seats') }} as weekly_utilization_rate,
        {{ rate('summaries.monthly_active_users', 'summaries.assigned_seats') }} as monthly_utilization_rate,
        summaries.daily_adoption_rate as reported_daily_adoption_rate,
        summaries.weekly_adoption_rate as reported_weekly_adoption_rate,
        summaries.monthly_adoption_rate as reported_monthly_adoption_rate,
        case when days.covered_days_in_30 = 30 then inactive.inactive_seats end as inactive_seats
    from days
    left join summaries on days.activity_date = summaries.activity_date
    left join inactive on days.activity_date = inactive.activity_date
)

select * from utilization
