-- One row per UTC day and product.
with

days as (
    select * from {{ ref('int_days') }}
),

products as (
    select * from {{ ref('int_products') }}
),

summaries as (
    select * from {{ ref('stg_summaries') }}
),

computed as (
    select * from {{ ref('int_rolling_active_users') }}
),

reported_and_computed as (
    select
        days.activity_date,
        products.product,
        case products.product
            when 'chat' then summaries.chat_daily_active_users
            when 'claude_code' then summaries.claude_code_daily_active_users
            when 'cowork' then summaries.cowork_daily_active_users
            when 'office_agent' then summaries.office_agent_daily_active_users
            when 'claude_design' then summaries.claude_design_daily_active_users
            when 'science' then summaries.science_daily_active_users
            when 'claude_tag' then summaries.claude_tag_daily_active_users
            when 'chat_cowork_unified' then summaries.chat_cowork_unified_daily_active_users
        end as reported_daily_active_users,
        case products.product
            when 'chat' then summaries.chat_weekly_active_users
            when 'claude_code' then summaries.claude_code_weekly_active_users
            when 'cowork' then summaries.cowork_weekly_active_users
            when 'office_agent' then summaries.office_agent_weekly_active_users
            when 'claude_design' then summaries.claude_design_weekly_active_users
            when 'science' then summaries.science_weekly_active_users
            when 'claude_tag' then summaries.claude_tag_weekly_active_users
            when 'chat_cowork_unified' then summaries.chat_cowork_unified_weekly_active_users
        end as reported_weekly_active_users,
        case products.product
            when 'chat' then summaries.chat_monthly_active_users
            when 'claude_code' then summaries.claude_code_monthly_active_users
            when 'cowork' then summaries.cowork_monthly_active_users
            when 'office_agent' then summaries.office_agent_monthly_active_users
            when 'claude_design' then summaries.claude_design_monthly_active_users
            when 'science' then summaries.science_monthly_active_users
            when 'claude_tag' then summaries.claude_tag_monthly_active_users
            when 'chat_cowork_unified' then summaries.chat_cowork_unified_monthly_active_users
        end as reported_monthly_active_users,
        computed.computed_daily_active_users,
        computed.computed_weekly_active_users,
        computed.computed_monthly_active_users,
        cast(products.monthly_window_days as bigint) as monthly_window_days
    from days
    cross join products
    left join summaries on days.activity_date = summaries.activity_date
    left join computed
        on
            days.activity_date = computed.activity_date
            and products.product = computed.product
)

select * from reported_and_computed
