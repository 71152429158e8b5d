-- One row per month and person whom we know to hold a seat: without a roster, those with activity in the month.
with

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

holders as (
    select distinct
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id
    from user_activity
)

select * from holders
