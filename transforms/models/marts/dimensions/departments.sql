-- One row per department that anybody was in or anything was charged to.
{{ config(materialized='view') }}
with

periods as (
    select * from {{ ref('department_periods') }}
),

chargeback as (
    select * from {{ ref('chargeback_monthly') }}
),

team_adoption as (
    select * from {{ ref('team_adoption_monthly') }}
),

seats as (
    select * from {{ ref('seats') }}
),

places as (
    select
        department,
        cost_center
    from periods
    union distinct
    select
        department,
        cost_center
    from chargeback
    union distinct
    select
        department,
        cost_center
    from seats
    union distinct
    select
        department,
        cast(null as {{ dbt.type_string() }}) as cost_center
    from team_adoption
),

people_today as (
    select
        department,
        count(case when is_member then 1 end) as member_count
    from {{ ref('people') }}
    group by department
),

departments as (
    select
        places.department,
        case when count(distinct places.cost_center) = 1 then max(places.cost_center) end as cost_center,
        cast(count(distinct places.cost_center) as bigint) as cost_center_count,
        cast(coalesce(max(people_today.member_count), 0) as bigint) as member_count,
        places.department not in ('Unmapped', 'Unattributed', 'Other') as is_real
    from places
    left join people_today on places.department = people_today.department
    group by places.department
)

select * from departments
