-- One row per person whom any source knows by id, with the e-mail and the name seen last for them in any source.
-- Both stay after the account is deleted.
with

users as (
    select
        user_id,
        email,
        cast(null as {{ dbt.type_string() }}) as name,
        cast(min(activity_date) as timestamp) as first_seen_at,
        cast(max(activity_date) as timestamp) as last_seen_at
    from {{ ref('stg_users') }}
    group by user_id, email
),

project_creators as (
    select
        created_by_user_id as user_id,
        created_by_email as email,
        cast(null as {{ dbt.type_string() }}) as name,
        cast(min(activity_date) as timestamp) as first_seen_at,
        cast(max(activity_date) as timestamp) as last_seen_at
    from {{ ref('stg_chat_projects') }}
    group by created_by_user_id, created_by_email
),

cost_and_usage_rows as (
    select
        activity_date,
        user_id,
        email,
        name
    from {{ ref('stg_costs') }}
    union all
    select
        activity_date,
        user_id,
        email,
        name
    from {{ ref('stg_user_cost_reports') }}
    union all
    select
        activity_date,
        user_id,
        email,
        name
    from {{ ref('stg_usage') }}
    union all
    select
        activity_date,
        user_id,
        email,
        name
    from {{ ref('stg_user_usage_reports') }}
),

spenders as (
    select
        user_id,
        email,
        name,
        cast(min(activity_date) as timestamp) as first_seen_at,
        cast(max(activity_date) as timestamp) as last_seen_at
    from cost_and_usage_rows
    group by user_id, email, name
),

snapshots as (
    select max(newest_snapshot_at) as newest_snapshot_at
    from {{ ref('int_roster_snapshots') }}
),

roster_rows as (
    select
        user_id,
        email,
        name,
        valid_from_at,
        valid_until_at
    from {{ ref('stg_members') }}
    union all
    select
        user_id,
        email,
        cast(null as {{ dbt.type_string() }}) as name,
        valid_from_at,
        valid_until_at
    from {{ ref('stg_rbac_group_members') }}
    union all
    select
        user_id,
        email,
        name,
        valid_from_at,
        valid_until_at
    from {{ ref('stg_spend_limits') }}
),

-- What a roster still says was seen with its newest snapshot.
roster_people as (
    select
        roster_rows.user_id,
        roster_rows.email,
        roster_rows.name,
        roster_rows.valid_from_at as first_seen_at,
        coalesce(roster_rows.valid_until_at, snapshots.newest_snapshot_at, roster_rows.valid_from_at) as last_seen_at
    from roster_rows
    cross join snapshots
),

sightings as (
    select * from users
    union all
    select * from project_creators
    union all
    select * from spenders
    union all
    select * from roster_people
),

people as (
    select distinct user_id
    from sightings
    where user_id is not null
),

-- Of two seen last at the same moment, the one that came up later.
emails_in_order as (
    select
        user_id,
        email,
        row_number() over (
            partition by user_id order by last_seen_at desc, first_seen_at desc, email asc
        ) as emails_since
    from sightings
    where email is not null
),

-- The API's word for somebody without a name is not a name.
names_in_order as (
    select
        user_id,
        name,
        row_number() over (
            partition by user_id order by last_seen_at desc, first_seen_at desc, name asc
        ) as names_since
    from sightings
    where name is not null and name <> 'Deleted User'
),

with_email_and_name as (
    select
        people.user_id,
        emails_in_order.email,
        names_in_order.name
    from people
    left join emails_in_order
        on people.user_id = emails_in_order.user_id and emails_in_order.emails_since = 1
    left join names_in_order
        on people.user_id = names_in_order.user_id and names_in_order.names_since = 1
)

select * from with_email_and_name
