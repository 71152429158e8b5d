-- One row per person whom any source knows by id, with the e-mail and the name seen last for them in any source.
-- Both stay after the account is deleted.
with

sightings as (
    select * from {{ ref('int_sightings') }}
),

people as (
    select distinct user_id
    from sightings
),

-- Of two seen last at the same moment, the one that came up later.
emails_in_order as (
    select
        user_id,
        email,
        row_number() over (
            partition by user_id order by is_tombstone asc, last_seen_at desc, first_seen_at desc, email asc
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
