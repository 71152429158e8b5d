-- One row per skill ever used or enabled in our data.
with

usage_days as (
    select * from {{ ref('skill_usage_daily') }}
    where skill_name is not null
),

coverage as (
    select * from {{ ref('int_usage_coverage') }}
    where endpoint = 'skills'
),

approvals as (
    select * from {{ ref('int_name_approvals') }}
    where kind = 'skill'
),

newest_days as (
    select
        skill_name,
        skill_display_name,
        share_status,
        row_number() over (partition by skill_name order by activity_date desc) as days_since
    from usage_days
),

-- A day of which the users are unknown makes their sum unknown.
by_name as (
    select
        skill_name,
        min(activity_date) as first_seen_date,
        max(activity_date) as last_seen_date,
        count(*) as used_days,
        case when count(*) = count(distinct_user_count) then cast(sum(distinct_user_count) as bigint) end
            as distinct_user_days,
        max(distinct_user_count) as max_daily_users,
        cast(sum(invocation_count) as bigint) as invocation_count,
        cast(sum(list_price_usd) as decimal(38, 8)) as list_price_usd
    from usage_days
    group by skill_name
),

with_approval as (
    select
        by_name.skill_name,
        newest_days.skill_display_name,
        newest_days.share_status,
        coalesce(approvals.approval, 'unreviewed') as approval,
        approvals.owner as approval_owner,
        approvals.reviewed_date,
        by_name.first_seen_date,
        by_name.last_seen_date,
        by_name.used_days,
        by_name.distinct_user_days,
        by_name.max_daily_users,
        by_name.invocation_count,
        by_name.list_price_usd,
        coverage.history_start_date,
        coverage.as_of_date,
        coverage.covered_days,
        coverage.missing_days,
        {{ days_from('by_name.first_seen_date', 'coverage.as_of_date') }} as days_since_first_seen,
        {{ days_from('by_name.last_seen_date', 'coverage.as_of_date') }} as days_since_last_seen,
        {{ days_from('approvals.reviewed_date', 'coverage.as_of_date') }} as days_since_review
    from by_name
    cross join coverage
    inner join newest_days on by_name.skill_name = newest_days.skill_name and newest_days.days_since = 1
    left join approvals on by_name.skill_name = approvals.name
),

with_reasons as (
    select
        skill_name,
        skill_display_name,
        first_seen_date,
        last_seen_date,
        share_status,
        approval,
        approval_owner,
        reviewed_date,
        {{ reasons([
            ("approval = 'banned' and days_since_last_seen < 30", "'banned and used in the last 30 days'"),
            ("approval = 'unreviewed'", "'unreviewed'"),
            ("approval <> 'approved' and share_status = 'public'", "'shared in public without approval'"),
            ("skill_name = 'unknown'", "'uses that are reported without a name'"),
            ("first_seen_date > history_start_date and days_since_first_seen < 30", "'new in the last 30 days'"),
            ("approval = 'approved' and days_since_review >= 365", "'reviewed a year ago or longer'")
        ]) }} as risk_reasons,
        used_days,
        distinct_user_days,
        max_daily_users,
        invocation_count,
        cast(null as bigint) as write_call_count,
        list_price_usd,
        history_start_date,
        as_of_date,
        covered_days,
        missing_days
    from with_approval
)

select * from with_reasons
