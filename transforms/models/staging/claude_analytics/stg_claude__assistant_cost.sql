-- One row per month and account that was active at Claude or cost money; the cost is null until the month's is loaded.
with

user_days as (
    select * from {{ ref('int_user_days') }}
),

spend_days as (
    select * from {{ ref('int_spend_days') }}
),

spend as (
    select * from {{ ref('spend_daily') }}
    where user_id is not null
),

months_of_spend as (
    select cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from spend_days
    where is_cost_loaded
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
    having count(*) = max(extract(day from {{ dbt.last_day('activity_date', 'month') }}))
),

amounts as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id,
        spend_usd
    from spend
    union all
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id,
        0 as spend_usd
    from user_days
),

by_account as (
    select
        month,
        user_id as account_key,
        sum(spend_usd) as cost_usd
    from amounts
    group by month, user_id
),

cost as (
    select
        by_account.month,
        by_account.account_key,
        case
            when months_of_spend.month is not null then cast(coalesce(by_account.cost_usd, 0) as decimal(38, 8))
        end as cost_usd
    from by_account
    left join months_of_spend on by_account.month = months_of_spend.month
)

select * from cost
