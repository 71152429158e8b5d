-- One row per month, department and cost center whose people, or keys of theirs, spent: each day's
-- spend where the person was that day.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where charged_user_id is not null and spend_usd is not null
),

spend_by_department as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        department,
        cost_center,
        cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(list_price_usd) as decimal(38, 8)) as list_price_usd
    from spend
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date), department, cost_center
)

select * from spend_by_department
