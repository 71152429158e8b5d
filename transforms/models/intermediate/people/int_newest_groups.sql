-- One row per group ever seen, by its newest name.
with

rbac_groups as (
    select * from {{ ref('stg_rbac_groups') }}
    where rbac_group_id is not null
),

groups_in_order as (
    select
        rbac_group_id,
        name,
        row_number() over (partition by rbac_group_id order by valid_from_at desc, name asc) as names_since
    from rbac_groups
),

newest_groups as (
    select
        rbac_group_id,
        name
    from groups_in_order
    where names_since = 1
)

select * from newest_groups
