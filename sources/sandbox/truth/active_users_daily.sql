-- One row per UTC day: what the mart of this name must say once the days from $first_date on are loaded.
select
    activity_date,
    reported.daily as reported_daily_active_users,
    reported.weekly as reported_weekly_active_users,
    reported.monthly as reported_monthly_active_users,
    computed.daily as computed_daily_active_users,
    if(activity_date - 6 >= $first_date, computed.weekly, null) as computed_weekly_active_users,
    if(activity_date - 29 >= $first_date, computed.monthly, null) as computed_monthly_active_users,
    reported.daily / nullif(reported.monthly, 0) as stickiness_rate,
    least(30, activity_date - $first_date + 1) as covered_days_in_30
from active_users($first_date, $last_date, $as_of, true) as reported
inner join active_users($first_date, $last_date, $as_of, false) as computed using (activity_date, product)
where product = 'any'
order by activity_date
