-- One row per person and period in one department by the groups that they are in; a person's periods cover all days.
-- The end is not in the period. Of several groups on a day, the one of the lowest priority number counts.
with

people as (
    select * from {{ ref('int_people') }}
),

groups as (
    select * from {{ ref('stg_rbac_groups') }}
),

group_members as (
    select * from {{ ref('stg_rbac_group_members') }}
    where user_id is not null
),

cost_center_groups as (
    select * from {{ ref('stg_cost_center_groups') }}
),

groups_in_order as (
    select
        rbac_group_id,
        name,
        row_number() over (partition by rbac_group_id order by valid_from_at desc) as versions_since
    from groups
),

-- A group is named in the file by its id or by its newest name.
mapped_groups as (
    select
        groups_in_order.rbac_group_id,
        cost_center_groups.group_key,
        cost_center_groups.department,
        cost_center_groups.cost_center,
        cost_center_groups.priority
    from groups_in_order
    inner join cost_center_groups
        on
            {{ name_key('groups_in_order.rbac_group_id') }} = cost_center_groups.group_key
            or {{ name_key('groups_in_order.name') }} = cost_center_groups.group_key
    where groups_in_order.versions_since = 1
),

-- A day's groups are those at its end.
memberships as (
    select
        group_members.user_id,
        mapped_groups.group_key,
        mapped_groups.department,
        mapped_groups.cost_center,
        mapped_groups.priority,
        cast(group_members.valid_from_at as date) as valid_from_date,
        coalesce(cast(group_members.valid_until_at as date), cast('9999-12-31' as date)) as valid_until_date
    from group_members
    inner join mapped_groups on group_members.rbac_group_id = mapped_groups.rbac_group_id
),

changes as (
    select
        user_id,
        cast('0001-01-01' as date) as valid_from_date
    from people
    union distinct
    select
        user_id,
        valid_from_date
    from memberships
    union distinct
    select
        user_id,
        valid_until_date as valid_from_date
    from memberships
),

periods as (
    select
        user_id,
        valid_from_date,
        coalesce(
            lead(valid_from_date) over (partition by user_id order by valid_from_date),
            cast('9999-12-31' as date)
        ) as valid_until_date
    from changes
),

with_groups as (
    select
        periods.user_id,
        periods.valid_from_date,
        periods.valid_until_date,
        memberships.department,
        memberships.cost_center,
        row_number() over (
            partition by periods.user_id, periods.valid_from_date
            order by memberships.priority asc, memberships.group_key asc
        ) as groups_before
    from periods
    inner join people on periods.user_id = people.user_id
    left join memberships
        on
            periods.user_id = memberships.user_id
            and periods.valid_from_date >= memberships.valid_from_date
            and periods.valid_from_date < memberships.valid_until_date
),

person_periods as (
    select
        user_id,
        valid_from_date,
        valid_until_date,
        coalesce(department, 'Unmapped') as department,
        cost_center
    from with_groups
    where groups_before = 1 and valid_from_date < valid_until_date
)

select * from person_periods
