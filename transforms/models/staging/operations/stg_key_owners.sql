-- One row per source and organisation whose key it had, from when on; the highest number counts.
select distinct
    owner_number,
    source as source_name,
    organization_id,
    organization_name,
    kind,
    {{ utc_timestamp('since') }} as since_at
from {{ source('claude_raw', 'key_owners') }}
