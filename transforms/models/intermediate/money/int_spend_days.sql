-- One row per UTC day from the first loaded day of cost or usage of any organisation to the newest one that is loaded
-- or available: loaded and settled is what all organisations that have the day say of it.
with

organization_days as (
    select * from {{ ref('int_organization_spend_days') }}
),

days as (
    select
        activity_date,
        min(generation) as generation,
        {{ dbt.bool_or('not is_cost_loaded') }} as has_unknown_cost,
        {{ dbt.bool_or('not is_usage_loaded') }} as has_unknown_usage,
        {{ dbt.bool_or('not is_cost_totals_loaded') }} as has_unknown_cost_totals,
        {{ dbt.bool_or('not is_usage_totals_loaded') }} as has_unknown_usage_totals,
        {{ dbt.bool_or('not is_cost_settled') }} as has_open_cost,
        {{ dbt.bool_or('not is_usage_settled') }} as has_open_usage
    from organization_days
    group by activity_date
),

with_states as (
    select
        activity_date,
        generation,
        not has_unknown_cost as is_cost_loaded,
        not has_unknown_usage as is_usage_loaded,
        not has_unknown_cost_totals as is_cost_totals_loaded,
        not has_unknown_usage_totals as is_usage_totals_loaded,
        not has_open_cost as is_cost_settled,
        not has_open_usage as is_usage_settled
    from days
)

select * from with_states
