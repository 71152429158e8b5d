-- One row per person with a row in users, with the newest e-mail seen for them in any source.
with

users as (
    select * from {{ ref('stg_users') }}
    where user_id is not null
),

chat_projects as (
    select * from {{ ref('stg_chat_projects') }}
),

people as (
    select distinct user_id from users
),

emails as (
    select
        user_id,
        email,
        max(activity_date) as last_seen_date
    from users
    where email is not null
    group by user_id, email
    union all
    select
        created_by_user_id as user_id,
        created_by_email as email,
        max(activity_date) as last_seen_date
    from chat_projects
    where created_by_email is not null
    group by created_by_user_id, created_by_email
),

emails_in_order as (
    select
        user_id,
        email,
        row_number() over (partition by user_id order by last_seen_date desc, email asc) as emails_since
    from emails
),

with_email as (
    select
        people.user_id,
        emails_in_order.email
    from people
    left join emails_in_order
        on people.user_id = emails_in_order.user_id and emails_in_order.emails_since = 1
)

select * from with_email
