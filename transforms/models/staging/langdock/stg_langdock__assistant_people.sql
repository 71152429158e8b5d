-- One row per account at Langdock with a row in any month.
select
    user_key as account_key,
    max(user_id) as user_id,
    max(email) as email
from {{ ref('int_langdock_user_activity') }}
group by user_key
