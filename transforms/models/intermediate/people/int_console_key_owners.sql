-- One row per further organisation of the Console and API key that its list ever had: what the key is called now, and
-- whose it is. An owner is a person here if the account or its address is one's; a key of a service account has none.
with

api_keys as (
    select
        organization_id,
        api_key_id,
        api_key_name,
        owner_user_id as owner_account_id,
        row_number() over (
            partition by organization_id, api_key_id order by valid_from_at desc, status asc
        ) as states_since
    from {{ ref('stg_console_api_keys') }}
),

members as (
    select
        organization_id,
        user_id,
        {{ email_key('email') }} as email_key,
        row_number() over (
            partition by organization_id, user_id order by valid_from_at desc, email asc
        ) as addresses_since
    from {{ ref('stg_console_members') }}
),

console_people as (
    select * from {{ ref('int_console_people') }}
),

holders_in_order as (
    select
        user_id,
        email_key,
        row_number() over (
            partition by email_key order by last_seen_date desc, first_seen_date desc, user_id asc
        ) as holders_since
    from {{ ref('int_address_periods') }}
),

owners as (
    select
        api_keys.organization_id,
        api_keys.api_key_id,
        api_keys.api_key_name,
        api_keys.owner_account_id,
        members.email_key as owner_email,
        coalesce(console_people.person_id, holders_in_order.user_id) as owner_user_id
    from api_keys
    left join members
        on
            api_keys.organization_id = members.organization_id
            and api_keys.owner_account_id = members.user_id
            and members.addresses_since = 1
    left join console_people
        on
            api_keys.organization_id = console_people.organization_id
            and api_keys.owner_account_id = console_people.account_id
    left join holders_in_order on members.email_key = holders_in_order.email_key and holders_in_order.holders_since = 1
    where api_keys.states_since = 1
)

select * from owners
