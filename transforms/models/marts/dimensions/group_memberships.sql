-- One row per person, RBAC group and period in which they were in it; the end is not in the period.
{{ config(materialized='view') }}
with

group_member_periods as (
    select * from {{ ref('int_group_member_periods') }}
),

newest_groups as (
    select * from {{ ref('int_newest_groups') }}
),

with_previous as (
    select
        group_member_periods.*,
        lag(valid_until_date) over (partition by user_id, rbac_group_id order by valid_from_date) as previous_until_date
    from group_member_periods
),

numbered as (
    select
        user_id,
        rbac_group_id,
        valid_from_date,
        valid_until_date,
        sum(case when previous_until_date = valid_from_date then 0 else 1 end) over (
            partition by user_id, rbac_group_id order by valid_from_date
        ) as period_number
    from with_previous
),

periods as (
    select
        user_id,
        rbac_group_id,
        period_number,
        min(valid_from_date) as valid_from,
        nullif(max(valid_until_date), cast('9999-12-31' as date)) as valid_until
    from numbered
    group by user_id, rbac_group_id, period_number
),

with_name as (
    select
        periods.user_id,
        periods.rbac_group_id,
        periods.valid_from,
        periods.valid_until,
        coalesce(newest_groups.name, periods.rbac_group_id) as rbac_group_name
    from periods
    left join newest_groups on periods.rbac_group_id = newest_groups.rbac_group_id
)

select * from with_name
