-- One row per charge of a closed month, as its close froze it. A close from before charges were frozen has today's, and
-- per cost pool an adjustment to what was billed then.
with

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

frozen as (
    select * from {{ ref('stg_closed_charges') }}
),

charges as (
    select * from {{ ref('int_charges') }}
),

closings as (
    select distinct
        closing_id,
        month
    from closed_months
),

closings_with_charges as (
    select distinct closing_id from frozen
),

closings_without_charges as (
    select closings.*
    from closings
    left join closings_with_charges on closings.closing_id = closings_with_charges.closing_id
    where closings_with_charges.closing_id is null
),

-- What the organisation's total had beyond its rows is an adjustment then as now: it is not taken from today.
charges_of_today as (
    select charges.*
    from charges
    inner join closings_without_charges on charges.month = closings_without_charges.month
    where charges.charge_category <> 'Adjustment'
),

billed_and_known as (
    select
        closed_months.month,
        closed_months.corrected_month,
        closed_months.cost_pool,
        closed_months.amount_usd as billed_usd,
        closed_months.list_price_usd
    from closed_months
    inner join closings_without_charges on closed_months.closing_id = closings_without_charges.closing_id
    where closed_months.record_type = 'line'
    union all
    select
        month,
        cast(null as date) as corrected_month,
        cost_pool,
        -billed_usd as billed_usd,
        -list_price_usd as list_price_usd
    from charges_of_today
),

adjustments as (
    select
        month,
        corrected_month,
        cost_pool,
        coalesce(corrected_month, month) as first_date,
        cast(sum(billed_usd) as decimal(38, 8)) as billed_usd,
        cast(sum(list_price_usd) as decimal(38, 8)) as list_price_usd
    from billed_and_known
    group by month, corrected_month, cost_pool
    having sum(billed_usd) <> 0 or sum(list_price_usd) <> 0
),

accounts as (
    select
        month,
        max(organization_id) as organization_id,
        max(organization_name) as organization_name
    from charges
    group by month
),

closed_charges as (
    select
        month,
        corrected_month,
        {{ charge_columns() }}
    from frozen
    where charge_number > 0 and closing_id in (select closings.closing_id from closings)
    union all
    select
        month,
        cast(null as date) as corrected_month,
        {{ charge_columns() }}
    from charges_of_today
    union all
    select
        adjustments.month,
        adjustments.corrected_month,
        adjustments.cost_pool,
        'Adjustment' as charge_category,
        adjustments.first_date,
        cast({{ dbt.dateadd('month', 1, 'adjustments.first_date') }} as date) as end_date,
        cast(null as {{ dbt.type_string() }}) as actor_type,
        cast(null as {{ dbt.type_string() }}) as actor_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        cast(null as {{ dbt.type_string() }}) as product,
        cast(null as {{ dbt.type_string() }}) as model,
        cast(null as {{ dbt.type_string() }}) as cost_type,
        cast(null as {{ dbt.type_string() }}) as token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        cast(null as {{ dbt.type_string() }}) as seat_tier,
        cast(null as decimal(38, 12)) as seat_months,
        cast(null as decimal(38, 8)) as seat_price_usd,
        adjustments.billed_usd,
        adjustments.list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count,
        accounts.organization_id,
        accounts.organization_name,
        true as is_settled,
        false as is_estimated
    from adjustments
    left join accounts on adjustments.month = accounts.month
)

select * from closed_charges
