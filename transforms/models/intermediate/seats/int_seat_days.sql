-- One row per UTC day, department, cost center and seat tier that holds seats, for all days of every month we touch.
-- Where a day has more known holders than assigned seats, they share the seats equally: `sharing_holders` of them have
-- `shared_seats` together, and otherwise 1 has 1.
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
        cast({{ dbt.date_trunc('month', 'min(activity_date)') }} as date) as first_date,
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

holder_groups as (
    select
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier,
        case
            when holders.valid_from_date < department_periods.valid_from_date then department_periods.valid_from_date
            else holders.valid_from_date
        end as valid_from_date,
        case
            when holders.valid_until_date > department_periods.valid_until_date then department_periods.valid_until_date
            else holders.valid_until_date
        end as valid_until_date,
        count(*) as people
    from holders
    inner join department_periods
        on
            holders.user_id = department_periods.user_id
            and holders.valid_from_date < department_periods.valid_until_date
            and holders.valid_until_date > department_periods.valid_from_date
    group by
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier,
        case
            when holders.valid_from_date < department_periods.valid_from_date then department_periods.valid_from_date
            else holders.valid_from_date
        end,
        case
            when holders.valid_until_date > department_periods.valid_until_date then department_periods.valid_until_date
            else holders.valid_until_date
        end
),

known_seats as (
    select
        seats_by_day.activity_date,
        seats_by_day.month,
        holder_groups.department,
        holder_groups.cost_center,
        holder_groups.seat_tier,
        cast(sum(holder_groups.people) as bigint) as seat_count
    from seats_by_day
    inner join holder_groups
        on
            seats_by_day.activity_date >= holder_groups.valid_from_date
            and seats_by_day.activity_date < holder_groups.valid_until_date
    group by
        seats_by_day.activity_date,
        seats_by_day.month,
        holder_groups.department,
        holder_groups.cost_center,
        holder_groups.seat_tier
),

holders_by_day as (
    select
        activity_date,
        sum(seat_count) as holder_count
    from known_seats
    group by activity_date
),

-- A day without known holders has 0 of them.
seats_and_holders as (
    select
        seats_by_day.activity_date,
        seats_by_day.month,
        seats_by_day.assigned_seats,
        coalesce(holders_by_day.holder_count, 0) as holder_count
    from seats_by_day
    left join holders_by_day on seats_by_day.activity_date = holders_by_day.activity_date
),

all_seats as (
    select
        known_seats.activity_date,
        known_seats.month,
        known_seats.department,
        known_seats.cost_center,
        known_seats.seat_tier,
        known_seats.seat_count,
        cast(
            case
                when seats_and_holders.assigned_seats < seats_and_holders.holder_count
                    then seats_and_holders.assigned_seats
                else 1
            end as bigint
        ) as shared_seats,
        cast(
            case
                when seats_and_holders.assigned_seats < seats_and_holders.holder_count
                    then seats_and_holders.holder_count
                else 1
            end as bigint
        ) as sharing_holders
    from known_seats
    inner join seats_and_holders on known_seats.activity_date = seats_and_holders.activity_date
    union all
    select
        activity_date,
        month,
        'Unattributed' as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        'default' as seat_tier,
        cast(assigned_seats - holder_count as bigint) as seat_count,
        cast(1 as bigint) as shared_seats,
        cast(1 as bigint) as sharing_holders
    from seats_and_holders
    where assigned_seats > holder_count
)

select * from all_seats
