-- One row per group, member and period of UTC days in it. The end is not in the period.
with

group_members as (
    select * from {{ ref('stg_rbac_group_members') }}
    where user_id is not null and rbac_group_id is not null
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'rbac_group_members'
),

known_group_members as (
    select
        group_members.rbac_group_id,
        group_members.user_id,
        group_members.valid_from_at,
        case
            when
                group_members.valid_until_at is null
                or group_members.valid_until_at > snapshots.newest_snapshot_at
                then cast('9999-12-31' as timestamp)
            else group_members.valid_until_at
        end as valid_until_at
    from group_members
    inner join snapshots on group_members.valid_from_at <= snapshots.newest_snapshot_at
),

known_group_members_in_order as (
    select
        known_group_members.*,
        lead(valid_from_at) over (
            partition by rbac_group_id, user_id order by valid_from_at asc, valid_until_at asc
        ) as next_valid_from_at
    from known_group_members
),

periods as (
    select
        rbac_group_id,
        user_id,
        cast(valid_from_at as date) as valid_from_date,
        cast(
            case when next_valid_from_at < valid_until_at then next_valid_from_at else valid_until_at end as date
        ) as valid_until_date
    from known_group_members_in_order
)

select * from periods
where valid_from_date < valid_until_date
