-- One row per organisation, endpoint, UTC day and revision: a fetch whose rows differ from those of the fetch before
-- that counted.
with

fetches as (
    {{ fetches_that_count('stg_loaded_days') }}
),

fetches_in_order as (
    select
        fetches.*,
        lag(version) over same_day as previous_version,
        lag(rows_hash) over same_day as previous_rows_hash,
        lag(row_count) over same_day as previous_row_count
    from fetches
    window same_day as (partition by organization_id, endpoint, activity_date order by fetch_number)
),

revisions as (
    select
        endpoint,
        activity_date,
        organization_id,
        fetch_number,
        version,
        previous_version,
        row_count,
        previous_row_count,
        fetched_at as revised_at
    from fetches_in_order
    where rows_hash <> previous_rows_hash
)

select * from revisions
