-- One row per workspace, period of an export and workflow of Langdock.
with

workflows as (
    select * from {{ ref('stg_langdock_workflows') }}
),

workflow_usage as (
    select
        coalesce(org_id, '') as org_id,
        workflow_id,
        period_start_date,
        period_end_date,
        max(workflow_name) as workflow_name,
        max(workflow_owner_id) as owner_id,
        max(workflow_owner_email) as owner_email,
        cast(sum(run_count) as bigint) as run_count,
        cast(sum(succeeded_run_count) as bigint) as succeeded_run_count,
        cast(sum(failed_run_count) as bigint) as failed_run_count,
        cast(sum(cost_usd) as decimal(38, 8)) as cost_usd,
        cast(max(limit_usd) as decimal(38, 8)) as limit_usd,
        cast(max(limit_utilization_rate) as decimal(38, 8)) as limit_utilization_rate
    from workflows
    where workflow_id is not null and period_start_date is not null
    group by coalesce(org_id, ''), workflow_id, period_start_date, period_end_date
)

select * from workflow_usage
