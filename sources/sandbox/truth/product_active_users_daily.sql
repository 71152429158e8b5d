-- One row per UTC day and product. Reported: a person in unified chat and Cowork counts in chat_cowork_unified
-- alone, as in the API's summaries. Computed: such a person does not stop to count in chat or cowork.
select
    activity_date,
    product,
    reported.daily as reported_daily_active_users,
    reported.weekly as reported_weekly_active_users,
    reported.monthly as reported_monthly_active_users,
    computed.daily as computed_daily_active_users,
    if(activity_date - 6 >= $first_date, computed.weekly, null) as computed_weekly_active_users,
    if(activity_date - monthly_window_days + 1 >= $first_date, computed.monthly, null) as computed_monthly_active_users,
    monthly_window_days
from active_users($first_date, $last_date, $as_of, true) as reported
inner join active_users($first_date, $last_date, $as_of, false) as computed using (activity_date, product)
inner join products using (product)
where product != 'any'
order by activity_date, product
