-- One row per organisation and period in which it was the same.
select
    id as organization_id,
    name,
    {{ utc_timestamp('_dlt_valid_from') }} as valid_from_at,
    {{ utc_timestamp('_dlt_valid_to') }} as valid_until_at
from {{ source('claude_raw', 'organizations') }}
