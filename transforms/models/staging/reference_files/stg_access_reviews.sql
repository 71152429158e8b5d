-- One row per review of a person's access, or of everybody's (no e-mail). A load that broke off can have stored a row
-- twice.
select distinct
    {{ email_key('email') }} as email_key,
    reviewed_at as reviewed_date,
    reviewer
from {{ source('claude_raw', 'access_reviews') }}
