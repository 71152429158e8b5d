-- One row per UTC day and connector used on it.
select
    activity_date,
    connector_name,
    connector_display_name,
    distinct_user_count,
    individual_auth_distinct_user_count as distinct_individual_auth_user_count,
    managed_auth_distinct_user_count as distinct_managed_auth_user_count,
    read_call_count,
    write_call_count,
    unclassified_call_count,
    chat_metrics__distinct_conversation_connector_used_count as chat_conversation_count,
    chat_cowork_unified_metrics__chat__distinct_conversation_connector_used_count as unified_chat_conversation_count,
    claude_code_metrics__distinct_session_connector_used_count as claude_code_session_count,
    cowork_metrics__distinct_session_connector_used_count as cowork_session_count,
    chat_cowork_unified_metrics__sessions__distinct_session_connector_used_count as unified_cowork_session_count,
    office_metrics__excel__distinct_session_connector_used_count as excel_session_count,
    office_metrics__outlook__distinct_session_connector_used_count as outlook_session_count,
    office_metrics__powerpoint__distinct_session_connector_used_count as powerpoint_session_count,
    office_metrics__word__distinct_session_connector_used_count as word_session_count
from {{ counting_rows('connectors') }}
