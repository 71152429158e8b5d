-- One row per month and department; departments with fewer people than min_group_size are one: `Other`.
-- People count where they are at the month's end, or on the newest loaded day of a month that still runs.
with

months as (
    select * from {{ ref('int_months') }}
),

days as (
    select max(activity_date) as newest_loaded_date
    from {{ ref('int_days') }}
    where is_users_loaded
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select
        cast(first_snapshot_at as date) as first_snapshot_date,
        cast(newest_snapshot_at as date) as newest_snapshot_date
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

months_until as (
    select
        months.month,
        case
            when months.last_date > days.newest_loaded_date then days.newest_loaded_date
            else months.last_date
        end as end_date,
        months.covered_days,
        months.month_days,
        months.is_covered
    from months
    cross join days
    where days.newest_loaded_date >= months.month
),

-- The roster answers for a month's end that it knows of.
seat_months as (
    select
        months_until.month,
        member_periods.user_id
    from months_until
    inner join snapshots
        on
            months_until.end_date >= snapshots.first_snapshot_date
            and months_until.end_date <= snapshots.newest_snapshot_date
    inner join member_periods
        on
            months_until.end_date >= member_periods.valid_from_date
            and months_until.end_date < member_periods.valid_until_date
),

person_months as (
    select
        month,
        user_id
    from user_months
    union distinct
    select
        month,
        user_id
    from seat_months
),

with_department as (
    select
        months_until.month,
        person_months.user_id,
        department_periods.department,
        case when seat_months.user_id is not null then 1 end as has_seat,
        user_months.active_days
    from months_until
    inner join person_months on months_until.month = person_months.month
    inner join department_periods
        on
            person_months.user_id = department_periods.user_id
            and months_until.end_date >= department_periods.valid_from_date
            and months_until.end_date < department_periods.valid_until_date
    left join user_months
        on person_months.month = user_months.month and person_months.user_id = user_months.user_id
    left join seat_months
        on person_months.month = seat_months.month and person_months.user_id = seat_months.user_id
),

departments as (
    select
        month,
        department,
        count(*) as people,
        count(has_seat) as seat_holders,
        count(case when has_seat = 1 and active_days is not null then 1 end) as active_seat_holders,
        count(active_days) as active_users,
        cast(coalesce(sum(active_days), 0) as bigint) as active_user_days
    from with_department
    group by month, department
),

departments_in_order as (
    select
        departments.*,
        row_number() over (partition by month order by people asc, department asc) as size_rank,
        coalesce(
            sum(people) over (
                partition by month
                order by people asc, department asc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as people_in_smaller_ones,
        count(case when people < {{ var('min_group_size') }} then 1 end) over (partition by month) as small_departments
    from departments
),

-- Other holds every small department, and at least two departments and min_group_size people: else one could get a
-- small department by taking all others from the total.
with_shown_department as (
    select
        departments_in_order.*,
        case
            when
                small_departments > 0
                and (
                    size_rank <= small_departments
                    or size_rank <= 2
                    or people_in_smaller_ones < {{ var('min_group_size') }}
                )
                then 'Other'
            else department
        end as shown_department
    from departments_in_order
),

shown_departments as (
    select
        month,
        shown_department as department,
        count(*) as department_count,
        cast(sum(people) as bigint) as people,
        cast(sum(seat_holders) as bigint) as seat_holders,
        cast(sum(active_seat_holders) as bigint) as active_seat_holders,
        cast(sum(active_users) as bigint) as active_users,
        cast(sum(active_user_days) as bigint) as active_user_days
    from with_shown_department
    group by month, shown_department
),

with_coverage as (
    select
        shown_departments.month,
        shown_departments.department,
        shown_departments.department_count,
        case when months_until.is_covered then shown_departments.people end as people,
        case
            when
                months_until.is_covered
                and months_until.end_date between snapshots.first_snapshot_date and snapshots.newest_snapshot_date
                then shown_departments.seat_holders
        end as seat_holders,
        case when months_until.is_covered then shown_departments.active_seat_holders end as active_seat_holders,
        case when months_until.is_covered then shown_departments.active_users end as active_users,
        case when months_until.is_covered then shown_departments.active_user_days end as active_user_days,
        months_until.covered_days,
        months_until.month_days
    from shown_departments
    inner join months_until on shown_departments.month = months_until.month
    left join snapshots on months_until.end_date >= snapshots.first_snapshot_date
),

with_rates as (
    select
        month,
        department,
        department_count,
        people,
        seat_holders,
        active_seat_holders,
        active_users,
        active_user_days,
        {{ rate('active_seat_holders', 'seat_holders') }} as adoption_rate,
        {{ rate('active_user_days', 'active_users') }} as active_days_per_active_user,
        covered_days,
        month_days
    from with_coverage
)

select * from with_rates
