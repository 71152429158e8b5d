-- One row per cost center and date from which its budget applies; no date means always. A load that broke off can have
-- stored a row twice.
select distinct
    cost_center,
    usd_per_month,
    valid_from as valid_from_date
from {{ source('claude_raw', 'budgets') }}
