-- One row per UTC day and chat project with activity on it.
with

chat_projects as (
    select * from {{ ref('stg_chat_projects') }}
),

by_project as (
    select
        activity_date,
        project_id,
        max(project_name) as project_name,
        max(created_by_user_id) as created_by_user_id,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        {{ unless_repeated('distinct_conversation_count') }} as distinct_conversation_count,
        cast({{ sum_of_known('message_count') }} as bigint) as message_count,
        max(created_at) as created_at
    from chat_projects
    group by activity_date, project_id
)

select * from by_project
