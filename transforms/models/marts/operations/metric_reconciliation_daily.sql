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

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where endpoint = 'users'
),

departures as (
    select * from {{ ref('int_departures') }}
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
    where is_active
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
        metrics.window_days,
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

differing_windows as (
    select distinct
        window_states.activity_date,
        window_states.window_days,
        cast(
            {{ dbt.dateadd('day', '1 - window_states.window_days', 'window_states.activity_date') }} as date
        ) as first_date,
        cast(days_loaded.fetched_at as date) as fetched_date
    from window_states
    inner join days_loaded on window_states.activity_date = days_loaded.activity_date
    where window_states.difference > 0
),

last_member_dates as (
    select
        user_id,
        max(valid_until_date) as left_date
    from member_periods
    group by user_id
),

leavers as (
    select
        user_id,
        cast(left_at as date) as left_date
    from departures
    union distinct
    select
        user_id,
        left_date
    from last_member_dates
    where left_date < cast('9999-12-31' as date)
),

-- Who left before a day was read is in its summary and not in its rows of people, unless these know them from before.
leavers_in_windows as (
    select
        differing_windows.activity_date,
        differing_windows.window_days,
        leavers.user_id
    from differing_windows
    inner join leavers
        on
            differing_windows.first_date <= leavers.left_date
            and differing_windows.fetched_date >= leavers.left_date
    left join user_activity
        on
            leavers.user_id = user_activity.user_id
            and differing_windows.first_date <= user_activity.activity_date
            and differing_windows.activity_date >= user_activity.activity_date
    group by differing_windows.activity_date, differing_windows.window_days, leavers.user_id
    having count(user_activity.user_id) = 0
),

leaver_counts as (
    select
        activity_date,
        window_days,
        count(*) as leaver_count
    from leavers_in_windows
    group by activity_date, window_days
),

-- Whoever has chat and Cowork unified is in our numbers of both, and in the reported ones of neither.
unified as (
    select
        activity_date,
        replace(metric, '_cowork_unified', '') as chat_metric,
        replace(metric, 'chat_cowork_unified', 'cowork') as cowork_metric,
        computed
    from window_states
    where metric like 'chat!_cowork!_unified!_%' escape '!'
),

with_reason as (
    select
        window_states.activity_date,
        window_states.metric,
        window_states.reported,
        window_states.computed,
        window_states.difference,
        case
            when window_states.difference = 0 then null
            when not window_states.is_loaded then 'not loaded'
            when window_states.computed is null and window_states.is_window_open then 'window not fully covered'
            when window_states.reported is null then 'not reported'
            when window_states.computed is null then 'not in the user rows'
            when window_states.is_revision_pending then 'revision pending'
            when
                window_states.metric like 'claude!_tag!_%' escape '!' and window_states.difference > 0
                then 'includes unlinked Slack users'
            when window_states.difference <= leaver_counts.leaver_count then 'people who left are counted'
            when -window_states.difference <= unified.computed then 'includes unified chat and Cowork'
        end as reason
    from window_states
    left join leaver_counts
        on
            window_states.activity_date = leaver_counts.activity_date
            and window_states.window_days = leaver_counts.window_days
            and window_states.difference > 0
    left join unified
        on
            window_states.activity_date = unified.activity_date
            and window_states.metric in (unified.chat_metric, unified.cowork_metric)
            and window_states.difference < 0
)

select * from with_reason
