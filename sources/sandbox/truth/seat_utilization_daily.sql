-- One row per UTC day. `inactive_seats`: members of that day's roster without activity in the 30 days.
with members as (
    select days.activity_date, n
    from days
    inner join people on is_member(joined_on, left_on, days.activity_date)
    where days.activity_date between greatest($roster_since, $first_date + 29) and $last_date
),
active_days as (
    select distinct activity_date, n from product_days($as_of, true) where product = 'any'
),
inactive as (
    select members.activity_date, count(distinct members.n) - count(distinct active_days.n) as inactive_seats
    from members
    left join active_days
        on active_days.n = members.n
        and active_days.activity_date between members.activity_date - 29 and members.activity_date
    group by members.activity_date
)
select
    activity_date,
    assigned_seats,
    pending_invites,
    daily / nullif(assigned_seats, 0) as daily_utilization_rate,
    weekly / nullif(assigned_seats, 0) as weekly_utilization_rate,
    monthly / nullif(assigned_seats, 0) as monthly_utilization_rate,
    inactive_seats
from active_users($first_date, $last_date, $as_of, true)
inner join seat_counts($first_date, $last_date) using (activity_date)
left join inactive using (activity_date)
where product = 'any'
order by activity_date
