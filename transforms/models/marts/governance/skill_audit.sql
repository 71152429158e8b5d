-- One row per skill ever used or enabled in our data.
with

usage_days as (
    select * from {{ ref('skill_usage_daily') }}
    where skill_name is not null
),

newest_days as (
    select
        skill_name,
        skill_display_name,
        share_status,
        row_number() over (partition by skill_name order by activity_date desc) as days_since
    from usage_days
),

{{ audited('skill', 'usage_days', ['invocation_count', 'list_price_usd']) }},

with_reasons as (
    select
        audited.skill_name,
        newest_days.skill_display_name,
        audited.first_seen_date,
        audited.last_seen_date,
        newest_days.share_status,
        audited.approval,
        audited.approval_owner,
        audited.reviewed_date,
        {{ audit_reasons([
            (
                "audited.approval <> 'approved' and newest_days.share_status = 'public'",
                "'shared in public without approval'"
            ),
            ("audited.skill_name = 'unknown'", "'uses that are reported without a name'")
        ]) }} as risk_reasons,
        audited.used_days,
        audited.distinct_user_days,
        audited.max_daily_users,
        audited.invocation_count,
        cast(null as bigint) as write_call_count,
        audited.list_price_usd,
        audited.history_start_date,
        audited.as_of_date,
        audited.covered_days,
        audited.missing_days
    from audited
    inner join newest_days on audited.skill_name = newest_days.skill_name and newest_days.days_since = 1
)

select * from with_reasons
