-- One row per month and Langdock user with a row in an export that lies within the month.
with

users as (
    select * from {{ ref('stg_langdock_users') }}
),

exports as (
    select * from {{ ref('int_langdock_exports_loaded') }}
    where entity = 'users'
),

months as (
    select * from {{ ref('int_langdock_user_months') }}
),

people as (
    select * from {{ ref('int_langdock_people') }}
),

-- A load that broke off can leave rows of a file that does not count.
rows_by_month as (
    select
        months.month,
        users.user_id,
        coalesce(people.email, {{ email_key('users.email') }}) as email,
        coalesce(
            users.user_id,
            {{ email_key('users.email') }},
            users.slot || ':' || cast(users.line_number as {{ dbt.type_string() }})
        ) as user_key,
        coalesce(
            users.message_count,
            users.chat_message_count + users.agent_message_count + users.project_message_count
        ) as message_count,
        users.cost_usd
    from users
    inner join exports on users.slot = exports.slot and users.file_hash = exports.file_hash
    left join people on users.user_id = people.user_id
    inner join months
        on
            exports.org_key = months.org_key
            and exports.grouping_key = months.grouping_key
            and exports.period_start_date >= months.month
            and exports.period_end_date <= {{ dbt.last_day('months.month', 'month') }}
),

by_user as (
    select
        month,
        user_key,
        max(user_id) as user_id,
        max(email) as email,
        cast(sum(message_count) as bigint) as message_count,
        cast(sum(cost_usd) as decimal(38, 8)) as cost_usd
    from rows_by_month
    group by month, user_key
)

select * from by_user
