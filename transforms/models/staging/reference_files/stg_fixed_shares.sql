-- One row per cost pool, department and cost center that bears a fixed part of it. A load that broke off can have
-- stored a row twice.
select distinct
    cost_pool,
    department,
    cost_center,
    percentage
from {{ source('claude_raw', 'fixed_shares') }}
