-- One row per organisation and key of an API that the activity feed or a list of keys ever named, as of the newest
-- known of it.
with

events as (
    select * from {{ ref('security_events') }}
),

updates as (
    select * from {{ ref('int_event_updates') }}
    where category = 'api_key'
),

coverage as (
    select
        max(covered_from_at) as covered_from_at,
        max(covered_until_at) as covered_until_at
    from {{ ref('int_feed_coverage') }}
),

listed_keys as (
    select * from {{ ref('stg_api_keys') }}
),

costs as (
    select * from {{ ref('stg_costs') }}
    where actor_type = 'api_key' and spend_usd <> 0 and organization_id is null
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

console_keys as (
    select * from {{ ref('int_console_keys') }}
),

cost_days as (
    select min(activity_date) as first_cost_date
    from {{ ref('int_days_loaded') }}
    where endpoint = 'costs' and organization_id is null
),

key_snapshots as (
    select
        min(first_snapshot_at) as first_listed_at,
        max(newest_snapshot_at) as listed_at
    from {{ ref('int_roster_snapshots') }}
    where roster_table = 'api_keys'
),

departures as (
    select * from {{ ref('int_departures') }}
),

people as (
    select * from {{ ref('int_people') }}
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

roster as (
    select * from {{ ref('int_roster_snapshots') }}
    where roster_table = 'members'
),

last_seen_members as (
    select
        user_id,
        max(valid_until_date) as valid_until_date
    from member_periods
    group by user_id
),

key_events as (
    select
        event_id,
        event_type,
        case
            when event_type like 'platform_api_key%' then 'console'
            when event_type like 'admin_api_key%' then 'admin'
            when event_type like 'service_key%' then 'service'
            when event_type like '%signing_key%' then 'signing'
            else 'enterprise'
        end as key_type,
        coalesce(
            {{ json_text('attributes', 'api_key_id') }},
            {{ json_text('attributes', 'admin_api_key_id') }},
            {{ json_text('attributes', 'service_key_id') }},
            {{ json_text('attributes', 'signing_key_id') }}
        ) as api_key_id,
        coalesce({{ json_text('attributes', 'api_key_name') }}, {{ json_text('attributes', 'name') }}) as api_key_name,
        {{ json_text('attributes', 'scopes') }} as scopes,
        user_id,
        actor_email,
        event_at
    from events
    where category = 'api_key' and event_type <> 'compliance_api_accessed'
),

uses as (
    select
        actor_id as api_key_id,
        max(case when actor_type = 'admin_api_key_actor' then 'admin' else 'enterprise' end) as key_type,
        min(event_at) as first_used_at,
        max(event_at) as last_used_at,
        count(*) as use_count
    from events
    where actor_type in ('api_actor', 'admin_api_key_actor') and actor_id is not null
    group by actor_id
),

creations as (
    select
        key_events.*,
        row_number() over (partition by api_key_id order by event_at asc, event_id asc) as events_before
    from key_events
    where event_type like '%created'
),

life_by_key as (
    select
        api_key_id,
        max(key_type) as key_type,
        max(api_key_name) as api_key_name,
        max(case when event_type like '%updated' then scopes end) as updated_scopes,
        max(scopes) as scopes,
        max(case when event_type like '%updated' or event_type like '%rotated' then event_at end) as last_changed_at,
        max(case when event_type like '%deleted' or event_type like '%revoked' then event_at end) as deleted_at
    from key_events
    where api_key_id is not null
    group by api_key_id
),

status_updates as (
    select
        coalesce(
            {{ json_text('attributes', 'api_key_id') }}, {{ json_text('attributes', 'admin_api_key_id') }}
        ) as api_key_id,
        current_value,
        row_number() over (
            partition by
                coalesce({{ json_text('attributes', 'api_key_id') }}, {{ json_text('attributes', 'admin_api_key_id') }})
            order by event_at desc, event_id desc
        ) as updates_since
    from updates
    where update_type = 'status'
),

-- What the newest list says of a key; one that it has no more is gone.
listed_in_order as (
    select
        listed_keys.*,
        row_number() over (
            partition by listed_keys.api_key_id order by listed_keys.valid_from_at desc, listed_keys.status asc
        ) as states_since
    from listed_keys
    inner join key_snapshots on listed_keys.valid_from_at <= key_snapshots.listed_at
),

listed as (
    select
        listed_in_order.api_key_id,
        listed_in_order.api_key_name,
        case
            when listed_in_order.valid_until_at <= key_snapshots.listed_at then 'deleted'
            else listed_in_order.status
        end as status,
        coalesce(listed_in_order.principal_user_id, listed_in_order.creator_user_id) as owner_user_id,
        listed_in_order.service_account_id,
        listed_in_order.workspace_id,
        listed_in_order.created_at,
        listed_in_order.expires_at,
        key_snapshots.listed_at
    from listed_in_order
    cross join key_snapshots
    where listed_in_order.states_since = 1
),

spend_by_key as (
    select
        actor_id as api_key_id,
        cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
        min(activity_date) as first_spend_date,
        max(activity_date) as last_spend_date
    from costs
    group by actor_id
),

keys as (
    select api_key_id from life_by_key
    union
    select api_key_id from uses
    union
    select api_key_id from listed
),

with_life as (
    select
        organization.organization_id,
        keys.api_key_id,
        coalesce(listed.listed_at, coverage.covered_until_at) as as_of_at,
        coalesce(life_by_key.key_type, case when listed.api_key_id is not null then 'console' end, uses.key_type)
            as key_type,
        coalesce(listed.api_key_name, life_by_key.api_key_name) as api_key_name,
        coalesce(life_by_key.updated_scopes, life_by_key.scopes) as scopes,
        case
            when listed.status is not null then listed.status
            when life_by_key.deleted_at is not null then 'deleted'
            else coalesce(status_updates.current_value, 'active')
        end as status,
        coalesce(listed.owner_user_id, creations.user_id) as owner_user_id,
        coalesce(creations.actor_email, people.email) as owner_email,
        listed.service_account_id,
        listed.workspace_id,
        listed.expires_at,
        listed.api_key_id is not null as is_listed,
        spend_by_key.spend_usd,
        spend_by_key.last_spend_date,
        cost_days.first_cost_date,
        departures.left_at as owner_departed_at,
        roster.newest_snapshot_at as roster_snapshot_at,
        last_seen_members.valid_until_date as owner_in_roster_until_date,
        coalesce(uses.use_count, 0) as use_count,
        coalesce(listed.created_at, creations.event_at) as created_at,
        life_by_key.last_changed_at,
        life_by_key.deleted_at,
        uses.first_used_at,
        uses.last_used_at,
        cast(coalesce(coverage.covered_from_at, key_snapshots.first_listed_at) as date) as history_start_date
    from keys
    cross join organization
    cross join coverage
    cross join key_snapshots
    cross join cost_days
    left join listed on keys.api_key_id = listed.api_key_id
    left join spend_by_key on keys.api_key_id = spend_by_key.api_key_id
    left join life_by_key on keys.api_key_id = life_by_key.api_key_id
    left join uses on keys.api_key_id = uses.api_key_id
    left join creations on keys.api_key_id = creations.api_key_id and creations.events_before = 1
    left join status_updates on keys.api_key_id = status_updates.api_key_id and status_updates.updates_since = 1
    left join people on coalesce(listed.owner_user_id, creations.user_id) = people.user_id
    left join departures on coalesce(listed.owner_user_id, creations.user_id) = departures.user_id
    left join roster on roster.roster_table = 'members'
    left join last_seen_members on coalesce(listed.owner_user_id, creations.user_id) = last_seen_members.user_id
),

-- The newer of feed and roster knows. A roster that is older than the key says nothing about who made it.
with_owner as (
    select
        with_life.*,
        case
            when owner_user_id is null then null
            when owner_departed_at > coalesce(roster_snapshot_at, cast('0001-01-01' as timestamp)) then true
            when roster_snapshot_at is null or created_at > roster_snapshot_at then null
            else coalesce(owner_in_roster_until_date, cast('0001-01-01' as date)) < cast('9999-12-31' as date)
        end as has_owner_left
    from with_life
),

-- What a console, service or signing key does is not in the feed: that it was not seen there says nothing. What it
-- costs is known from the first day of cost on, unless it acts as a service account or a person: then cost names those.
with_hygiene as (
    select
        organization_id,
        api_key_id,
        as_of_at,
        history_start_date,
        key_type,
        api_key_name,
        scopes,
        status,
        owner_user_id,
        owner_email,
        {{ days_from('cast(created_at as date)', 'cast(as_of_at as date)') }} as age_days,
        {{ days_from('cast(last_used_at as date)', 'cast(as_of_at as date)') }} as days_since_used,
        case when key_type in ('enterprise', 'admin') or use_count > 0 then use_count end as use_count,
        case
            when key_type in ('enterprise', 'admin') or use_count > 0 then use_count = 0
            when last_spend_date is not null then false
            when
                is_listed and service_account_id is null and first_cost_date <= cast(created_at as date)
                then true
        end as is_never_used,
        has_owner_left,
        service_account_id,
        workspace_id,
        spend_usd,
        last_spend_date,
        case when is_listed then expires_at is null end as has_no_expiry,
        expires_at,
        created_at,
        last_changed_at,
        deleted_at,
        first_used_at,
        last_used_at,
        case
            when has_owner_left then coalesce(owner_departed_at, cast(owner_in_roster_until_date as timestamp))
        end as owner_left_at
    from with_owner
),

-- Keys of further organisations are in no feed that is read: their list and their cost tell of them.
with_console_keys as (
    select * from with_hygiene
    union all
    select
        organization_id,
        api_key_id,
        as_of_at,
        history_start_date,
        'console' as key_type,
        api_key_name,
        cast(null as {{ dbt.type_string() }}) as scopes,
        status,
        owner_user_id,
        owner_email,
        {{ days_from('cast(created_at as date)', 'cast(as_of_at as date)') }} as age_days,
        {{ days_from('last_used_date', 'cast(as_of_at as date)') }} as days_since_used,
        cast(null as bigint) as use_count,
        case
            when last_used_date is not null then false
            when service_account_id is null and first_cost_date <= cast(created_at as date) then true
        end as is_never_used,
        has_owner_left,
        service_account_id,
        workspace_id,
        spend_usd,
        last_spend_date,
        expires_at is null as has_no_expiry,
        expires_at,
        created_at,
        cast(null as timestamp) as last_changed_at,
        deleted_at,
        cast(null as timestamp) as first_used_at,
        cast(null as timestamp) as last_used_at,
        owner_left_at
    from console_keys
)

select * from with_console_keys
