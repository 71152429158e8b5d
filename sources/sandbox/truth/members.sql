-- One row per UTC day from the first snapshot of the roster on, and member that day.
select days.activity_date, user_id, role_on(n, turned_on, days.activity_date) as role
from days
inner join people on is_member(joined_on, left_on, days.activity_date)
where days.activity_date between $roster_since and $as_of
