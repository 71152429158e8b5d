-- One row per endpoint ever asked: its newest run, and the first day that any run wanted of it.
with

endpoint_runs as (
    select * from {{ ref('stg_endpoint_runs') }}
),

runs_in_order as (
    select
        endpoint,
        window_start_date,
        min(window_start_date) over (partition by endpoint) as first_wanted_date,
        newest_available_date,
        outcome,
        row_number() over (partition by endpoint order by run_at desc, run_number desc) as runs_since
    from endpoint_runs
),

latest_runs as (
    select
        endpoint,
        window_start_date,
        first_wanted_date,
        newest_available_date,
        outcome
    from runs_in_order
    where runs_since = 1
)

select * from latest_runs
