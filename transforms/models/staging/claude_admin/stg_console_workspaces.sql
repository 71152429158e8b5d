-- One row per further organisation of the Console, workspace and period in which it was the same.
select
    organization_id,
    id as workspace_id,
    name as workspace_name,
    valid_from_at,
    valid_until_at
from {{ roster_rows('workspaces', is_further=true) }}
