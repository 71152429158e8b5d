-- One row per person and e-mail that they ever had, with the days of which it was known when it was first seen; and of
-- people with several, one per span of days that the API named so when it was asked for them first. A load that broke
-- off can have stored a row twice.
select distinct
    user_id,
    email,
    first_date,
    last_date,
    coalesce(is_of_days, false) as is_of_days
from {{ source('claude_raw', 'known_addresses') }}
