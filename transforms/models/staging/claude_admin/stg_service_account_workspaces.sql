-- One row per service account, workspace and period in which it had one role in it.
select
    service_account_id,
    workspace_id,
    workspace_role,
    implicit as is_implicit,
    valid_from_at,
    valid_until_at
from {{ roster_rows('service_account_workspaces') }}
