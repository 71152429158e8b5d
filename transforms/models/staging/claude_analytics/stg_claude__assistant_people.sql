-- One row per account at Claude.
select
    user_id as account_key,
    user_id,
    {{ email_key('email') }} as email
from {{ ref('int_people') }}
