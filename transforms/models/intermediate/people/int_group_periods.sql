-- One row per person and period in one department by the groups that they are in; a person's periods cover all days.
-- The end is not in the period. Of several groups on a day, the one of the lowest priority number counts.
with

people as (
    select * from {{ ref('int_people') }}
),

group_members as (
    select * from {{ ref('stg_rbac_group_members') }}
    where user_id is not null
),

cost_center_groups as (
    select * from {{ ref('stg_cost_center_groups') }}
),

-- By their names, which a line of the file means for all days.
names as (
    select
        rbac_group_id as id,
        group_key as key,
        valid_from_date,
        valid_until_date,
        first_seen_date,
        last_seen_date,
        cast(null as date) as received_date,
        cast(null as date) as passed_on_date
    from {{ ref('int_group_names') }}
),

lines as (
    select
        group_key as key,
        group_key as line_key,
        cast('0001-01-01' as date) as valid_from_date
    from cost_center_groups
),

{{ lines_in_force(['line_key']) }},

-- A group is named in the file by its id, or else by its name.
group_ids as (
    select distinct
        rbac_group_id,
        {{ name_key('rbac_group_id') }} as id_key
    from group_members
),

group_lines as (
    select
        group_ids.rbac_group_id,
        cast('0001-01-01' as date) as valid_from_date,
        cast('9999-12-31' as date) as valid_until_date,
        cost_center_groups.group_key as line_key
    from group_ids
    inner join cost_center_groups on group_ids.id_key = cost_center_groups.group_key
    union all
    select
        lines_in_force.id as rbac_group_id,
        lines_in_force.valid_from_date,
        lines_in_force.valid_until_date,
        lines_in_force.line_key
    from lines_in_force
    left join group_ids on lines_in_force.id = group_ids.rbac_group_id
    left join cost_center_groups on group_ids.id_key = cost_center_groups.group_key
    where cost_center_groups.group_key is null and lines_in_force.line_key is not null
),

mapped_groups as (
    select
        group_lines.rbac_group_id,
        group_lines.valid_from_date,
        group_lines.valid_until_date,
        cost_center_groups.group_key,
        cost_center_groups.department,
        cost_center_groups.cost_center,
        cost_center_groups.priority
    from group_lines
    inner join cost_center_groups on group_lines.line_key = cost_center_groups.group_key
),

-- A day's groups are those at its end.
members_by_day as (
    select
        rbac_group_id,
        user_id,
        cast(valid_from_at as date) as valid_from_date,
        coalesce(cast(valid_until_at as date), cast('9999-12-31' as date)) as valid_until_date
    from group_members
),

memberships as (
    select
        members_by_day.user_id,
        mapped_groups.group_key,
        mapped_groups.department,
        mapped_groups.cost_center,
        mapped_groups.priority,
        case
            when members_by_day.valid_from_date < mapped_groups.valid_from_date then mapped_groups.valid_from_date
            else members_by_day.valid_from_date
        end as valid_from_date,
        case
            when members_by_day.valid_until_date > mapped_groups.valid_until_date then mapped_groups.valid_until_date
            else members_by_day.valid_until_date
        end as valid_until_date
    from members_by_day
    inner join mapped_groups
        on
            members_by_day.rbac_group_id = mapped_groups.rbac_group_id
            and members_by_day.valid_from_date < mapped_groups.valid_until_date
            and members_by_day.valid_until_date > mapped_groups.valid_from_date
),

changes_of_people as (
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
    from changes_of_people
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
