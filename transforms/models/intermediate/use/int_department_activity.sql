-- One row per month, department and cost center with rows of users: what its people did while they were in it.
with

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

-- A product whose messages nobody reports adds none to the weights.
department_activity as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        department,
        cost_center,
        count(distinct case when is_active then user_id end) as active_user_count,
        count(case when is_active then 1 end) as active_days,
        sum(
            coalesce(chat_message_count, 0)
            + coalesce(cowork_message_count, 0)
            + coalesce(office_message_count, 0)
            + coalesce(design_message_count, 0)
            + coalesce(science_message_count, 0)
            + coalesce(claude_tag_message_count, 0)
        ) as messages
    from user_activity
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date), department, cost_center
)

select * from department_activity
