-- One row per roster table and version of it that counts: the snapshot since which it does.
{{ config(materialized='table') }}

with

snapshots as (
    select * from {{ ref('stg_roster_snapshots') }}
    where outcome <> 'kept_apart'
),

complete_loads as (
    select * from {{ ref('stg_dlt_loads') }}
    where status = 0
),

in_order as (
    select
        roster_table,
        organization_id,
        version,
        fetch_number,
        snapshot_at,
        row_number() over (partition by roster_table, version order by fetch_number) as snapshots_before
    from snapshots
    where load_id in (select complete_loads.load_id from complete_loads)
),

counting_snapshots as (
    select
        roster_table,
        organization_id,
        version,
        fetch_number as since_number,
        snapshot_at as since_at
    from in_order
    where snapshots_before = 1
)

select * from counting_snapshots
