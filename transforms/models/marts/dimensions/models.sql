-- One row per model that any spend or use was of.
{{ config(materialized='view') }}
with

spend as (
    select * from {{ ref('spend_daily') }}
    where model is not null
),

retiring_models as (
    select * from {{ ref('int_retiring_models') }}
),

models as (
    select
        model,
        min(activity_date) as first_used_date,
        max(activity_date) as last_used_date
    from spend
    group by model
),

with_retirement as (
    select
        models.model,
        models.first_used_date,
        models.last_used_date,
        retiring_models.retires_date
    from models
    left join retiring_models on models.model = retiring_models.model
)

select * from with_retirement
