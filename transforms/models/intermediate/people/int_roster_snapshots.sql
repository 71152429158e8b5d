-- One row per roster table of the first organisation: its first and newest snapshot that is complete. An empty answer
-- tells of nobody.
with

roster_snapshots as (
    {{ fetches_that_count('stg_roster_snapshots') }}
),

snapshots as (
    select
        roster_table,
        min(case when row_count > 0 then snapshot_at end) as first_snapshot_at,
        max(snapshot_at) as newest_snapshot_at
    from roster_snapshots
    where organization_id is null
    group by roster_table
)

select * from snapshots
where first_snapshot_at is not null
