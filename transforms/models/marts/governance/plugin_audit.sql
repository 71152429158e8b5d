-- One row per plugin name ever used or installed in our data.
with

usage_days as (
    select * from {{ ref('plugin_usage_daily') }}
    where plugin_name is not null
),

coverage as (
    select * from {{ ref('int_usage_coverage') }}
    where endpoint = 'plugins'
),

approvals as (
    select * from {{ ref('int_name_approvals') }}
    where kind = 'plugin'
),

ids as (
    select distinct
        plugin_name,
        plugin_id
    from usage_days
    where plugin_id is not null
),

ids_by_name as (
    select
        plugin_name,
        count(*) as plugin_id_count,
        {{ dbt.listagg('plugin_id', "', '", 'order by plugin_id') }} as plugin_ids
    from ids
    group by plugin_name
),

days_by_name as (
    select
        activity_date,
        plugin_name,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        sum(invocation_count) as invocation_count
    from usage_days
    group by activity_date, plugin_name
),

-- A day of which the users are unknown, such as one with several plugins of the name, makes their sum unknown.
by_name as (
    select
        plugin_name,
        min(activity_date) as first_seen_date,
        max(activity_date) as last_seen_date,
        count(*) as used_days,
        case when count(*) = count(distinct_user_count) then cast(sum(distinct_user_count) as bigint) end
            as distinct_user_days,
        max(distinct_user_count) as max_daily_users,
        cast(sum(invocation_count) as bigint) as invocation_count
    from days_by_name
    group by plugin_name
),

with_approval as (
    select
        by_name.plugin_name,
        ids_by_name.plugin_ids,
        coalesce(approvals.approval, 'unreviewed') as approval,
        approvals.owner as approval_owner,
        approvals.reviewed_date,
        by_name.first_seen_date,
        by_name.last_seen_date,
        by_name.used_days,
        by_name.distinct_user_days,
        by_name.max_daily_users,
        by_name.invocation_count,
        ids_by_name.plugin_id_count,
        coverage.history_start_date,
        coverage.as_of_date,
        coverage.covered_days,
        coverage.missing_days,
        {{ days_from('by_name.first_seen_date', 'coverage.as_of_date') }} as days_since_first_seen,
        {{ days_from('by_name.last_seen_date', 'coverage.as_of_date') }} as days_since_last_seen,
        {{ days_from('approvals.reviewed_date', 'coverage.as_of_date') }} as days_since_review
    from by_name
    cross join coverage
    left join ids_by_name on by_name.plugin_name = ids_by_name.plugin_name
    left join approvals on by_name.plugin_name = approvals.name
),

with_reasons as (
    select
        plugin_name,
        first_seen_date,
        last_seen_date,
        plugin_ids,
        approval,
        approval_owner,
        reviewed_date,
        {{ reasons([
            ("approval = 'banned' and days_since_last_seen < 30", "'banned and used in the last 30 days'"),
            ("approval = 'unreviewed'", "'unreviewed'"),
            ("plugin_id_count is null", "'origin unknown'"),
            ("plugin_id_count > 1", "'several plugins of one name'"),
            ("first_seen_date > history_start_date and days_since_first_seen < 30", "'new in the last 30 days'"),
            ("approval = 'approved' and days_since_review >= 365", "'reviewed a year ago or longer'")
        ]) }} as risk_reasons,
        used_days,
        distinct_user_days,
        max_daily_users,
        invocation_count,
        cast(null as bigint) as write_call_count,
        history_start_date,
        as_of_date,
        covered_days,
        missing_days
    from with_approval
)

select * from with_reasons
