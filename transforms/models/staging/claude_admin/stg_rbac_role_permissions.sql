-- One row per role, thing that it permits and period in which it did.
select
    rbac_role_id,
    action,
    resource__type as resource_type,
    coalesce(resource__connector_id, resource__organization_id) as resource_id,
    coalesce(resource__tool_name, resource__scope) as resource_part,
    valid_from_at,
    valid_until_at
from {{ roster_rows('rbac_role_permissions') }}
