-- One row per person that any source ever named.
with

everybody as (
    select * from {{ ref('int_everybody') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

cost_center_sources as (
    select * from {{ ref('int_cost_center_sources') }}
),

org_chart as (
    select
        email_key,
        coalesce(valid_from_date, cast('0001-01-01' as date)) as valid_from_date,
        department,
        cost_center,
        manager_email
    from {{ ref('stg_org_chart') }}
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

departures as (
    select * from {{ ref('int_departures') }}
),

today as (
    select * from {{ ref('int_today') }}
),

newest_roster as (
    select max(cast(newest_snapshot_at as date)) as roster_date
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

activity as (
    select
        user_id,
        min(activity_date) as first_active_date,
        max(activity_date) as last_active_date
    from {{ ref('user_activity_daily') }}
    where is_active
    group by user_id
),

members_in_order as (
    select
        member_periods.*,
        row_number() over (partition by user_id order by valid_from_date desc) as periods_since
    from member_periods
),

newest_members as (
    select
        user_id,
        joined_date,
        nullif(valid_until_date, cast('9999-12-31' as date)) as left_date
    from members_in_order
    where periods_since = 1
),

-- Who was active after the newest roster has a seat that it does not know yet. Without a roster it is unknown.
with_membership as (
    select
        everybody.user_id,
        everybody.email,
        {{ email_key('everybody.email') }} as email_key,
        everybody.name,
        everybody.identity_source,
        newest_members.joined_date,
        activity.first_active_date,
        activity.last_active_date,
        coalesce(newest_members.left_date, cast(departures.left_at as date)) as left_date,
        case
            when newest_roster.roster_date is not null
                then
                    coalesce(newest_members.user_id is not null and newest_members.left_date is null, false)
                    or coalesce(activity.last_active_date > newest_roster.roster_date, false)
        end as is_member
    from everybody
    cross join newest_roster
    left join newest_members on everybody.user_id = newest_members.user_id
    left join activity on everybody.user_id = activity.user_id
    left join departures on everybody.user_id = departures.user_id
),

-- Periods are those of this organisation's people. Who is known elsewhere alone is where the line of their address
-- says.
lines_in_order as (
    select
        org_chart.*,
        row_number() over (
            partition by org_chart.email_key order by org_chart.valid_from_date desc
        ) as lines_since
    from org_chart
    cross join today
    inner join cost_center_sources
        on
            cost_center_sources.cost_centers_from = 'org_chart'
            and today.today_date >= cost_center_sources.valid_from_date
            and today.today_date < cost_center_sources.valid_until_date
    where org_chart.valid_from_date <= today.today_date
),

lines_today as (
    select
        email_key,
        department,
        cost_center,
        manager_email
    from lines_in_order
    where lines_since = 1
),

with_department as (
    select
        with_membership.user_id,
        with_membership.joined_date,
        case when not coalesce(with_membership.is_member, false) then with_membership.left_date end as left_date,
        with_membership.first_active_date,
        with_membership.last_active_date,
        with_membership.email,
        with_membership.name,
        coalesce(department_periods.department, lines_today.department, 'Unmapped') as department,
        coalesce(department_periods.cost_center, lines_today.cost_center) as cost_center,
        coalesce(department_periods.manager_email, lines_today.manager_email) as manager_email,
        with_membership.identity_source,
        with_membership.is_member
    from with_membership
    cross join today
    left join department_periods
        on
            with_membership.user_id = department_periods.user_id
            and today.today_date >= department_periods.valid_from_date
            and today.today_date < department_periods.valid_until_date
    left join lines_today
        on
            department_periods.user_id is null
            and with_membership.email_key = lines_today.email_key
)

select * from with_department
