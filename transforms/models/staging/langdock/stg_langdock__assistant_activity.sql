-- One row per month and account at Langdock, and one per month without an account: how much of it is known.
with

users as (
    select * from {{ ref('int_langdock_user_activity') }}
),

months as (
    select * from {{ ref('int_langdock_user_months') }}
),

-- The month is known as well as that of the workspace of which least is known.
workspaces_in_order as (
    select
        months.*,
        row_number() over (
            partition by month
            order by case when coverage = 'full' then 1 else 0 end, covered_days, org_key
        ) as place
    from months
),

activity as (
    select
        month,
        user_key as account_key,
        message_count,
        case when message_count > 0 then 1 when message_count = 0 then 0 end as was_active,
        cast(null as bigint) as covered_days,
        cast(null as bigint) as month_days,
        cast(null as {{ dbt.type_string() }}) as coverage
    from users
    union all
    select
        month,
        null as account_key,
        null as message_count,
        null as was_active,
        covered_days,
        month_days,
        coverage
    from workspaces_in_order
    where place = 1
)

select * from activity
