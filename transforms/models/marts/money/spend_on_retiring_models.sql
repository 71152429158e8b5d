-- One row per month and model that its vendor retires, where anything was spent on it in the month.
with

spend as (
    select * from {{ ref('spend_daily') }}
),

retiring_models as (
    select * from {{ ref('int_retiring_models') }}
),

newest as (
    select max(activity_date) as as_of_date
    from spend
),

by_month as (
    select
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date) as month,
        spend.model,
        retiring_models.retires_date,
        cast(sum(spend.spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(spend.list_price_usd) as decimal(38, 8)) as list_price_usd,
        count(distinct spend.user_id) as user_count,
        max(spend.activity_date) as last_used_date
    from spend
    inner join retiring_models on spend.model = retiring_models.model
    group by
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date),
        spend.model,
        retiring_models.retires_date
),

with_days_left as (
    select
        by_month.month,
        by_month.model,
        newest.as_of_date,
        by_month.retires_date,
        by_month.spend_usd,
        by_month.list_price_usd,
        by_month.user_count,
        by_month.last_used_date,
        {{ days_from('newest.as_of_date', 'by_month.retires_date') }} as days_until_retirement
    from by_month
    cross join newest
)

select * from with_days_left
