-- One row per person with activity or spend, with the newest e-mail seen for them in any source.
with

users as (
    select * from {{ ref('stg_users') }}
    where user_id is not null
),

chat_projects as (
    select * from {{ ref('stg_chat_projects') }}
),

costs as (
    select * from {{ ref('stg_costs') }}
    where actor_type = 'user'
),

user_cost_reports as (
    select * from {{ ref('stg_user_cost_reports') }}
    where user_id is not null
),

usage_rows as (
    select * from {{ ref('stg_usage') }}
    where actor_type = 'user'
),

user_usage_reports as (
    select * from {{ ref('stg_user_usage_reports') }}
    where user_id is not null
),

people as (
    select user_id from users
    union distinct
    select user_id from costs
    union distinct
    select user_id from user_cost_reports
    union distinct
    select user_id from usage_rows
    union distinct
    select user_id from user_usage_reports
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
    union all
    select
        user_id,
        email,
        max(activity_date) as last_seen_date
    from costs
    where email is not null
    group by user_id, email
    union all
    select
        user_id,
        email,
        max(activity_date) as last_seen_date
    from user_cost_reports
    where email is not null
    group by user_id, email
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
