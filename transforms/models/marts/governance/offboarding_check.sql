-- One row per person who left: by the roster, or by an end date in the org chart.
with

seats as (
    select * from {{ ref('seats') }}
    where user_id is not null
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

org_chart as (
    select * from {{ ref('stg_org_chart') }}
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
    where is_active
),

rosters as (
    select
        min(cast(first_snapshot_at as date)) as first_roster_date,
        max(cast(newest_snapshot_at as date)) as roster_date
    from snapshots
),

-- The newest line of a person says whether they are still employed: one without an end date hires them anew.
newest_lines as (
    select
        email_key,
        end_date,
        row_number() over (
            partition by email_key order by coalesce(valid_from_date, cast('0001-01-01' as date)) desc
        ) as lines_since
    from org_chart
),

end_dates as (
    select
        email_key,
        end_date as employment_end_date
    from newest_lines
    where lines_since = 1 and end_date is not null
),

roster_emails as (
    select distinct
        user_id,
        {{ email_key('email') }} as email_key
    from member_periods
    where email is not null
    union distinct
    select
        user_id,
        {{ email_key('email') }} as email_key
    from seats
    where email is not null
),

end_dates_of_people as (
    select
        roster_emails.user_id,
        max(end_dates.employment_end_date) as employment_end_date
    from roster_emails
    inner join end_dates on roster_emails.email_key = end_dates.email_key
    group by roster_emails.user_id
),

leavers as (
    select
        seats.user_id,
        seats.as_of_date,
        rosters.first_roster_date,
        rosters.roster_date,
        seats.email,
        seats.name,
        seats.department,
        seats.seat_status,
        end_dates_of_people.employment_end_date,
        seats.left_date as seat_end_date,
        seats.last_active_date,
        coalesce(rosters.roster_date, seats.as_of_date) as checked_date,
        rosters.roster_date is not null as has_roster,
        seats.seat_status in ('removed', 'invited') as has_left_roster,
        coalesce(end_dates_of_people.employment_end_date, seats.left_date) as left_date
    from seats
    cross join rosters
    left join end_dates_of_people on seats.user_id = end_dates_of_people.user_id
    where
        seats.seat_status in ('removed', 'invited')
        or end_dates_of_people.employment_end_date < coalesce(rosters.roster_date, seats.as_of_date)
),

later_activity as (
    select
        leavers.user_id,
        max(user_activity.activity_date) as last_activity_after_date,
        count(*) as residual_active_days
    from leavers
    inner join user_activity
        on leavers.user_id = user_activity.user_id and leavers.left_date < user_activity.activity_date
    group by leavers.user_id
),

-- Days on which the seat was still there after the last day of employment, up to the newest roster.
with_residue as (
    select
        leavers.*,
        later_activity.last_activity_after_date,
        case
            when leavers.left_date is not null then coalesce(later_activity.residual_active_days, 0)
        end as residual_active_days,
        case
            when not leavers.has_roster or leavers.employment_end_date is null then cast(null as bigint)
            when not leavers.has_left_roster
                then {{ days_from('leavers.employment_end_date', 'leavers.roster_date') }}
            when leavers.seat_end_date > leavers.employment_end_date
                then {{ days_from('leavers.employment_end_date', 'leavers.seat_end_date') }} - 1
            when leavers.seat_end_date is not null then 0
            when leavers.employment_end_date < leavers.first_roster_date then null
        end as residual_seat_days
    from leavers
    left join later_activity on leavers.user_id = later_activity.user_id
),

with_finding as (
    select
        user_id,
        as_of_date,
        roster_date,
        email,
        name,
        department,
        employment_end_date,
        seat_end_date,
        last_active_date,
        last_activity_after_date,
        {{ reasons([
            ("has_roster and not has_left_roster", "'still holds a seat'"),
            ("residual_active_days > 0", "'active after leaving'"),
            ("has_left_roster and residual_seat_days > 0", "'the seat outlasted the employment'"),
            ("has_left_roster and seat_status = 'invited'", "'invited again'")
        ]) }} as finding,
        cast(residual_seat_days as bigint) as residual_seat_days,
        residual_active_days,
        case when has_roster then not has_left_roster end as has_seat
    from with_residue
)

select * from with_finding
