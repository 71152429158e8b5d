-- One row per charge of a closed month that has moved since: what is known now less what was billed for it.
-- Corrections that a later close froze were billed too, so that each difference is billed once. A pool whose cost is
-- unknown now is not corrected.
with

charges as (
    select * from {{ ref('int_charges') }}
),

closed_charges as (
    select * from {{ ref('int_closed_charges') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

unknown_pools as (
    select
        month,
        cost_pool
    from {{ ref('int_chargeback_pools') }}
    where billed_usd is null
),

closed as (
    select distinct month from closed_months
),

-- The first organisation is one whether its id is known or not, as it is of closes of earlier releases.
further as (
    select organization_id from {{ ref('int_organizations') }}
    where kind <> 'enterprise'
),

open_month as (
    select cast({{ dbt.dateadd('month', 1, 'max(month)') }} as date) as month
    from closed
),

now_and_billed as (
    select
        month as corrected_month,
        true as is_now,
        1 as direction,
        {{ charge_columns() }}
    from charges
    where month in (select closed.month from closed)
    union all
    select
        coalesce(corrected_month, month) as corrected_month,
        false as is_now,
        -1 as direction,
        {{ charge_columns() }}
    from closed_charges
),

-- Closes of earlier releases froze use without kinds of token and seats without tiers: it is compared so.
older as (
    select month
    from closed_charges
    where corrected_month is null
    group by month
    having count(is_settled) = 0
),

-- Who writes a department otherwise than when the month was closed moves nothing.
with_keys as (
    select
        now_and_billed.*,
        case
            when now_and_billed.organization_id in (select further.organization_id from further)
                then now_and_billed.organization_id
        end as further_organization_id,
        {{ name_key('department') }} as department_key,
        {{ name_key('cost_center') }} as cost_center_key,
        case when older.month is null then now_and_billed.token_type end as compared_token_type,
        case when older.month is null then now_and_billed.context_window end as compared_context_window,
        case when older.month is null then now_and_billed.speed end as compared_speed,
        case when older.month is null then now_and_billed.seat_tier end as compared_seat_tier,
        case when older.month is null then now_and_billed.seat_months end as compared_seat_months,
        case when older.month is null then now_and_billed.seat_price_usd end as compared_seat_price_usd
    from now_and_billed
    left join older on now_and_billed.corrected_month = older.month
),

-- The cost center that a charge moved to is billed it, and the one that it left is paid it back.
differences as (
    select
        corrected_month,
        cost_pool,
        charge_category,
        first_date,
        end_date,
        actor_type,
        actor_id,
        coalesce(max(case when is_now then email end), max(email)) as email,
        coalesce(max(case when is_now then department end), max(department)) as department,
        coalesce(max(case when is_now then cost_center end), max(cost_center)) as cost_center,
        product,
        model,
        cost_type,
        compared_token_type as token_type,
        compared_context_window as context_window,
        compared_speed as speed,
        compared_seat_tier as seat_tier,
        cast({{ sum_of_known('direction * compared_seat_months') }} as decimal(38, 12)) as seat_months,
        compared_seat_price_usd as seat_price_usd,
        cast(sum(direction * billed_usd) as decimal(38, 8)) as billed_usd,
        cast(sum(direction * list_price_usd) as decimal(38, 8)) as list_price_usd,
        cast({{ sum_of_known('direction * request_count') }} as bigint) as request_count,
        cast({{ sum_of_known('direction * uncached_input_tokens') }} as bigint) as uncached_input_tokens,
        cast({{ sum_of_known('direction * cache_read_input_tokens') }} as bigint) as cache_read_input_tokens,
        cast({{ sum_of_known('direction * cache_creation_input_tokens') }} as bigint) as cache_creation_input_tokens,
        cast({{ sum_of_known('direction * output_tokens') }} as bigint) as output_tokens,
        cast({{ sum_of_known('direction * web_search_request_count') }} as bigint) as web_search_request_count,
        coalesce(max(case when is_now then organization_id end), max(organization_id)) as organization_id,
        coalesce(max(case when is_now then organization_name end), max(organization_name)) as organization_name,
        coalesce({{ dbt.bool_or('is_now and is_settled') }}, false) as is_settled,
        false as is_estimated
    from with_keys
    group by
        corrected_month,
        cost_pool,
        charge_category,
        first_date,
        end_date,
        further_organization_id,
        actor_type,
        actor_id,
        department_key,
        cost_center_key,
        product,
        model,
        cost_type,
        compared_token_type,
        compared_context_window,
        compared_speed,
        compared_seat_tier,
        compared_seat_price_usd
    having sum(direction * billed_usd) <> 0 or sum(direction * list_price_usd) <> 0
),

corrections as (
    select
        open_month.month,
        differences.*
    from differences
    cross join open_month
    left join unknown_pools
        on differences.corrected_month = unknown_pools.month and differences.cost_pool = unknown_pools.cost_pool
    where unknown_pools.month is null
)

select * from corrections
