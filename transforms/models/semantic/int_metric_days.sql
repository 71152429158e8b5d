-- One row per UTC day from the first one loaded to the newest: what metrics are laid out on, and no day beyond it.
{{ config(materialized='view') }}
with

days as (
    select activity_date from {{ ref('int_days') }}
    union distinct
    select activity_date from {{ ref('int_spend_days') }}
)

select activity_date from days
