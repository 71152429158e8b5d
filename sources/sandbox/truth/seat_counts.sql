-- One row per UTC day: seats as the summaries count them.
select activity_date, assigned_seats from seat_counts($first_date, $last_date) order by activity_date
