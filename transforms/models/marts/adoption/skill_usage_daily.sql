-- One row per UTC day and skill used or enabled. Unified chat and Cowork is counted in.
with

skills as (
    select * from {{ ref('stg_skills') }}
),

-- Unified mode is absent where it is not offered; an absent part adds nothing.
by_product as (
    select
        skills.*,
        chat_conversation_count + coalesce(unified_chat_conversation_count, 0) as all_chat_conversation_count,
        cowork_session_count + coalesce(unified_cowork_session_count, 0) as all_cowork_session_count,
        excel_session_count + outlook_session_count + powerpoint_session_count + word_session_count
            as office_session_count
    from skills
),

by_name as (
    select
        activity_date,
        skill_name,
        max(skill_display_name) as skill_display_name,
        max(share_status) as share_status,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        {{ unless_repeated('enable_count') }} as enable_count,
        cast({{ sum_of_known('invocation_count') }} as bigint) as invocation_count,
        {{ unless_repeated('all_chat_conversation_count') }} as chat_conversation_count,
        {{ unless_repeated('claude_code_session_count') }} as claude_code_session_count,
        {{ unless_repeated('all_cowork_session_count') }} as cowork_session_count,
        {{ unless_repeated('office_session_count') }} as office_session_count,
        cast({{ sum_of_known('estimated_overage_spend_usd') }} as decimal(38, 8)) as estimated_overage_spend_usd,
        cast({{ sum_of_known('list_price_usd') }} as decimal(38, 8)) as list_price_usd
    from by_product
    group by activity_date, skill_name
)

select * from by_name
