-- One row per Langdock user whose e-mail is in any export, with the newest one.
with

users as (
    select * from {{ ref('stg_langdock_users') }}
),

agents as (
    select * from {{ ref('stg_langdock_agents') }}
),

projects as (
    select * from {{ ref('stg_langdock_projects') }}
),

emails as (
    select
        user_id,
        {{ email_key('email') }} as email,
        period_end_date
    from users
    union all
    select
        owner_user_id as user_id,
        {{ email_key('owner_email') }} as email,
        period_end_date
    from agents
    union all
    select
        owner_user_id as user_id,
        {{ email_key('owner_email') }} as email,
        period_end_date
    from projects
),

in_order as (
    select
        user_id,
        email,
        row_number() over (partition by user_id order by period_end_date desc, email asc) as emails_since
    from emails
    where user_id is not null and email is not null
),

people as (
    select
        user_id,
        email
    from in_order
    where emails_since = 1
)

select * from people
