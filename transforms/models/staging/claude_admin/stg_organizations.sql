-- One row per organisation and period in which it was the same.
select
    id as organization_id,
    name,
    valid_from_at,
    valid_until_at
from {{ roster_rows('organizations') }}
