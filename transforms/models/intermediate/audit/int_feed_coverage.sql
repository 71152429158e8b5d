-- One row, once the activity feed was read: since when and until when the warehouse has it.
with

windows as (
    {{ fetches_that_count('stg_activity_windows') }}
),

read_windows as (
    select * from windows
    where outcome <> 'broken_off'
),

coverage as (
    select
        min(from_at) as covered_from_at,
        max(to_at) as covered_until_at
    from read_windows
)

select * from coverage
where covered_until_at is not null
