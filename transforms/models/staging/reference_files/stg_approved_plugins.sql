-- One row per plugin or pattern of names with a decision. A load that broke off can have stored a row twice.
select distinct
    name,
    approval,
    owner,
    reviewed_at as reviewed_date
from {{ source('claude_raw', 'approved_plugins') }}
