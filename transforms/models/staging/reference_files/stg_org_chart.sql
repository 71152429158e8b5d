-- One row per e-mail and day from which its department is valid; no day means always. A load that broke off can
-- have stored a row twice.
select distinct
    {{ email_key('email') }} as email_key,
    valid_from as valid_from_date,
    department,
    cost_center,
    manager_email,
    seat_tier,
    end_date
from {{ source('claude_raw', 'org_chart') }}
