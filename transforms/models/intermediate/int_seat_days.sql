-- One row per UTC day, department, cost center and seat tier that holds seats, for all days of every month we touch.
-- Seats count in parts, so that people who share too few seats share them exactly.
with

days as (
    select * from {{ ref('int_days') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

holders as (
    select * from {{ ref('int_known_seat_holders') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

span as (
    select
        {{ dbt.date_trunc('month', 'min(activity_date)') }} as first_date,
        {{ dbt.last_day('max(activity_date)', 'month') }} as last_date
    from days
),

month_days as (
    select {{ days_between('span.first_date', 'span.last_date') }} as activity_date
    from span
    where span.first_date is not null
),

counted_days as (
    select
        activity_date,
        assigned_seats
    from summaries
    where assigned_seats is not null
),

nearest_counts as (
    select
        month_days.activity_date,
        max(case when counted_days.activity_date <= month_days.activity_date then counted_days.activity_date end)
            as count_before_date,
        min(case when counted_days.activity_date >= month_days.activity_date then counted_days.activity_date end)
            as count_after_date
    from month_days
    cross join counted_days
    group by month_days.activity_date
),

-- The nearest day that has a count; the earlier one of two.
count_dates as (
    select
        activity_date,
        case
            when count_before_date is null then count_after_date
            when count_after_date is null then count_before_date
            when
                {{ days_from('count_before_date', 'activity_date') }}
                <= {{ days_from('activity_date', 'count_after_date') }}
                then count_before_date
            else count_after_date
        end as count_date
    from nearest_counts
),

seats_by_day as (
    select
        count_dates.activity_date,
        cast({{ dbt.date_trunc('month', 'count_dates.activity_date') }} as date) as month,
        counted_days.assigned_seats
    from count_dates
    inner join counted_days on count_dates.count_date = counted_days.activity_date
),

holders_by_month as (
    select
        month,
        count(*) as holder_count
    from holders
    group by month
),

-- A month without known holders has 0 of them.
seats_and_holders as (
    select
        seats_by_day.activity_date,
        seats_by_day.month,
        seats_by_day.assigned_seats,
        coalesce(holders_by_month.holder_count, 0) as holder_count,
        case
            when
                min(seats_by_day.assigned_seats) over (partition by seats_by_day.month)
                < holders_by_month.holder_count
                then holders_by_month.holder_count
            else 1
        end as parts_per_seat
    from seats_by_day
    left join holders_by_month on seats_by_day.month = holders_by_month.month
),

holder_groups as (
    select
        holders.month,
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier,
        department_periods.valid_from_date,
        department_periods.valid_until_date,
        count(*) as people
    from holders
    inner join department_periods
        on
            holders.user_id = department_periods.user_id
            and holders.month < department_periods.valid_until_date
            and {{ dbt.last_day('holders.month', 'month') }} >= department_periods.valid_from_date
    group by
        holders.month,
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier,
        department_periods.valid_from_date,
        department_periods.valid_until_date
),

known_seats as (
    select
        seats_and_holders.activity_date,
        seats_and_holders.month,
        holder_groups.department,
        holder_groups.cost_center,
        holder_groups.seat_tier,
        seats_and_holders.parts_per_seat,
        cast(sum(holder_groups.people) as bigint) as seat_count,
        sum(
            holder_groups.people * case
                when seats_and_holders.parts_per_seat = 1 then 1
                when seats_and_holders.assigned_seats < seats_and_holders.holder_count
                    then seats_and_holders.assigned_seats
                else seats_and_holders.holder_count
            end
        ) as seat_parts
    from seats_and_holders
    inner join holder_groups
        on
            seats_and_holders.month = holder_groups.month
            and seats_and_holders.activity_date >= holder_groups.valid_from_date
            and seats_and_holders.activity_date < holder_groups.valid_until_date
    group by
        seats_and_holders.activity_date,
        seats_and_holders.month,
        holder_groups.department,
        holder_groups.cost_center,
        holder_groups.seat_tier,
        seats_and_holders.parts_per_seat
),

other_seats as (
    select
        activity_date,
        month,
        'Unattributed' as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        'default' as seat_tier,
        parts_per_seat,
        assigned_seats - holder_count as seat_count,
        (assigned_seats - holder_count) * parts_per_seat as seat_parts
    from seats_and_holders
    where assigned_seats > holder_count
),

all_seats as (
    select * from known_seats
    union all
    select * from other_seats
)

select * from all_seats
