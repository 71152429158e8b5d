-- One row per organisation (null: the first one), endpoint and UTC day that is loaded, as of its newest fetch.
with

fetches as (
    {{ fetches_that_count('stg_loaded_days') }}
),

fetches_in_order as (
    select
        fetches.*,
        lag(rows_hash) over (
            partition by organization_id, endpoint, activity_date order by fetch_number
        ) as previous_rows_hash,
        row_number() over (
            partition by organization_id, endpoint, activity_date order by fetch_number desc
        ) as fetches_since
    from fetches
),

revisions as (
    select
        endpoint,
        activity_date,
        organization_id,
        count(case when rows_hash <> previous_rows_hash then 1 end) as revision_count
    from fetches_in_order
    group by endpoint, activity_date, organization_id
),

newest_fetches as (
    select
        fetches_in_order.endpoint,
        fetches_in_order.activity_date,
        fetches_in_order.organization_id,
        fetches_in_order.outcome,
        fetches_in_order.row_count,
        fetches_in_order.rejected_row_count,
        revisions.revision_count,
        (fetches_in_order.is_settled and fetches_in_order.rejected_row_count = 0) as is_settled,
        fetches_in_order.fetched_at
    from fetches_in_order
    inner join revisions
        on
            fetches_in_order.endpoint = revisions.endpoint
            and fetches_in_order.activity_date = revisions.activity_date
            and fetches_in_order.organization_id is not distinct from revisions.organization_id
    -- A day of which no row could be read is unknown, not empty.
    where fetches_in_order.fetches_since = 1 and fetches_in_order.outcome <> 'rejected'
)

select * from newest_fetches
