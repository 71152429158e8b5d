-- One row per line of the file: an assistant of another vendor, a month or day, and an account. A load that broke off
-- can have stored a row twice.
select distinct
    vendor,
    coalesce(month, cast({{ dbt.date_trunc('month', 'activity_date') }} as date)) as month,
    activity_date,
    {{ email_key('email') }} as email_key,
    coalesce({{ email_key('email') }}, account_id) as account_key,
    message_count,
    cost_usd
from {{ source('claude_raw', 'other_assistants') }}
