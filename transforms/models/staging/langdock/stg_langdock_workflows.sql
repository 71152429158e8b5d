-- One row per workspace, period and workflow. A workflow's limit is in US dollars; a workspace's, in euros, is not
-- here.
select
    slot,
    org_id,
    workflow_id,
    period_start as period_start_date,
    period_end as period_end_date,
    workflow_name,
    workflow_owner_id,
    workflow_owner_email,
    group_by,
    source_name,
    file_hash,
    undeclared_fields,
    runs as run_count,
    succeeded_runs as succeeded_run_count,
    failed_runs as failed_run_count,
    cast(total_cost_usd as decimal(38, 8)) as cost_usd,
    cast(limit_usd as decimal(38, 8)) as limit_usd,
    cast(limit_utilization as decimal(38, 8)) as limit_utilization_rate
from {{ counting_rows('langdock_workflows', 'slot') }}
