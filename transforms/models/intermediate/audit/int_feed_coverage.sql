-- One row, once the activity feed was read: since when and until when the warehouse has it.
with

windows as (
    select * from {{ ref('stg_activity_windows') }}
),

complete_loads as (
    select * from {{ ref('stg_dlt_loads') }}
    where status = 0
),

read_windows as (
    select * from windows
    where load_id in (select complete_loads.load_id from complete_loads)
),

coverage as (
    select
        min(from_at) as covered_from_at,
        max(to_at) as covered_until_at
    from read_windows
)

select * from coverage
where covered_until_at is not null
