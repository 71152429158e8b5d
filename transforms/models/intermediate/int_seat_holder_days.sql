-- One row per UTC day and seat holder, from the day of the first roster snapshot to that of the newest.
with

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

roster_days as (
    select
        {{ days_between('cast(first_snapshot_at as date)', 'cast(newest_snapshot_at as date)') }} as activity_date
    from snapshots
),

holder_days as (
    select
        roster_days.activity_date,
        member_periods.user_id,
        member_periods.email,
        member_periods.name,
        member_periods.role
    from roster_days
    inner join member_periods
        on
            roster_days.activity_date >= member_periods.valid_from_date
            and roster_days.activity_date < member_periods.valid_until_date
)

select * from holder_days
