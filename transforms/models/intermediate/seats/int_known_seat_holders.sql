-- One row per person and period in which we know them to hold a seat. The end is not in the period.
-- From the first snapshot of the roster on, its members; after the newest one, those who are in it. Before the first,
-- people with activity in the month.
with

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

roster_start as (
    select cast(coalesce(min(first_snapshot_at), cast('9999-12-31' as timestamp)) as date) as first_date
    from snapshots
),

members as (
    select
        member_periods.user_id,
        case
            when member_periods.valid_from_date < roster_start.first_date then roster_start.first_date
            else member_periods.valid_from_date
        end as valid_from_date,
        member_periods.valid_until_date
    from member_periods
    cross join roster_start
),

active_months as (
    select distinct
        user_id,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from user_activity
),

active_people as (
    select
        active_months.user_id,
        active_months.month as valid_from_date,
        case
            when {{ dbt.last_day('active_months.month', 'month') }} < roster_start.first_date
                then cast({{ dbt.dateadd('month', 1, 'active_months.month') }} as date)
            else roster_start.first_date
        end as valid_until_date
    from active_months
    cross join roster_start
),

holders as (
    select * from members
    union all
    select * from active_people
)

select * from holders
where valid_from_date < valid_until_date
