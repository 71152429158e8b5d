-- One row per month: people active in any assistant, counted once.
with

vendor_months as (
    select * from {{ ref('int_assistant_months') }}
),

usage as (
    select * from {{ ref('assistant_usage_monthly') }}
),

coverage as (
    select
        month,
        max(month_days) as month_days,
        max(case when vendor = 'claude' then covered_days else 0 end) as claude_covered_days,
        max(case when vendor = 'langdock' then covered_days else 0 end) as langdock_covered_days,
        coalesce(max(case when vendor = 'claude' then coverage end), 'none') as claude_coverage,
        max(case when vendor = 'langdock' then coverage end) as langdock_coverage,
        count(case when vendor not in ('claude', 'langdock') and coverage = 'full' then 1 end) as other_vendors_known
    from vendor_months
    group by month
),

langdock_use as (
    select count(*) > 0 as is_used
    from vendor_months
    where vendor = 'langdock'
),

other_use as (
    select count(distinct vendor) as other_vendors
    from vendor_months
    where vendor not in ('claude', 'langdock')
),

people as (
    select
        month,
        person_key,
        max(case when is_identified then 1 else 0 end) as is_identified,
        max(case when vendor = 'claude' then 1 else 0 end) as in_claude,
        max(case when vendor = 'langdock' then 1 else 0 end) as in_langdock
    from usage
    where is_active
    group by month, person_key
),

unknown_activity as (
    select
        month,
        count(*) as people
    from usage
    where is_active is null and coverage = 'full'
    group by month
),

counts as (
    select
        month,
        count(*) as all_people,
        sum(in_claude) as claude_people,
        sum(in_langdock) as langdock_people,
        sum(in_claude * in_langdock) as people_in_both,
        sum(case when in_claude + in_langdock = 0 then 1 else 0 end) as people_elsewhere_only,
        sum(1 - is_identified) as hidden_people
    from people
    group by month
),

-- Months without a row in the counts had nobody; whether that is known, coverage says.
by_month as (
    select
        coverage.month,
        coverage.claude_covered_days,
        coverage.langdock_covered_days,
        coverage.month_days,
        coverage.claude_coverage,
        case
            when langdock_use.is_used then coalesce(coverage.langdock_coverage, 'none') else 'not_used'
        end as langdock_coverage,
        coalesce(counts.all_people, 0) as all_people,
        coalesce(counts.claude_people, 0) as claude_people,
        coalesce(counts.langdock_people, 0) as langdock_people,
        coalesce(counts.people_in_both, 0) as people_in_both,
        coalesce(counts.hidden_people, 0) as hidden_people,
        coalesce(counts.people_elsewhere_only, 0) as people_elsewhere_only,
        coverage.other_vendors_known = other_use.other_vendors as are_others_known,
        unknown_activity.people is null as is_all_activity_known
    from coverage
    cross join langdock_use
    cross join other_use
    left join counts on coverage.month = counts.month
    left join unknown_activity on coverage.month = unknown_activity.month
),

-- Whoever hides may be anybody of the other vendor who is not in both already: as many pairs as there can be make the
-- lower bound, none the upper one. Two people with different e-mails are two. With a third vendor, everybody who hides
-- may be somebody else.
with_pairs as (
    select
        by_month.*,
        case
            when people_elsewhere_only > 0 then hidden_people
            when hidden_people <= claude_people - people_in_both and hidden_people <= langdock_people - people_in_both
                then hidden_people
            when claude_people <= langdock_people then claude_people - people_in_both
            else langdock_people - people_in_both
        end as possible_pairs,
        claude_coverage = 'full' and langdock_coverage in ('full', 'not_used') and is_all_activity_known
        and are_others_known
            as is_covered
    from by_month
),

bounds as (
    select
        month,
        case when claude_coverage = 'full' then cast(claude_people as bigint) end as claude_active_users,
        case
            when langdock_coverage = 'full' and is_all_activity_known then cast(langdock_people as bigint)
        end as langdock_active_users,
        case
            when is_covered and langdock_coverage = 'full' then cast(people_in_both as bigint)
        end as identified_users_of_both,
        case when is_covered then cast(hidden_people as bigint) end as unidentified_users,
        case when is_covered then cast(all_people - possible_pairs as bigint) end as active_users_lower_bound,
        case when is_covered then cast(all_people as bigint) end as active_users_upper_bound,
        case when is_covered and possible_pairs = 0 then cast(all_people as bigint) end as active_users,
        claude_coverage,
        langdock_coverage,
        cast(claude_covered_days as bigint) as claude_covered_days,
        cast(langdock_covered_days as bigint) as langdock_covered_days,
        cast(month_days as bigint) as month_days
    from with_pairs
)

select * from bounds
