-- One row per UTC day and skill used or enabled on it.
select
    activity_date,
    skill_name,
    skill_display_name,
    share_status,
    distinct_user_count,
    invocation_count,
    enable_count,
    chat_metrics__distinct_conversation_skill_used_count as chat_conversation_count,
    chat_cowork_unified_metrics__chat__distinct_conversation_skill_used_count as unified_chat_conversation_count,
    claude_code_metrics__distinct_session_skill_used_count as claude_code_session_count,
    cowork_metrics__distinct_session_skill_used_count as cowork_session_count,
    chat_cowork_unified_metrics__sessions__distinct_session_skill_used_count as unified_cowork_session_count,
    office_metrics__excel__distinct_session_skill_used_count as excel_session_count,
    office_metrics__outlook__distinct_session_skill_used_count as outlook_session_count,
    office_metrics__powerpoint__distinct_session_skill_used_count as powerpoint_session_count,
    office_metrics__word__distinct_session_skill_used_count as word_session_count,
    {{ cents_to_usd('estimated_overage_spend') }} as estimated_overage_spend_usd,
    {{ cents_to_usd('attributed_list_price') }} as list_price_usd,
    currency
from {{ counting_rows('skills') }}
