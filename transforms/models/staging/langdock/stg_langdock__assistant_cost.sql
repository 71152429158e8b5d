-- One row per month and account at Langdock.
select
    month,
    user_key as account_key,
    cost_usd
from {{ ref('int_langdock_user_activity') }}
