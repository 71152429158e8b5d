-- One row per person who left: by the roster, or by an end date in the org chart.
with

seats as (
    select * from {{ ref('seats') }}
    where user_id is not null
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

org_chart_periods as (
    select * from {{ ref('int_org_chart_periods') }}
    where end_date is not null and valid_until_date = cast('9999-12-31' as date)
),

address_periods as (
    select * from {{ ref('int_address_periods') }}
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

-- Since when a person has had the address that was another's before.
received_addresses as (
    select
        user_id,
        max(first_seen_date) as received_date
    from address_periods
    where received_date is not null and valid_until_date = cast('9999-12-31' as date)
    group by user_id
),

-- The newest line of a person says whether they are still employed: one without an end date hires them anew. An end
-- before they had the address is that of who had it until then.
end_dates_of_people as (
    select
        org_chart_periods.user_id,
        org_chart_periods.end_date as employment_end_date
    from org_chart_periods
    left join received_addresses on org_chart_periods.user_id = received_addresses.user_id
    where
        received_addresses.received_date is null
        or org_chart_periods.end_date >= received_addresses.received_date
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
