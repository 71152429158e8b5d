-- One row per UTC day. `inactive_seats` needs a member roster, which this API does not have.
select
    activity_date,
    assigned_seats,
    pending_invites,
    daily / nullif(assigned_seats, 0) as daily_utilization_rate,
    weekly / nullif(assigned_seats, 0) as weekly_utilization_rate,
    monthly / nullif(assigned_seats, 0) as monthly_utilization_rate,
    cast(null as bigint) as inactive_seats
from active_users($first_date, $last_date, $as_of, true)
inner join seat_counts($first_date, $last_date) using (activity_date)
where product = 'any'
order by activity_date
