-- One row per month, cost center, department and cost pool, and per closed month that a line corrects.
-- A closed month is what its close froze; what has moved since stands in the open month after it.
with

lines as (
    select * from {{ ref('int_chargeback_lines') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

corrections as (
    select * from {{ ref('int_corrections') }}
),

chargeback as (
    select
        month,
        cost_center,
        department,
        cost_pool,
        cast(null as date) as corrected_month,
        amount_usd,
        list_price_usd,
        seat_count,
        active_user_count,
        allocation_method,
        covered_days,
        false as is_closed,
        is_settled
    from lines
    where month not in (select closed_months.month from closed_months)
    union all
    select
        month,
        cost_center,
        department,
        cost_pool,
        corrected_month,
        amount_usd,
        list_price_usd,
        seat_count,
        active_user_count,
        allocation_method,
        covered_days,
        true as is_closed,
        is_settled
    from closed_months
    where record_type = 'line'
    union all
    select
        month,
        cost_center,
        department,
        cost_pool,
        corrected_month,
        amount_usd,
        list_price_usd,
        cast(null as bigint) as seat_count,
        cast(null as bigint) as active_user_count,
        'Correction' as allocation_method,
        covered_days,
        false as is_closed,
        is_settled
    from corrections
),

-- People are counted once for all pools of a department, on its first one (metered, where it has any): a repeated count
-- would be added up. Months closed before this was so have it on each.
with_people_once as (
    select
        month,
        cost_center,
        department,
        cost_pool,
        corrected_month,
        amount_usd,
        list_price_usd,
        seat_count,
        case
            when
                row_number() over (
                    partition by month, cost_center, department
                    order by case when corrected_month is null then 0 else 1 end asc, cost_pool asc
                ) = 1
                then active_user_count
        end as active_user_count,
        allocation_method,
        covered_days,
        is_closed,
        is_settled
    from chargeback
)

select * from with_people_once
