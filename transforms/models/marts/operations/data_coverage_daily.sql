-- One row per endpoint and UTC day from the first loaded day to the newest available one.
with

days as (
    select * from {{ ref('int_days') }}
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
),

latest_runs as (
    select * from {{ ref('int_latest_endpoint_runs') }}
),

endpoints as (
    {{ rows_of_text(var('endpoints'), 'endpoint') }}
),

-- A day that nobody fetched is not settled, whatever the API would answer.
coverage as (
    select
        endpoints.endpoint,
        days.activity_date,
        case
            when days_loaded.outcome is not null then days_loaded.outcome
            when days.activity_date < latest_runs.window_start_date then 'lost'
            else 'missing'
        end as status,
        latest_runs.outcome as endpoint_outcome,
        days_loaded.row_count,
        days_loaded.rejected_row_count,
        days_loaded.revision_count,
        coalesce(days_loaded.is_settled, false) as is_settled,
        days_loaded.fetched_at
    from days
    cross join endpoints
    left join days_loaded
        on
            endpoints.endpoint = days_loaded.endpoint
            and days.activity_date = days_loaded.activity_date
    left join latest_runs on endpoints.endpoint = latest_runs.endpoint
)

select * from coverage
