-- One row per further organisation of the Console and API key that its list ever had, as of the newest list: when it
-- was used last by what it cost, and whether its owner is gone.
with

roster_snapshots as (
    {{ fetches_that_count('stg_roster_snapshots') }}
),

snapshots as (
    select
        organization_id,
        min(case when roster_table = 'api_keys' and row_count > 0 then snapshot_at end) as first_listed_at,
        max(case when roster_table = 'api_keys' then snapshot_at end) as listed_at,
        max(case when roster_table = 'members' then snapshot_at end) as members_at
    from roster_snapshots
    where organization_id is not null
    group by organization_id
),

api_keys as (
    select * from {{ ref('stg_console_api_keys') }}
),

owners as (
    select * from {{ ref('int_console_key_owners') }}
),

members as (
    select
        organization_id,
        user_id,
        max(coalesce(valid_until_at, cast('9999-12-31' as timestamp))) as seen_until_at
    from {{ ref('stg_console_members') }}
    group by organization_id, user_id
),

departures as (
    select * from {{ ref('int_departures') }}
),

member_periods as (
    select
        user_id,
        max(valid_until_date) as valid_until_date
    from {{ ref('int_member_periods') }}
    group by user_id
),

costs as (
    select * from {{ ref('stg_workspace_costs') }}
    where api_key_id is not null
),

usage_rows as (
    select
        organization_id,
        api_key_id,
        activity_date
    from {{ ref('stg_workspace_usage') }}
    where api_key_id is not null and (request_count > 0 or token_count > 0)
    union all
    select
        organization_id,
        api_key_id,
        activity_date
    from {{ ref('stg_console_usage_reports') }}
    where api_key_id is not null
),

days as (
    select
        organization_id,
        min(activity_date) as first_cost_date
    from {{ ref('int_days_loaded') }}
    where endpoint in ('workspace_costs', 'console_usage_reports') and organization_id is not null
    group by organization_id
),

spend_by_key as (
    select
        organization_id,
        api_key_id,
        cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
        max(case when spend_usd <> 0 then activity_date end) as last_spend_date
    from costs
    group by organization_id, api_key_id
),

use_by_key as (
    select
        organization_id,
        api_key_id,
        max(activity_date) as last_use_date
    from usage_rows
    group by organization_id, api_key_id
),

listed_in_order as (
    select
        api_keys.*,
        row_number() over (
            partition by api_keys.organization_id, api_keys.api_key_id
            order by api_keys.valid_from_at desc, api_keys.status asc
        ) as states_since
    from api_keys
    inner join snapshots
        on api_keys.organization_id = snapshots.organization_id and api_keys.valid_from_at <= snapshots.listed_at
),

listed as (
    select
        listed_in_order.organization_id,
        listed_in_order.api_key_id,
        snapshots.listed_at as as_of_at,
        cast(snapshots.first_listed_at as date) as history_start_date,
        listed_in_order.api_key_name,
        case
            when listed_in_order.valid_until_at <= snapshots.listed_at then 'deleted'
            else listed_in_order.status
        end as status,
        owners.owner_account_id,
        coalesce(owners.owner_user_id, owners.owner_account_id) as owner_user_id,
        owners.owner_email,
        listed_in_order.service_account_id,
        listed_in_order.workspace_id,
        listed_in_order.created_at,
        listed_in_order.expires_at,
        case when listed_in_order.valid_until_at <= snapshots.listed_at then listed_in_order.valid_until_at end
            as deleted_at,
        snapshots.members_at,
        case when members.seen_until_at <= snapshots.members_at then members.seen_until_at end as left_console_at,
        members.user_id is not null as is_known_member,
        coalesce(
            departures.left_at,
            case
                when member_periods.valid_until_date < cast('9999-12-31' as date)
                    then cast(member_periods.valid_until_date as timestamp)
            end
        ) as left_at
    from listed_in_order
    inner join snapshots on listed_in_order.organization_id = snapshots.organization_id
    left join owners
        on
            listed_in_order.organization_id = owners.organization_id
            and listed_in_order.api_key_id = owners.api_key_id
    left join members
        on owners.organization_id = members.organization_id and owners.owner_account_id = members.user_id
    left join departures on owners.owner_user_id = departures.user_id
    left join member_periods on owners.owner_user_id = member_periods.user_id
    where listed_in_order.states_since = 1
),

-- Who left the one organisation or the other is gone; the earlier moment counts. A list of members that is older than
-- the key says nothing about who made it.
with_owner as (
    select
        listed.*,
        case
            when left_console_at < left_at then left_console_at
            else coalesce(left_at, left_console_at)
        end as owner_left_at,
        case
            when owner_account_id is null then null
            when left_console_at is not null or left_at is not null then true
            when is_known_member then false
            when members_at is null or created_at > members_at then null
            else true
        end as has_owner_left
    from listed
),

with_use as (
    select
        with_owner.organization_id,
        with_owner.api_key_id,
        with_owner.as_of_at,
        with_owner.history_start_date,
        with_owner.api_key_name,
        with_owner.status,
        with_owner.owner_user_id,
        with_owner.owner_email,
        with_owner.has_owner_left,
        with_owner.service_account_id,
        with_owner.workspace_id,
        spend_by_key.spend_usd,
        spend_by_key.last_spend_date,
        case
            when spend_by_key.last_spend_date > use_by_key.last_use_date then spend_by_key.last_spend_date
            else coalesce(use_by_key.last_use_date, spend_by_key.last_spend_date)
        end as last_used_date,
        days.first_cost_date,
        with_owner.expires_at,
        with_owner.created_at,
        with_owner.deleted_at,
        with_owner.owner_left_at
    from with_owner
    left join spend_by_key
        on
            with_owner.organization_id = spend_by_key.organization_id
            and with_owner.api_key_id = spend_by_key.api_key_id
    left join use_by_key
        on with_owner.organization_id = use_by_key.organization_id and with_owner.api_key_id = use_by_key.api_key_id
    left join days on with_owner.organization_id = days.organization_id
)

select * from with_use
