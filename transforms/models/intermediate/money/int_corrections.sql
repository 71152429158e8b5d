-- One row per corrected month, cost center, department and cost pool: what is known now less what was charged for it.
-- Corrections that a later close froze are charged too, so that each difference is charged once. A pool whose cost is
-- unknown now is not corrected; one whose cost was unknown then was not charged.
with

lines as (
    select * from {{ ref('int_chargeback_lines') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

closed as (
    select distinct month from closed_months
),

open_month as (
    select cast({{ dbt.dateadd('month', 1, 'max(month)') }} as date) as month
    from closed
),

now_and_charged as (
    select
        lines.month as corrected_month,
        true as is_now,
        lines.cost_center,
        lines.department,
        lines.cost_pool,
        lines.amount_usd,
        lines.list_price_usd,
        lines.covered_days,
        lines.is_settled
    from lines
    inner join closed on lines.month = closed.month
    union all
    select
        coalesce(corrected_month, month) as corrected_month,
        false as is_now,
        cost_center,
        department,
        cost_pool,
        -amount_usd as amount_usd,
        -list_price_usd as list_price_usd,
        cast(null as bigint) as covered_days,
        cast(null as boolean) as is_settled
    from closed_months
    where record_type = 'line'
),

-- Who writes a department otherwise than when the month was closed moves nothing.
with_keys as (
    select
        now_and_charged.*,
        {{ name_key('cost_center') }} as cost_center_key,
        {{ name_key('department') }} as department_key
    from now_and_charged
),

corrections as (
    select
        corrected_month,
        coalesce(max(case when is_now then cost_center end), max(cost_center)) as cost_center,
        coalesce(max(case when is_now then department end), max(department)) as department,
        cost_pool,
        sum(amount_usd) as amount_usd,
        sum(list_price_usd) as list_price_usd,
        max(covered_days) as covered_days
    from with_keys
    group by corrected_month, cost_center_key, department_key, cost_pool
    having sum(amount_usd) <> 0 or sum(list_price_usd) <> 0
),

unknown_pools as (
    select distinct
        month,
        cost_pool
    from lines
    where amount_usd is null
),

month_states as (
    select
        month,
        max(covered_days) as covered_days,
        min(case when is_settled then 1 else 0 end) = 1 as is_settled
    from lines
    group by month
),

in_the_open_month as (
    select
        open_month.month,
        corrections.corrected_month,
        corrections.cost_center,
        corrections.department,
        corrections.cost_pool,
        cast(corrections.amount_usd as decimal(38, 8)) as amount_usd,
        cast(corrections.list_price_usd as decimal(38, 8)) as list_price_usd,
        coalesce(month_states.covered_days, 0) as covered_days,
        coalesce(month_states.is_settled, false) as is_settled
    from corrections
    cross join open_month
    left join month_states on corrections.corrected_month = month_states.month
    left join unknown_pools
        on corrections.corrected_month = unknown_pools.month and corrections.cost_pool = unknown_pools.cost_pool
    where unknown_pools.month is null
)

select * from in_the_open_month
