-- One row per endpoint of the first organisation with loaded days: since when, until when, and how many of the days
-- between are loaded.
with

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where organization_id is null
),

spans as (
    select
        endpoint,
        min(activity_date) as history_start_date,
        max(activity_date) as as_of_date,
        count(*) as covered_days
    from days_loaded
    group by endpoint
),

coverage as (
    select
        endpoint,
        history_start_date,
        as_of_date,
        covered_days,
        {{ days_from('history_start_date', 'as_of_date') }} + 1 - covered_days as missing_days
    from spans
)

select * from coverage
