-- One row per workspace, member and period in which they had one role in it.
select
    workspace_id,
    user_id,
    workspace_role,
    valid_from_at,
    valid_until_at
from {{ roster_rows('workspace_members') }}
