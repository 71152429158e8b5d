-- One row per UTC day and metric: what the API reports beside what its user rows add up to.
with

days as (
    select * from {{ ref('int_days') }}
),

active_users as (
    select * from {{ ref('active_users_daily') }}
),

product_active_users as (
    select * from {{ ref('product_active_users_daily') }}
),

all_active_users as (
    select
        activity_date,
        '' as metric_prefix,
        reported_daily_active_users,
        reported_weekly_active_users,
        reported_monthly_active_users,
        computed_daily_active_users,
        computed_weekly_active_users,
        computed_monthly_active_users,
        30 as monthly_window_days
    from active_users
    union all
    select
        activity_date,
        product || '_' as metric_prefix,
        reported_daily_active_users,
        reported_weekly_active_users,
        reported_monthly_active_users,
        computed_daily_active_users,
        computed_weekly_active_users,
        computed_monthly_active_users,
        monthly_window_days
    from product_active_users
),

metrics as (
    select
        activity_date,
        metric_prefix || 'daily_active_users' as metric,
        reported_daily_active_users as reported,
        computed_daily_active_users as computed,
        1 as window_days
    from all_active_users
    union all
    select
        activity_date,
        metric_prefix || 'weekly_active_users' as metric,
        reported_weekly_active_users as reported,
        computed_weekly_active_users as computed,
        7 as window_days
    from all_active_users
    union all
    select
        activity_date,
        metric_prefix || 'monthly_active_users' as metric,
        reported_monthly_active_users as reported,
        computed_monthly_active_users as computed,
        monthly_window_days as window_days
    from all_active_users
),

-- The newest day up to each one that has not settled, or is not loaded.
day_states as (
    select
        activity_date,
        is_users_loaded,
        is_summaries_loaded,
        is_summaries_settled,
        max(case when not is_users_loaded then activity_date end) over (
            order by activity_date rows between unbounded preceding and current row
        ) as last_missing_date,
        max(case when not is_users_settled then activity_date end) over (
            order by activity_date rows between unbounded preceding and current row
        ) as last_unsettled_date,
        min(activity_date) over () as first_date
    from days
),

window_states as (
    select
        metrics.activity_date,
        metrics.metric,
        metrics.reported,
        metrics.computed,
        metrics.reported - metrics.computed as difference,
        day_states.is_users_loaded and day_states.is_summaries_loaded as is_loaded,
        coalesce(
            {{ days_from('day_states.last_missing_date', 'metrics.activity_date') }} < metrics.window_days,
            false
        )
        or {{ days_from('day_states.first_date', 'metrics.activity_date') }} + 1 < metrics.window_days
            as is_window_open,
        not day_states.is_summaries_settled
        or coalesce(
            {{ days_from('day_states.last_unsettled_date', 'metrics.activity_date') }} < metrics.window_days,
            false
        ) as is_revision_pending
    from metrics
    inner join day_states on metrics.activity_date = day_states.activity_date
),

with_reason as (
    select
        activity_date,
        metric,
        reported,
        computed,
        difference,
        case
            when difference = 0 then null
            when not is_loaded then 'not loaded'
            when computed is null and is_window_open then 'window not fully covered'
            when difference is null then 'not reported'
            when is_revision_pending then 'revision pending'
            when metric like 'claude\_tag\_%' escape '\' and difference > 0 then 'includes unlinked Slack users'
            when difference > 0 then 'people who left are counted'
            else 'definitions of active differ'
        end as reason
    from window_states
)

select * from with_reason
