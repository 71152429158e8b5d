-- One row per day on which nobody is expected to work. A load that broke off can have stored a row twice.
select distinct
    holiday_date,
    name as holiday_name
from {{ source('claude_raw', 'holidays') }}
