-- One row per cost pool and date from which its policy, and the fee of all seats, apply; no date means always. A load
-- that broke off can have stored a row twice.
select distinct
    cost_pool,
    case when cost_pool = 'seats' and policy = 'direct' then 'seats' else policy end as policy,
    usd_per_month,
    valid_from as valid_from_date
from {{ source('claude_raw', 'chargeback_policies') }}
