-- One row: the UTC day of the newest question to an API, which is today for everything that is built.
with

endpoint_runs as (
    select max(cast(run_at as date)) as today_date
    from {{ ref('stg_endpoint_runs') }}
),

days_loaded as (
    select max(activity_date) as newest_date
    from {{ ref('int_days_loaded') }}
),

today as (
    select coalesce(endpoint_runs.today_date, days_loaded.newest_date) as today_date
    from endpoint_runs
    cross join days_loaded
)

select * from today
