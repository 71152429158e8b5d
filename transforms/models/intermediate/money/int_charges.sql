-- One row per charge as everything is known now, whatever is closed: a row of spend_daily that has a cost, a month's
-- seat fees, or what the organisation's total has beyond its rows. Those of a month and cost pool add up to the pool.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where spend_usd is not null
),

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

organizations_in_order as (
    select
        organization_id,
        name,
        row_number() over (order by valid_from_at desc, organization_id asc) as organizations_since
    from {{ ref('stg_organizations') }}
    where organization_id is not null
),

-- One row, of nulls where no roster is loaded.
organization as (
    select
        max(organization_id) as organization_id,
        max(name) as organization_name
    from organizations_in_order
    where organizations_since = 1
),

spend_charges as (
    select
        cast({{ dbt.date_trunc('month', 'spend.activity_date') }} as date) as month,
        case when spend.actor_type = 'user' then 'metered' else 'shared' end as cost_pool,
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
        spend.spend_usd as billed_usd,
        spend.list_price_usd,
        spend.request_count,
        spend.uncached_input_tokens,
        spend.cache_read_input_tokens,
        spend.cache_creation_input_tokens,
        spend.output_tokens,
        spend.web_search_request_count
    from spend
    left join department_periods
        on
            spend.user_id = department_periods.user_id
            and spend.activity_date >= department_periods.valid_from_date
            and spend.activity_date < department_periods.valid_until_date
),

-- Fees of a month that is still running are expected, as in chargeback_monthly.
monthly_charges as (
    select
        month,
        cost_pool,
        case when cost_pool = 'seats' then 'Purchase' else 'Adjustment' end as charge_category,
        month as first_date,
        cast({{ dbt.dateadd('month', 1, 'month') }} as date) as end_date,
        cast(null as {{ dbt.type_string() }}) as actor_type,
        cast(null as {{ dbt.type_string() }}) as actor_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        case when cost_pool = 'seats' then 'seats' end as product,
        cast(null as {{ dbt.type_string() }}) as model,
        case when cost_pool = 'seats' then 'seats' end as cost_type,
        billed_usd,
        list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as uncached_input_tokens,
        cast(null as bigint) as cache_read_input_tokens,
        cast(null as bigint) as cache_creation_input_tokens,
        cast(null as bigint) as output_tokens,
        cast(null as bigint) as web_search_request_count
    from pools
    -- A cost that is not known is no charge yet.
    where cost_pool in ('seats', 'unexplained') and billed_usd is not null
),

charges as (
    select * from spend_charges
    union all
    select * from monthly_charges
),

with_account as (
    select
        charges.*,
        organization.organization_id,
        organization.organization_name
    from charges
    cross join organization
)

select * from with_account
