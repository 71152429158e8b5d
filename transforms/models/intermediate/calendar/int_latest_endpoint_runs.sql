-- One row per organisation (null: the first one) and endpoint ever asked: its newest run, and the first day that any
-- run wanted of it.
with

endpoint_runs as (
    select * from {{ ref('stg_endpoint_runs') }}
),

runs_in_order as (
    select
        endpoint,
        organization_id,
        window_start_date,
        min(window_start_date) over (partition by organization_id, endpoint) as first_wanted_date,
        newest_available_date,
        outcome,
        cast(run_at as date) as run_date,
        row_number() over (
            partition by organization_id, endpoint order by run_at desc, run_number desc
        ) as runs_since
    from endpoint_runs
),

latest_runs as (
    select
        endpoint,
        organization_id,
        window_start_date,
        first_wanted_date,
        newest_available_date,
        outcome,
        run_date
    from runs_in_order
    where runs_since = 1
)

select * from latest_runs
