-- One row per person and stay in a department: an org chart file for this organisation. Every fifteenth person
-- is missing from it, some move in April, and e-mails are spelled in other cases than the API's.
with places as (
    select n, email_on(kind, local_part, turned_on, $last_date) as email, null as valid_from, n % 4 as place
    from people where n % 15 != 14
    union all
    select n, email_on(kind, local_part, turned_on, $last_date), date '2026-04-10', (n + 1) % 4
    from people where n % 15 = 7
)
select
    if(n % 5 = 0, upper(email), email) as email,
    ['Engineering', 'Sales', 'Finance', 'Forschung & Entwicklung'][1 + place] as department,
    ['00420', '1E5', 'CC-300', '00777'][1 + place] as cost_center,
    cast(null as varchar) as manager_email,
    valid_from
from places
order by n, valid_from nulls first
