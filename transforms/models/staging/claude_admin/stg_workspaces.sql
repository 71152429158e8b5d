-- One row per workspace of the Console and period in which it was the same.
select
    id as workspace_id,
    name as workspace_name,
    tags,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('archived_at') }} as archived_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('workspaces') }}
