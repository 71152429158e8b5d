-- One row per person, group, role, thing that the role permits, and period of UTC days in which it permitted it to
-- them. The end is not in the period.
with

group_member_periods as (
    select * from {{ ref('int_group_member_periods') }}
),

rbac_groups as (
    select * from {{ ref('stg_rbac_groups') }}
    where rbac_group_id is not null
),

rbac_roles as (
    select * from {{ ref('stg_rbac_roles') }}
),

permissions as (
    select * from {{ ref('stg_rbac_role_permissions') }}
),

ends_of_groups as (
    select
        rbac_group_id,
        max(coalesce(valid_until_at, cast('9999-12-31' as timestamp))) as gone_at
    from rbac_groups
    group by rbac_group_id
),

-- Now and then the API cannot tell a group's roles: then those that it told last hold.
told_roles as (
    select
        rbac_groups.rbac_group_id,
        rbac_groups.valid_from_at,
        coalesce(
            lead(rbac_groups.valid_from_at) over (
                partition by rbac_groups.rbac_group_id order by rbac_groups.valid_from_at
            ),
            ends_of_groups.gone_at
        ) as valid_until_at,
        '{"ids": ' || rbac_groups.role_ids || '}' as role_ids
    from rbac_groups
    inner join ends_of_groups on rbac_groups.rbac_group_id = ends_of_groups.rbac_group_id
    where rbac_groups.role_ids is not null
),

roles_of_groups as (
    select
        rbac_group_id,
        cast(valid_from_at as date) as valid_from_date,
        cast(valid_until_at as date) as valid_until_date,
        {{ json_elements('role_ids', 'ids') }} as rbac_role_id
    from told_roles
),

roles_in_order as (
    select
        rbac_role_id,
        role_name,
        row_number() over (partition by rbac_role_id order by valid_from_at desc, role_name asc) as names_since
    from rbac_roles
),

role_permissions as (
    select
        permissions.rbac_role_id,
        coalesce(roles_in_order.role_name, permissions.rbac_role_id) as role_name,
        permissions.action || ' on '
        || permissions.resource_type
        || case
            when permissions.resource_type <> 'organization' then coalesce(' ' || permissions.resource_id, '')
            else ''
        end
        || coalesce('/' || permissions.resource_part, '') as permission,
        cast(permissions.valid_from_at as date) as valid_from_date,
        coalesce(cast(permissions.valid_until_at as date), cast('9999-12-31' as date)) as valid_until_date
    from permissions
    left join roles_in_order
        on permissions.rbac_role_id = roles_in_order.rbac_role_id and roles_in_order.names_since = 1
),

permission_periods as (
    select
        group_member_periods.user_id,
        group_member_periods.rbac_group_id,
        role_permissions.rbac_role_id,
        role_permissions.role_name,
        role_permissions.permission,
        greatest(
            group_member_periods.valid_from_date, roles_of_groups.valid_from_date, role_permissions.valid_from_date
        ) as valid_from_date,
        least(
            group_member_periods.valid_until_date, roles_of_groups.valid_until_date, role_permissions.valid_until_date
        ) as valid_until_date
    from group_member_periods
    inner join roles_of_groups on group_member_periods.rbac_group_id = roles_of_groups.rbac_group_id
    inner join role_permissions on roles_of_groups.rbac_role_id = role_permissions.rbac_role_id
)

select * from permission_periods
where valid_from_date < valid_until_date
