-- One row per UTC day and plugin used or installed on it.
select
    activity_date,
    plugin_id,
    plugin_name,
    distinct_user_count,
    install_count as distinct_installing_user_count,
    invocation_count,
    claude_code_metrics__distinct_session_plugin_used_count as claude_code_session_count,
    cowork_metrics__distinct_session_plugin_used_count as cowork_session_count,
    chat_cowork_unified_metrics__distinct_session_plugin_used_count as unified_cowork_session_count
from {{ counting_rows('plugins') }}
