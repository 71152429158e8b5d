-- One row per UTC day, user and product used. Unified chat and Cowork is in chat and cowork.
{#- What each product has of the counts below; `also` are counts that are no column here, and say that it was used. #}
{%- set products = {
    'chat': {
        'is_active': 'is_active_in_chat',
        'message_count': 'chat_message_count',
        'thinking_message_count': 'chat_thinking_message_count',
        'conversation_count': 'chat_conversation_count',
        'projects_used_count': 'distinct_chat_projects_used_count',
        'projects_created_count': 'chat_projects_created_count',
        'artifacts_created_count': 'chat_artifacts_created_count',
        'files_uploaded_count': 'chat_files_uploaded_count',
        'connectors_used_count': 'chat_connectors_used_count',
        'distinct_skills_used_count': 'distinct_chat_skills_used_count',
        'distinct_connectors_used_count': 'distinct_chat_connectors_used_count',
        'also': ['chat_shared_conversations_viewed_count', 'distinct_chat_shared_artifacts_viewed_count'],
    },
    'claude_code': {
        'is_active': 'is_active_in_claude_code',
        'session_count': 'claude_code_session_count',
        'artifacts_created_count': 'claude_code_artifacts_created_count',
        'also': [
            'commit_count', 'pull_request_count', 'lines_added_count', 'lines_removed_count', 'tool_accepted_count',
            'tool_rejected_count'
        ],
    },
    'cowork': {
        'is_active': 'is_active_in_cowork',
        'message_count': 'cowork_message_count',
        'session_count': 'cowork_session_count',
        'artifacts_created_count': 'cowork_artifacts_created_count',
        'skills_used_count': 'cowork_skills_used_count',
        'connectors_used_count': 'cowork_connectors_used_count',
        'distinct_skills_used_count': 'distinct_cowork_skills_used_count',
        'distinct_connectors_used_count': 'distinct_cowork_connectors_used_count',
        'plugins_used_count': 'cowork_plugins_used_count',
        'distinct_plugins_used_count': 'distinct_cowork_plugins_used_count',
        'action_count': 'cowork_action_count',
        'also': ['cowork_dispatch_turn_count', 'cowork_file_edit_count'],
    },
    'office_agent': {
        'is_active': 'is_active_in_office',
        'message_count': 'office_message_count',
        'session_count': 'office_session_count',
        'skills_used_count': 'office_skills_used_count',
        'connectors_used_count': 'office_connectors_used_count',
        'distinct_skills_used_count': 'distinct_office_skills_used_count',
        'distinct_connectors_used_count': 'distinct_office_connectors_used_count',
    },
    'claude_design': {
        'is_active': 'is_active_in_design',
        'message_count': 'design_message_count',
        'session_count': 'design_session_count',
        'projects_used_count': 'distinct_design_projects_used_count',
        'projects_created_count': 'design_projects_created_count',
    },
    'science': {
        'is_active': 'is_active_in_science',
        'message_count': 'science_message_count',
        'session_count': 'science_session_count',
        'skills_used_count': 'science_skills_used_count',
        'also': ['science_delegation_count', 'science_remote_compute_job_count'],
    },
    'claude_tag': {
        'is_active': 'is_active_in_claude_tag',
        'message_count': 'claude_tag_message_count',
        'also': ['claude_tag_active_day_count'],
    },
} %}
{%- set counts = [
    'message_count', 'thinking_message_count', 'conversation_count', 'session_count', 'projects_used_count',
    'projects_created_count', 'artifacts_created_count', 'files_uploaded_count', 'skills_used_count',
    'connectors_used_count', 'distinct_skills_used_count', 'distinct_connectors_used_count', 'plugins_used_count',
    'distinct_plugins_used_count', 'action_count'
] %}
with

user_days as (
    select * from {{ ref('int_user_days') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

product_days as (
    {{ product_days('user_days', products, counts) }}
),

used_products as (
    select
        activity_date,
        user_id,
        product,
        cast(sum(message_count) as bigint) as message_count,
        cast(sum(thinking_message_count) as bigint) as thinking_message_count,
        {{ unless_repeated('conversation_count') }} as conversation_count,
        {{ unless_repeated('session_count') }} as session_count,
        {{ unless_repeated('projects_used_count') }} as projects_used_count,
        cast(sum(projects_created_count) as bigint) as projects_created_count,
        cast(sum(artifacts_created_count) as bigint) as artifacts_created_count,
        {{ unless_repeated('files_uploaded_count') }} as files_uploaded_count,
        cast(sum(skills_used_count) as bigint) as skills_used_count,
        cast(sum(connectors_used_count) as bigint) as connectors_used_count,
        {{ unless_repeated('distinct_skills_used_count') }} as distinct_skills_used_count,
        {{ unless_repeated('distinct_connectors_used_count') }} as distinct_connectors_used_count,
        cast(sum(plugins_used_count) as bigint) as plugins_used_count,
        {{ unless_repeated('distinct_plugins_used_count') }} as distinct_plugins_used_count,
        cast(sum(action_count) as bigint) as action_count,
        max(case when is_active then 1 else 0 end) = 1 as is_active
    from product_days
    where is_used
    group by activity_date, user_id, product
),

-- Chat reports distinct skills but no skill uses; the distinct ones are the only number there is.
with_chat_skills as (
    select
        used_products.activity_date,
        used_products.user_id,
        used_products.product,
        coalesce(department_periods.department, 'Unmapped') as department,
        department_periods.cost_center,
        used_products.message_count,
        used_products.thinking_message_count,
        used_products.conversation_count,
        used_products.session_count,
        used_products.projects_used_count,
        used_products.projects_created_count,
        used_products.artifacts_created_count,
        used_products.files_uploaded_count,
        coalesce(used_products.skills_used_count, used_products.distinct_skills_used_count) as skills_used_count,
        used_products.connectors_used_count,
        used_products.distinct_skills_used_count,
        used_products.distinct_connectors_used_count,
        used_products.plugins_used_count,
        used_products.distinct_plugins_used_count,
        used_products.action_count,
        used_products.is_active
    from used_products
    left join department_periods
        on
            used_products.user_id = department_periods.user_id
            and used_products.activity_date >= department_periods.valid_from_date
            and used_products.activity_date < department_periods.valid_until_date
)

select * from with_chat_skills
