-- One row per member and period of UTC days with the same e-mail, name, role and joining date. The end is not in the
-- period. A day's roster is what was so at its end.
with

members as (
    select * from {{ ref('stg_members') }}
    where user_id is not null
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

-- A load that broke off can have changed the table after the newest complete snapshot; what was so then still counts.
known_members as (
    select
        members.*,
        case
            when members.valid_until_at > snapshots.newest_snapshot_at then cast(null as timestamp)
            else members.valid_until_at
        end as known_until_at
    from members
    inner join snapshots on members.valid_from_at <= snapshots.newest_snapshot_at
),

-- Somebody whom one snapshot held twice, in two states, counts once: in the state that lasted.
known_members_in_order as (
    select
        known_members.*,
        lead(valid_from_at) over (
            partition by user_id
            order by
                valid_from_at asc,
                coalesce(known_until_at, cast('9999-12-31' as timestamp)) asc,
                email asc,
                role asc
        ) as next_valid_from_at
    from known_members
),

periods as (
    select
        user_id,
        cast(valid_from_at as date) as valid_from_date,
        cast(
            case
                when next_valid_from_at < coalesce(known_until_at, cast('9999-12-31' as timestamp))
                    then next_valid_from_at
                else coalesce(known_until_at, cast('9999-12-31' as timestamp))
            end as date
        ) as valid_until_date,
        email,
        name,
        role,
        cast(added_at as date) as joined_date
    from known_members_in_order
)

select * from periods
where valid_from_date < valid_until_date
