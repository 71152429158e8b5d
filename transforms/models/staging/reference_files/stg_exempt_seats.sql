-- One row per person whose seat stays. A load that broke off can have stored a row twice.
select distinct
    {{ email_key('email') }} as email_key,
    reason,
    exempt_until as exempt_until_date
from {{ source('claude_raw', 'exempt_seats') }}
