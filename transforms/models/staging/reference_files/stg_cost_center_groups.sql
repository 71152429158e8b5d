-- One row per group of people that stands for a cost center. A load that broke off can have stored a row twice.
select distinct
    {{ name_key('rbac_group') }} as group_key,
    department,
    cost_center,
    priority
from {{ source('claude_raw', 'cost_center_groups') }}
