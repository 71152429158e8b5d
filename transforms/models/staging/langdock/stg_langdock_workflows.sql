-- One row per workspace, period and workflow; its numbers are in undeclared_fields, as their names are not published.
select
    slot,
    org_id,
    workflow_id,
    period_start as period_start_date,
    period_end as period_end_date,
    workflow_name,
    group_by,
    source_name,
    file_hash,
    undeclared_fields
from {{ source('claude_raw', 'langdock_workflows') }}
