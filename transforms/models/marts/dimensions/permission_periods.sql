-- One row per person, RBAC role, permission and period in which the role gave it to them; the end is not in the period.
{{ config(materialized='view') }}
with

-- Several groups can give a person the same role.
permission_periods as (
    select distinct
        user_id,
        rbac_role_id,
        role_name,
        permission,
        valid_from_date,
        valid_until_date
    from {{ ref('int_permission_periods') }}
),

starts as (
    select
        permission_periods.*,
        max(valid_until_date) over (
            partition by user_id, rbac_role_id, permission
            order by valid_from_date, valid_until_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until_date
    from permission_periods
),

numbered as (
    select
        starts.*,
        sum(case when covered_until_date >= valid_from_date then 0 else 1 end) over (
            partition by user_id, rbac_role_id, permission
            order by valid_from_date, valid_until_date
            rows between unbounded preceding and current row
        ) as period_number
    from starts
),

periods as (
    select
        user_id,
        rbac_role_id,
        permission,
        min(valid_from_date) as valid_from,
        nullif(max(valid_until_date), cast('9999-12-31' as date)) as valid_until,
        max(role_name) as rbac_role_name
    from numbered
    group by user_id, rbac_role_id, permission, period_number
)

select * from periods
