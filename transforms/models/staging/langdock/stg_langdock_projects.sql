-- One row per workspace, period and project.
select
    slot,
    org_id,
    project_id,
    period_start as period_start_date,
    period_end as period_end_date,
    project_name,
    project_owner_id as owner_user_id,
    project_owner_email as owner_email,
    group_by,
    source_name,
    file_hash,
    undeclared_fields,
    messages as message_count
from {{ counting_rows('langdock_projects', 'slot') }}
