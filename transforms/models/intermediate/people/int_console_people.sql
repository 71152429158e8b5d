-- One row per further organisation and account of a person whom its cost names: who that is here. An account of the
-- first organisation, or of the same address as one of it, is that person; accounts of one address that nobody there
-- has are the one of them that was seen first, and any other one is a person of its own.
with

accounts as (
    select
        organization_id,
        user_id,
        email,
        min(activity_date) as first_date,
        max(activity_date) as last_date
    from {{ ref('stg_costs') }}
    where organization_id is not null and user_id is not null
    group by organization_id, user_id, email
),

members as (
    select
        user_id,
        email,
        cast(coalesce(valid_until_at, valid_from_at) as date) as last_date
    from {{ ref('stg_members') }}
),

known_addresses as (
    select * from {{ ref('stg_known_addresses') }}
    where user_id not in (select accounts.user_id from accounts)
),

with_keys as (
    select
        organization_id,
        user_id,
        {{ email_key('email') }} as email_key,
        min(first_date) over (partition by organization_id, user_id) as first_date,
        row_number() over (
            partition by organization_id, user_id
            order by case when email is null then 1 else 0 end asc, last_date desc, email asc
        ) as addresses_since
    from accounts
),

people as (
    select
        user_id,
        email,
        last_date
    from members
    union all
    select
        user_id,
        email,
        last_date
    from known_addresses
),

people_with_keys as (
    select
        user_id,
        {{ email_key('email') }} as email_key,
        last_date
    from people
),

holders as (
    select
        user_id,
        email_key,
        row_number() over (partition by email_key order by last_date desc, user_id asc) as holders_since
    from people_with_keys
    where email_key is not null
),

newest as (
    select
        organization_id,
        user_id,
        email_key,
        first_value(user_id) over (
            partition by coalesce(email_key, user_id) order by first_date asc, user_id asc
        ) as first_user_id
    from with_keys
    where addresses_since = 1
),

console_people as (
    select
        newest.organization_id,
        newest.user_id as account_id,
        case
            when newest.user_id in (select members.user_id from members) then newest.user_id
            else coalesce(holders.user_id, newest.first_user_id)
        end as person_id
    from newest
    left join holders on newest.email_key = holders.email_key and holders.holders_since = 1
)

select * from console_people
