-- One row per person and stay in a department: an org chart file for this organisation. Every fifteenth person
-- is missing from it, some move in April or in the middle of May, one in fifteen is in it from 10 May on only, and
-- e-mails are spelled in other cases than the API's.
with places as (
    select
        n, email_on(kind, local_part, turned_on, $as_of) as email,
        if(n % 15 = 11, date '2026-05-10', null) as valid_from, n % 4 as place
    from people where n % 15 != 14
    union all
    select n, email_on(kind, local_part, turned_on, $as_of), date '2026-04-10', (n + 1) % 4
    from people where n % 15 = 7
    union all
    select n, email_on(kind, local_part, turned_on, $as_of), date '2026-05-14', (n + 1) % 4
    from people where n % 15 = 3
)
select
    if(n % 5 = 0, upper(email), email) as email,
    ['Engineering', 'Sales', 'Finance', 'Forschung & Entwicklung'][1 + place] as department,
    ['00420', '1E5', 'CC-300', '00777'][1 + place] as cost_center,
    cast(null as varchar) as manager_email,
    valid_from,
    if(has_premium_seat(n), 'premium', null) as seat_tier
from places
order by n, valid_from nulls first
