-- One row per run.
with

noted as (
    select * from {{ ref('stg_runs') }}
),

-- How it ended counts, and not that it was under way; what was noted twice is noted once.
ranked as (
    select
        noted.*,
        row_number() over (
            partition by run_id
            order by case when outcome = 'running' then 1 else 0 end, problem_count desc, ended_at desc
        ) as state_number
    from noted
),

each_run as (
    select
        run_id,
        as_of_date,
        command,
        outcome,
        version,
        exit_code,
        request_count,
        wait_seconds,
        retry_count,
        day_count,
        row_count,
        revision_count,
        problem_count,
        started_at,
        ended_at
    from ranked
    where state_number = 1
)

select * from each_run
