-- One row per person and period in which their seat, role and groups were the same.
with

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

group_member_periods as (
    select * from {{ ref('int_group_member_periods') }}
),

newest_groups as (
    select * from {{ ref('int_newest_groups') }}
),

people as (
    select * from {{ ref('int_people') }}
),

group_snapshots as (
    select max(cast(first_snapshot_at as date)) as first_known_date
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'rbac_group_members'
),

boundaries as (
    select
        user_id,
        valid_from_date as boundary_date
    from member_periods
    union distinct
    select
        user_id,
        valid_until_date as boundary_date
    from member_periods
    union distinct
    select
        user_id,
        valid_from_date as boundary_date
    from group_member_periods
    union distinct
    select
        user_id,
        valid_until_date as boundary_date
    from group_member_periods
    union distinct
    select
        member_periods.user_id,
        group_snapshots.first_known_date as boundary_date
    from member_periods
    cross join group_snapshots
    where group_snapshots.first_known_date is not null
),

segments as (
    select
        user_id,
        boundary_date as valid_from_date,
        lead(boundary_date) over (partition by user_id order by boundary_date) as valid_until_date
    from boundaries
),

seat_segments as (
    select
        segments.user_id,
        segments.valid_from_date,
        segments.valid_until_date,
        member_periods.role,
        group_snapshots.first_known_date <= segments.valid_from_date as is_group_known
    from segments
    inner join member_periods
        on
            segments.user_id = member_periods.user_id
            and segments.valid_from_date >= member_periods.valid_from_date
            and segments.valid_from_date < member_periods.valid_until_date
    cross join group_snapshots
),

groups_of_segments as (
    select
        seat_segments.user_id,
        seat_segments.valid_from_date,
        count(*) as rbac_group_count,
        {{ dbt.listagg(
            'group_member_periods.rbac_group_id', "', '", 'order by group_member_periods.rbac_group_id'
        ) }} as rbac_group_ids,
        {{ dbt.listagg(
            'coalesce(newest_groups.name, group_member_periods.rbac_group_id)',
            "', '",
            'order by newest_groups.name, group_member_periods.rbac_group_id'
        ) }} as rbac_group_names
    from seat_segments
    inner join group_member_periods
        on
            seat_segments.user_id = group_member_periods.user_id
            and seat_segments.valid_from_date >= group_member_periods.valid_from_date
            and seat_segments.valid_from_date < group_member_periods.valid_until_date
    left join newest_groups on group_member_periods.rbac_group_id = newest_groups.rbac_group_id
    group by seat_segments.user_id, seat_segments.valid_from_date
),

-- Known to be in no group is 0; before the first snapshot of groups it is unknown.
with_groups as (
    select
        seat_segments.user_id,
        seat_segments.valid_from_date,
        seat_segments.valid_until_date,
        seat_segments.role,
        groups_of_segments.rbac_group_ids,
        groups_of_segments.rbac_group_names,
        case
            when seat_segments.is_group_known then cast(coalesce(groups_of_segments.rbac_group_count, 0) as bigint)
        end as rbac_group_count
    from seat_segments
    left join groups_of_segments
        on
            seat_segments.user_id = groups_of_segments.user_id
            and seat_segments.valid_from_date = groups_of_segments.valid_from_date
),

with_states as (
    select
        with_groups.*,
        coalesce(role, '') || ' | '
        || coalesce(rbac_group_ids, '') || ' | '
        || coalesce(cast(rbac_group_count as {{ dbt.type_string() }}), '') as state
    from with_groups
),

with_changes as (
    select
        with_states.*,
        case
            when
                lag(valid_until_date) over (partition by user_id order by valid_from_date) = valid_from_date
                and lag(state) over (partition by user_id order by valid_from_date) = state
                then 0
            else 1
        end as is_change
    from with_states
),

numbered as (
    select
        with_changes.*,
        sum(is_change) over (partition by user_id order by valid_from_date) as period_number
    from with_changes
),

periods as (
    select
        user_id,
        period_number,
        min(valid_from_date) as valid_from_date,
        nullif(max(valid_until_date), cast('9999-12-31' as date)) as valid_until_date,
        max(role) as role,
        max(rbac_group_ids) as rbac_group_ids,
        max(rbac_group_names) as rbac_group_names,
        max(rbac_group_count) as rbac_group_count
    from numbered
    group by user_id, period_number
),

with_person as (
    select
        periods.user_id,
        periods.valid_from_date,
        periods.valid_until_date,
        people.email,
        people.name,
        periods.role,
        periods.rbac_group_ids,
        periods.rbac_group_names,
        periods.rbac_group_count
    from periods
    inner join people on periods.user_id = people.user_id
)

select * from with_person
