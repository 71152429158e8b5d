-- One row per connector ever used in our data.
with

usage_days as (
    select * from {{ ref('connector_usage_daily') }}
    where connector_name is not null
),

coverage as (
    select * from {{ ref('int_usage_coverage') }}
    where endpoint = 'connectors'
),

approvals as (
    select * from {{ ref('int_name_approvals') }}
    where kind = 'connector'
),

labels_in_order as (
    select
        connector_name,
        connector_display_name,
        row_number() over (partition by connector_name order by activity_date desc) as labels_since
    from usage_days
    where connector_display_name is not null
),

-- A day of which the users are unknown makes their sum unknown.
by_name as (
    select
        connector_name,
        min(activity_date) as first_seen_date,
        max(activity_date) as last_seen_date,
        count(*) as used_days,
        case when count(*) = count(distinct_user_count) then cast(sum(distinct_user_count) as bigint) end
            as distinct_user_days,
        max(distinct_user_count) as max_daily_users,
        cast(sum(read_call_count) as bigint) as read_call_count,
        cast(sum(write_call_count) as bigint) as write_call_count,
        cast(sum(unclassified_call_count) as bigint) as unclassified_call_count
    from usage_days
    group by connector_name
),

with_approval as (
    select
        by_name.connector_name,
        labels_in_order.connector_display_name,
        coalesce(approvals.approval, 'unreviewed') as approval,
        approvals.owner as approval_owner,
        approvals.reviewed_date,
        by_name.first_seen_date,
        by_name.last_seen_date,
        by_name.used_days,
        by_name.distinct_user_days,
        by_name.max_daily_users,
        by_name.read_call_count,
        by_name.write_call_count,
        by_name.unclassified_call_count,
        coverage.history_start_date,
        coverage.as_of_date,
        coverage.covered_days,
        coverage.missing_days,
        {{ days_from('by_name.first_seen_date', 'coverage.as_of_date') }} as days_since_first_seen,
        {{ days_from('by_name.last_seen_date', 'coverage.as_of_date') }} as days_since_last_seen,
        {{ days_from('approvals.reviewed_date', 'coverage.as_of_date') }} as days_since_review
    from by_name
    cross join coverage
    left join approvals on by_name.connector_name = approvals.name
    left join labels_in_order
        on by_name.connector_name = labels_in_order.connector_name and labels_in_order.labels_since = 1
),

with_reasons as (
    select
        connector_name,
        connector_display_name,
        first_seen_date,
        last_seen_date,
        approval,
        approval_owner,
        reviewed_date,
        {{ reasons([
            ("approval = 'banned' and days_since_last_seen < 30", "'banned and used in the last 30 days'"),
            ("approval = 'unreviewed'", "'unreviewed'"),
            ("approval <> 'approved' and write_call_count > 0", "'writes without approval'"),
            ("approval <> 'approved' and unclassified_call_count > 0", "'calls of which nobody knows what they do'"),
            ("first_seen_date > history_start_date and days_since_first_seen < 30", "'new in the last 30 days'"),
            ("approval = 'approved' and days_since_review >= 365", "'reviewed a year ago or longer'")
        ]) }} as risk_reasons,
        used_days,
        distinct_user_days,
        max_daily_users,
        read_call_count,
        write_call_count,
        unclassified_call_count,
        history_start_date,
        as_of_date,
        covered_days,
        missing_days
    from with_approval
)

select * from with_reasons
