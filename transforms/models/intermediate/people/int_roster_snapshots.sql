-- One row per roster table: its first and newest snapshot that is complete. An empty answer tells of nobody.
with

roster_snapshots as (
    select * from {{ ref('stg_roster_snapshots') }}
),

complete_loads as (
    select * from {{ ref('stg_dlt_loads') }}
    where status = 0
),

snapshots as (
    select
        roster_table,
        min(case when row_count > 0 then snapshot_at end) as first_snapshot_at,
        max(snapshot_at) as newest_snapshot_at
    from roster_snapshots
    where load_id in (select complete_loads.load_id from complete_loads)
    group by roster_table
)

select * from snapshots
where first_snapshot_at is not null
