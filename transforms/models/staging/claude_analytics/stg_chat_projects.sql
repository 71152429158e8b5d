-- One row per UTC day and chat project with activity on it.
select
    activity_date,
    project_id,
    project_name,
    created_by__id as created_by_user_id,
    created_by__email_address as created_by_email,
    message_count,
    distinct_conversation_count,
    distinct_user_count,
    {{ utc_timestamp('created_at') }} as created_at
from {{ counting_rows('chat_projects') }}
