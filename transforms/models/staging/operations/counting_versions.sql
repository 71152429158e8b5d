-- One row per organisation, endpoint, and UTC day or slot of it: the version whose rows count. Of the activity feed,
-- whose windows add to each other, one row per window that brought events: a night that read nothing new changes
-- nothing here.
{{ config(materialized='table') }}

with

fetches as (
    {{ fetches_that_count('stg_loaded_days') }}
),

fetches_in_order as (
    select
        endpoint,
        activity_date,
        organization_id,
        version,
        row_number() over (
            partition by organization_id, endpoint, activity_date order by fetch_number desc
        ) as fetches_since
    from fetches
),

windows as (
    {{ fetches_that_count('stg_activity_windows') }}
),

exports as (
    select * from {{ ref('stg_langdock_exports') }}
    where outcome = 'loaded'
),

counting_versions as (
    select
        endpoint,
        activity_date,
        cast(null as {{ dbt.type_string() }}) as slot,
        organization_id,
        version
    from fetches_in_order
    where fetches_since = 1
    union all
    select
        'activities' as endpoint,
        cast(null as date) as activity_date,
        cast(null as {{ dbt.type_string() }}) as slot,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        version
    from windows
    where version in (select activities.version from {{ source('claude_raw', 'activities') }} as activities)
    union all
    select
        'langdock_' || entity as endpoint,
        cast(null as date) as activity_date,
        slot,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        version
    from exports
)

select * from counting_versions
