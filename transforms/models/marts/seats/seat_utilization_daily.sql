-- One row per UTC day.
with

days as (
    select * from {{ ref('int_days') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

utilization as (
    select
        days.activity_date,
        summaries.assigned_seats,
        summaries.pending_invites,
        {{ rate('summaries.daily_active_users', 'summaries.assigned_seats') }} as daily_utilization_rate,
        {{ rate('summaries.weekly_active_users', 'summaries.assigned_seats') }} as weekly_utilization_rate,
        {{ rate('summaries.monthly_active_users', 'summaries.assigned_seats') }} as monthly_utilization_rate,
        cast(null as bigint) as inactive_seats
    from days
    left join summaries on days.activity_date = summaries.activity_date
)

select * from utilization
