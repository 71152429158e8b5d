-- One row per UTC day and person with a row of users on it.
select activity_date, user_id, chat + code + cowork + office + design + science + tag > 0 as is_active
from users_facts
inner join people using (n)
where activity_date between $first_date and $last_date and is_visible(published_on, withdrawn_on, $as_of)
