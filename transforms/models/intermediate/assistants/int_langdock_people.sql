-- One row per Langdock user whose e-mail is in any export, with that of the person at Claude who had the same addresses
-- in the same time: who has another one by now, there or here, is still one person. Whom Claude does not know has the
-- newest one.
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

address_periods as (
    select * from {{ ref('int_address_periods') }}
),

claude_people as (
    select
        user_id,
        {{ email_key('email') }} as email
    from {{ ref('int_people') }}
),

emails as (
    select
        user_id,
        {{ email_key('email') }} as email,
        period_start_date,
        period_end_date
    from users
    union all
    select
        owner_user_id as user_id,
        {{ email_key('owner_email') }} as email,
        period_start_date,
        period_end_date
    from agents
    union all
    select
        owner_user_id as user_id,
        {{ email_key('owner_email') }} as email,
        period_start_date,
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

spans as (
    select
        user_id,
        email,
        min(period_start_date) as first_date,
        max(period_end_date) as last_date
    from emails
    where user_id is not null and email is not null
    group by user_id, email
),

held_addresses as (
    select
        user_id,
        email_key,
        first_seen_date,
        last_seen_date,
        case
            when received_date >= valid_from_date then received_date
            else cast({{ dbt.dateadd('day', -1, 'valid_from_date') }} as date)
        end as before_date,
        case when passed_on_date < valid_until_date then passed_on_date else valid_until_date end as until_date
    from address_periods
),

-- Days on which both had the address, and else how far apart they had it.
pairs as (
    select
        spans.user_id,
        held_addresses.user_id as claude_user_id,
        {{ days_from(
            'case when spans.first_date > held_addresses.before_date then spans.first_date'
            ~ ' else cast(' ~ dbt.dateadd('day', 1, 'held_addresses.before_date') ~ ' as date) end',
            'case when spans.last_date < held_addresses.until_date then'
            ~ ' cast(' ~ dbt.dateadd('day', 1, 'spans.last_date') ~ ' as date) else held_addresses.until_date end'
        ) }} as common_days,
        case
            when spans.last_date < held_addresses.first_seen_date
                then {{ days_from('spans.last_date', 'held_addresses.first_seen_date') }}
            when spans.first_date > held_addresses.last_seen_date
                then {{ days_from('held_addresses.last_seen_date', 'spans.first_date') }}
            else 0
        end as days_apart
    from spans
    inner join held_addresses on spans.email = held_addresses.email_key
),

persons_in_order as (
    select
        user_id,
        claude_user_id,
        row_number() over (
            partition by user_id
            order by
                sum(case when common_days > 0 then common_days else 0 end) desc,
                min(days_apart) asc,
                claude_user_id asc
        ) as place
    from pairs
    group by user_id, claude_user_id
),

people as (
    select
        in_order.user_id,
        coalesce(claude_people.email, in_order.email) as email
    from in_order
    left join persons_in_order on in_order.user_id = persons_in_order.user_id and persons_in_order.place = 1
    left join claude_people on persons_in_order.claude_user_id = claude_people.user_id
    where in_order.emails_since = 1
)

select * from people
