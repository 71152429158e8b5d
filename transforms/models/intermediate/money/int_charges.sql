-- One row per charge as everything is known now, whatever is closed: a row of int_spend_by_sku, a month's seats of one
-- tier and price, or what the organisation's total has beyond its rows. Those of a month and cost pool add up to the
-- pool.
with

spend as (
    select * from {{ ref('int_spend_by_sku') }}
),

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

seat_charges as (
    select * from {{ ref('int_seat_charges') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

organization as (
    select * from {{ ref('int_organization') }}
),

organizations as (
    select * from {{ ref('int_organizations') }}
),

spend_charges as (
    select
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date) as month,
        coalesce(spend.child_organization_id, spend.organization_id) as further_organization_id,
        case when spend.charged_user_id is not null then 'metered' else 'shared' end as cost_pool,
        'Usage' as charge_category,
        spend.activity_date as first_date,
        cast({{ dbt.dateadd('day', 1, 'spend.activity_date') }} as date) as end_date,
        spend.actor_type,
        spend.actor_id,
        spend.email,
        department_periods.department,
        department_periods.cost_center,
        spend.product,
        spend.model,
        spend.cost_type,
        spend.token_type,
        spend.context_window,
        spend.speed,
        cast(null as {{ dbt.type_string() }}) as seat_tier,
        cast(null as decimal(38, 12)) as seat_months,
        cast(null as decimal(38, 8)) as seat_price_usd,
        spend.spend_usd as billed_usd,
        spend.list_price_usd,
        spend.request_count,
        spend.uncached_input_tokens,
        spend.cache_read_input_tokens,
        spend.cache_creation_input_tokens,
        spend.output_tokens,
        spend.web_search_request_count,
        spend.is_settled,
        false as is_estimated
    from spend
    left join department_periods
        on
            spend.charged_user_id = department_periods.user_id
            and spend.activity_date >= department_periods.valid_from_date
            and spend.activity_date < department_periods.valid_until_date
),

-- Fees of a month that is still running are expected, as in chargeback_monthly. A cost that is not known is no charge
-- yet.
monthly_charges as (
    select
        month,
        cast(null as {{ dbt.type_string() }}) as further_organization_id,
        'seats' as cost_pool,
        'Purchase' as charge_category,
        month as first_date,
        cast({{ dbt.dateadd('month', 1, 'month') }} as date) as end_date,
        cast(null as {{ dbt.type_string() }}) as actor_type,
        cast(null as {{ dbt.type_string() }}) as actor_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        'seats' as product,
        cast(null as {{ dbt.type_string() }}) as model,
        'seats' as cost_type,
        cast(null as {{ dbt.type_string() }}) as token_type,
        cast(null as {{ dbt.type_string() }}) as context_window,
        cast(null as {{ dbt.type_string() }}) as speed,
        seat_tier,
        seat_months,
        usd_per_month as seat_price_usd,
        billed_usd,
        billed_usd as list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count,
        is_settled,
        is_estimated
    from seat_charges
    union all
    select
        month,
        cast(null as {{ dbt.type_string() }}) as further_organization_id,
        'unexplained' as cost_pool,
        'Adjustment' as charge_category,
        month as first_date,
        cast({{ dbt.dateadd('month', 1, 'month') }} as date) as end_date,
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
        billed_usd,
        list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count,
        is_settled,
        false as is_estimated
    from pools
    where cost_pool = 'unexplained'
),

charges as (
    select * from spend_charges
    union all
    select * from monthly_charges
),

with_account as (
    select
        charges.*,
        coalesce(charges.further_organization_id, organization.organization_id) as organization_id,
        case
            when charges.further_organization_id is null then organization.organization_name
            else organizations.organization_name
        end as organization_name
    from charges
    cross join organization
    left join organizations on charges.further_organization_id = organizations.organization_id
)

select * from with_account
