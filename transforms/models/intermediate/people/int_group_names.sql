-- One row per group and period in which it had one name; the periods of a group that has any cover all days. The end is
-- not in the period. A day's name is the one at its end; two groups can have one name.
with

rbac_groups as (
    select
        rbac_group_id,
        {{ name_key('name') }} as group_key,
        valid_from_at,
        valid_until_at
    from {{ ref('stg_rbac_groups') }}
    where rbac_group_id is not null and name is not null
),

groups_in_order as (
    select
        rbac_groups.*,
        row_number() over (
            partition by rbac_group_id, cast(valid_from_at as date)
            order by valid_from_at desc, coalesce(valid_until_at, cast('9999-12-31' as timestamp)) desc, group_key asc
        ) as states_since
    from rbac_groups
),

with_change as (
    select
        rbac_group_id,
        group_key,
        cast(valid_from_at as date) as first_seen_date,
        case
            when
                lag(group_key) over (partition by rbac_group_id order by valid_from_at) = group_key then 0
            else 1
        end as is_change
    from groups_in_order
    where states_since = 1
),

numbered as (
    select
        with_change.*,
        sum(is_change) over (partition by rbac_group_id order by first_seen_date) as name_number
    from with_change
),

names as (
    select
        rbac_group_id,
        group_key,
        name_number,
        min(first_seen_date) as first_seen_date
    from numbered
    group by rbac_group_id, name_number, group_key
),

names_with_next as (
    select
        names.*,
        lead(first_seen_date) over (partition by rbac_group_id order by name_number) as next_seen_date
    from names
),

periods as (
    select
        rbac_group_id,
        case when name_number = 1 then cast('0001-01-01' as date) else first_seen_date end as valid_from_date,
        coalesce(next_seen_date, cast('9999-12-31' as date)) as valid_until_date,
        group_key,
        first_seen_date,
        coalesce(cast({{ dbt.dateadd('day', -1, 'next_seen_date') }} as date), first_seen_date) as last_seen_date
    from names_with_next
)

select * from periods
