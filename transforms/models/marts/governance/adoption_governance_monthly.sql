-- One row per month: the numbers of the board's page.
with

months as (
    select * from {{ ref('int_months') }}
),

growth as (
    select * from {{ ref('growth_monthly') }}
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

seat_utilization as (
    select * from {{ ref('seat_utilization_daily') }}
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select
        cast(first_snapshot_at as date) as first_roster_date,
        cast(newest_snapshot_at as date) as newest_roster_date
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
),

name_approvals as (
    select * from {{ ref('int_name_approvals') }}
),

activity as (
    select
        month,
        sum(active_days) as active_user_days,
        count(case when active_days >= 10 then 1 end) as frequent_users
    from user_months
    group by month
),

assigned as (
    select
        months.month,
        seat_utilization.assigned_seats,
        seat_utilization.pending_invites
    from months
    inner join seat_utilization on months.last_date = seat_utilization.activity_date
),

roster_months as (
    select
        months.month,
        months.last_date,
        months.is_covered,
        snapshots.first_roster_date <= months.month as is_roster_known_throughout
    from months
    inner join snapshots
        on
            months.last_date >= snapshots.first_roster_date
            and months.last_date <= snapshots.newest_roster_date
),

seats as (
    select
        roster_months.month,
        member_periods.role not in ('user', 'managed', 'developer', 'claude_code_user') as is_privileged,
        user_months.user_id is not null as is_active,
        member_periods.joined_date >= roster_months.month as is_new
    from roster_months
    inner join member_periods
        on
            roster_months.last_date >= member_periods.valid_from_date
            and roster_months.last_date < member_periods.valid_until_date
    left join user_months
        on roster_months.month = user_months.month and member_periods.user_id = user_months.user_id
),

seats_by_month as (
    select
        month,
        count(*) as roster_seats,
        count(case when is_privileged then 1 end) as privileged_seats,
        count(case when is_active then 1 end) as active_seats,
        count(case when not is_active and is_new then 1 end) as new_seats,
        count(case when not is_active and not coalesce(is_new, false) then 1 end) as inactive_seats
    from seats
    group by month
),

last_periods as (
    select
        user_id,
        min(joined_date) as joined_date,
        max(valid_until_date) as valid_until_date
    from member_periods
    group by user_id
),

joiners_and_leavers as (
    select
        roster_months.month,
        count(
            case
                when last_periods.joined_date between roster_months.month and roster_months.last_date then 1
            end
        ) as joined_people,
        count(
            case
                when last_periods.valid_until_date between roster_months.month and roster_months.last_date then 1
            end
        ) as left_people
    from roster_months
    cross join last_periods
    where roster_months.is_roster_known_throughout
    group by roster_months.month
),

names_used as (
    select distinct
        'connector' as kind,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        connector_name as name
    from {{ ref('connector_usage_daily') }}
    where connector_name is not null
    union all
    select distinct
        'skill' as kind,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        skill_name as name
    from {{ ref('skill_usage_daily') }}
    where skill_name is not null
    union all
    select distinct
        'plugin' as kind,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        plugin_name as name
    from {{ ref('plugin_usage_daily') }}
    where plugin_name is not null
),

names_with_approval as (
    select
        names_used.kind,
        names_used.month,
        coalesce(name_approvals.approval, 'unreviewed') as approval
    from names_used
    left join name_approvals
        on names_used.kind = name_approvals.kind and names_used.name = name_approvals.name
),

names_by_month as (
    select
        month,
        count(case when kind = 'connector' then 1 end) as connectors_used,
        count(case when kind = 'connector' and approval = 'unreviewed' then 1 end) as unreviewed_connectors_used,
        count(case when kind = 'connector' and approval = 'banned' then 1 end) as banned_connectors_used,
        count(case when kind = 'skill' then 1 end) as skills_used,
        count(case when kind = 'skill' and approval = 'unreviewed' then 1 end) as unreviewed_skills_used,
        count(case when kind = 'skill' and approval = 'banned' then 1 end) as banned_skills_used,
        count(case when kind = 'plugin' then 1 end) as plugins_used,
        count(case when kind = 'plugin' and approval = 'unreviewed' then 1 end) as unreviewed_plugins_used,
        count(case when kind = 'plugin' and approval = 'banned' then 1 end) as banned_plugins_used
    from names_with_approval
    group by month
),

name_coverage as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        count(case when endpoint = 'connectors' then 1 end) as connector_days,
        count(case when endpoint = 'skills' then 1 end) as skill_days,
        count(case when endpoint = 'plugins' then 1 end) as plugin_days
    from days_loaded
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

-- In a month that is loaded throughout, a name not found was not used: 0.
put_together as (
    select
        months.month,
        months.history_start_date,
        assigned.assigned_seats,
        assigned.pending_invites,
        growth.active_users,
        growth.new_users,
        growth.retained_users,
        growth.resurrected_users,
        growth.churned_users,
        growth.retention_rate,
        case when months.is_covered then coalesce(activity.frequent_users, 0) end as frequent_users,
        case when months.is_covered then coalesce(activity.active_user_days, 0) end as active_user_days,
        {{ rate('growth.active_users', 'assigned.assigned_seats') }} as adoption_rate,
        {{ rate('activity.active_user_days', 'growth.active_users * months.month_days') }} as stickiness_rate,
        seats_by_month.roster_seats,
        seats_by_month.privileged_seats,
        case when months.is_covered then seats_by_month.active_seats end as active_seats,
        case when months.is_covered then seats_by_month.new_seats end as new_seats,
        case when months.is_covered then seats_by_month.inactive_seats end as inactive_seats,
        joiners_and_leavers.joined_people,
        joiners_and_leavers.left_people,
        case
            when name_coverage.connector_days = months.month_days
                then coalesce(names_by_month.connectors_used, 0)
        end as connectors_used,
        case
            when name_coverage.connector_days = months.month_days
                then coalesce(names_by_month.unreviewed_connectors_used, 0)
        end as unreviewed_connectors_used,
        case
            when name_coverage.connector_days = months.month_days
                then coalesce(names_by_month.banned_connectors_used, 0)
        end as banned_connectors_used,
        case
            when name_coverage.skill_days = months.month_days
                then coalesce(names_by_month.skills_used, 0)
        end as skills_used,
        case
            when name_coverage.skill_days = months.month_days
                then coalesce(names_by_month.unreviewed_skills_used, 0)
        end as unreviewed_skills_used,
        case
            when name_coverage.skill_days = months.month_days
                then coalesce(names_by_month.banned_skills_used, 0)
        end as banned_skills_used,
        case
            when name_coverage.plugin_days = months.month_days
                then coalesce(names_by_month.plugins_used, 0)
        end as plugins_used,
        case
            when name_coverage.plugin_days = months.month_days
                then coalesce(names_by_month.unreviewed_plugins_used, 0)
        end as unreviewed_plugins_used,
        case
            when name_coverage.plugin_days = months.month_days
                then coalesce(names_by_month.banned_plugins_used, 0)
        end as banned_plugins_used,
        months.covered_days,
        months.month_days
    from months
    inner join growth on months.month = growth.month
    left join activity on months.month = activity.month
    left join assigned on months.month = assigned.month
    left join seats_by_month on months.month = seats_by_month.month
    left join joiners_and_leavers on months.month = joiners_and_leavers.month
    left join names_by_month on months.month = names_by_month.month
    left join name_coverage on months.month = name_coverage.month
),

with_types as (
    select
        month,
        history_start_date,
        assigned_seats,
        pending_invites,
        roster_seats,
        active_seats,
        new_seats,
        inactive_seats,
        privileged_seats,
        joined_people,
        left_people,
        active_users,
        new_users,
        retained_users,
        resurrected_users,
        churned_users,
        frequent_users,
        cast(active_user_days as bigint) as active_user_days,
        adoption_rate,
        retention_rate,
        stickiness_rate,
        connectors_used,
        unreviewed_connectors_used,
        banned_connectors_used,
        skills_used,
        unreviewed_skills_used,
        banned_skills_used,
        plugins_used,
        unreviewed_plugins_used,
        banned_plugins_used,
        covered_days,
        month_days
    from put_together
)

select * from with_types
