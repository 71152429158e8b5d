-- One row per month, department and cost center with rows of users: what its people did while they were in it.
with

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

-- A product whose messages nobody reports adds none to the weights.
department_activity as (
    select
        cast({{ dbt.date_trunc('month', 'user_activity.activity_date') }} as date) as month,
        department_periods.department,
        department_periods.cost_center,
        count(distinct case when user_activity.is_active then user_activity.user_id end) as active_user_count,
        count(case when user_activity.is_active then 1 end) as active_days,
        sum(
            coalesce(user_activity.chat_message_count, 0)
            + coalesce(user_activity.cowork_message_count, 0)
            + coalesce(user_activity.office_message_count, 0)
            + coalesce(user_activity.design_message_count, 0)
            + coalesce(user_activity.science_message_count, 0)
            + coalesce(user_activity.claude_tag_message_count, 0)
        ) as messages
    from user_activity
    inner join department_periods
        on
            user_activity.user_id = department_periods.user_id
            and user_activity.activity_date >= department_periods.valid_from_date
            and user_activity.activity_date < department_periods.valid_until_date
    group by
        cast({{ dbt.date_trunc('month', 'user_activity.activity_date') }} as date),
        department_periods.department,
        department_periods.cost_center
)

select * from department_activity
