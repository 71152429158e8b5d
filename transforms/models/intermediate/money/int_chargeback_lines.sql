-- One row per month, cost center, department and cost pool, as everything is known now; month closes are not in it.
with

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

split as (
    select * from {{ ref('int_chargeback_split') }}
),

spend_by_department as (
    select * from {{ ref('int_spend_by_department') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_daily') }}
),

department_activity as (
    select * from {{ ref('int_department_activity') }}
),

days as (
    select * from {{ ref('int_days') }}
),

settings as (
    select * from {{ ref('int_chargeback_settings') }}
),

lines as (
    select
        month,
        cost_pool,
        allocation_method,
        department,
        cost_center,
        amount_usd,
        list_price_usd
    from split
    -- A pool of nothing has no parts, but seats are shown whatever they cost.
    where cost_pool = 'seats' or amount_usd <> 0 or list_price_usd <> 0
    union all
    select
        spend_by_department.month,
        'metered' as cost_pool,
        'direct' as allocation_method,
        spend_by_department.department,
        spend_by_department.cost_center,
        spend_by_department.spend_usd as amount_usd,
        spend_by_department.list_price_usd
    from spend_by_department
    inner join settings on spend_by_department.month = settings.month
    where settings.metered_policy = 'direct'
),

-- Seats are a level: the month's number is that of its last day.
seats_at_month_end as (
    select
        month,
        department,
        cost_center,
        cast(sum(seat_count) as bigint) as seat_count
    from seat_fees
    where activity_date = {{ dbt.last_day('month', 'month') }}
    group by month, department, cost_center
),

months_with_seats as (
    select distinct month from seat_fees
),

months_with_activity as (
    select distinct cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from days
    where is_users_loaded
),

-- In a month whose seats are known, a department without any has 0; where people are known, nobody active is 0.
with_people as (
    select
        lines.month,
        lines.cost_center,
        lines.department,
        lines.cost_pool,
        lines.amount_usd,
        lines.list_price_usd,
        case
            when lines.cost_pool = 'seats' and months_with_seats.month is not null
                then coalesce(seats_at_month_end.seat_count, 0)
        end as seat_count,
        case
            when months_with_activity.month is not null then coalesce(department_activity.active_user_count, 0)
        end as active_user_count,
        lines.allocation_method,
        pools.covered_days,
        pools.is_settled
    from lines
    inner join pools on lines.month = pools.month and lines.cost_pool = pools.cost_pool
    left join months_with_seats on lines.month = months_with_seats.month
    left join months_with_activity on lines.month = months_with_activity.month
    left join seats_at_month_end
        on
            lines.month = seats_at_month_end.month
            and lines.department = seats_at_month_end.department
            and lines.cost_center is not distinct from seats_at_month_end.cost_center
    left join department_activity
        on
            lines.month = department_activity.month
            and lines.department = department_activity.department
            and lines.cost_center is not distinct from department_activity.cost_center
)

select * from with_people
