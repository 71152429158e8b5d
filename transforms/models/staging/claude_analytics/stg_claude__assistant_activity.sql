-- One row per month and account with days at Claude, and one per month without an account: how much of it is known.
with

days as (
    select * from {{ ref('int_days') }}
),

user_days as (
    select * from {{ ref('int_user_days') }}
),

days_by_month as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        cast(count(case when is_users_loaded then 1 end) as bigint) as covered_days
    from days
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

months as (
    select
        month,
        covered_days,
        cast({{ days_from('month', dbt.last_day('month', 'month')) }} + 1 as bigint) as month_days
    from days_by_month
),

-- A product that is not reported for a person has no messages of theirs; without any, messages are unknown.
messages as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id,
        is_active,
        case
            when
                coalesce(
                    chat_message_count,
                    cowork_message_count,
                    office_message_count,
                    design_message_count,
                    science_message_count,
                    claude_tag_message_count
                ) is not null
                then
                    coalesce(chat_message_count, 0)
                    + coalesce(cowork_message_count, 0)
                    + coalesce(office_message_count, 0)
                    + coalesce(design_message_count, 0)
                    + coalesce(science_message_count, 0)
                    + coalesce(claude_tag_message_count, 0)
        end as message_count
    from user_days
),

activity as (
    select
        month,
        user_id as account_key,
        cast(sum(message_count) as bigint) as message_count,
        max(case when is_active then 1 else 0 end) as was_active,
        cast(null as bigint) as covered_days,
        cast(null as bigint) as month_days,
        cast(null as {{ dbt.type_string() }}) as coverage
    from messages
    group by month, user_id
    union all
    select
        month,
        null as account_key,
        null as message_count,
        null as was_active,
        covered_days,
        month_days,
        case when covered_days = month_days then 'full' when covered_days > 0 then 'partial' else 'none' end as coverage
    from months
)

select * from activity
