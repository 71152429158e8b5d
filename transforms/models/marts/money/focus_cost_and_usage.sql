-- One row per charge: a row of spend_daily that has a cost, or a month's seat fees; in the columns of FOCUS 1.4.
with

spend as (
    select * from {{ ref('spend_daily') }}
    where spend_usd is not null
),

seat_fees as (
    select * from {{ ref('int_chargeback_pools') }}
    where cost_pool = 'seats'
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
        max(name) as name
    from organizations_in_order
    where organizations_since = 1
),

spend_with_department as (
    select
        spend.*,
        department_periods.department,
        department_periods.cost_center,
        (
            spend.uncached_input_tokens
            + spend.cache_read_input_tokens
            + spend.cache_creation_input_tokens
            + spend.output_tokens
        ) as token_count
    from spend
    left join department_periods
        on
            spend.user_id = department_periods.user_id
            and spend.activity_date >= department_periods.valid_from_date
            and spend.activity_date < department_periods.valid_until_date
),

spend_charges as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        activity_date as first_date,
        cast({{ dbt.dateadd('day', 1, 'activity_date') }} as date) as end_date,
        actor_type,
        actor_id,
        email,
        department,
        cost_center,
        product,
        model,
        case when spend_usd < 0 or list_price_usd < 0 then 'Credit' else 'Usage' end as charge_category,
        'Usage-Based' as charge_frequency,
        'Days' as pricing_unit,
        coalesce(cost_type, 'other') as sku_meter,
        spend_usd as billed_usd,
        list_price_usd as list_usd,
        case when cost_type = 'tokens' then token_count end as token_count
    from spend_with_department
),

-- Fees of a month that is still running are expected, as in chargeback_monthly.
seat_charges as (
    select
        month,
        month as first_date,
        cast({{ dbt.dateadd('month', 1, 'month') }} as date) as end_date,
        cast(null as {{ dbt.type_string() }}) as actor_type,
        cast(null as {{ dbt.type_string() }}) as actor_id,
        cast(null as {{ dbt.type_string() }}) as email,
        cast(null as {{ dbt.type_string() }}) as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        'seats' as product,
        cast(null as {{ dbt.type_string() }}) as model,
        case when billed_usd < 0 then 'Credit' else 'Purchase' end as charge_category,
        'Recurring' as charge_frequency,
        'Months' as pricing_unit,
        'seats' as sku_meter,
        billed_usd,
        list_price_usd as list_usd,
        cast(null as bigint) as token_count
    from seat_fees
),

charges as (
    select * from spend_charges
    union all
    select * from seat_charges
),

described as (
    select
        charges.*,
        cast(month as timestamp) as period_start,
        cast({{ dbt.dateadd('month', 1, 'month') }} as timestamp) as period_end,
        cast(first_date as timestamp) as charge_start,
        cast(end_date as timestamp) as charge_end,
        coalesce(product, 'other') || '/' || coalesce(model, 'any') || '/' || sku_meter as sku_key,
        'Claude ' || coalesce(product, 'other') as service_name,
        case when actor_type <> 'unattributed' then actor_type end as resource_type,
        charge_category = 'Credit' as is_credit
    from charges
),

priced as (
    select
        described.*,
        case
            when charge_category = 'Purchase' then 'Seat fees of the month'
            when is_credit
                then 'Credit for ' || service_name || coalesce(' with ' || model, '') || ' (' || sku_meter || ')'
            else 'Use of ' || service_name || coalesce(' with ' || model, '') || ' (' || sku_meter || ')'
        end as charge_description,
        case when not is_credit then 'Standard' end as pricing_category,
        case when not is_credit then sku_key end as sku_id,
        case when not is_credit then cast(1 as decimal(38, 8)) end as pricing_quantity,
        case when not is_credit then billed_usd end as contracted_unit_usd,
        case when not is_credit then list_usd end as list_unit_usd,
        case when charge_category = 'Usage' then cast(coalesce(token_count, 1) as decimal(38, 8)) end
            as consumed_quantity,
        case
            when charge_category = 'Usage' and token_count is not null then 'Tokens'
            when charge_category = 'Usage' then 'Days'
        end as consumed_unit
    from described
),

with_account as (
    select
        priced.*,
        organization.organization_id,
        organization.name as organization_name
    from priced
    cross join organization
),

-- The specification's spelling needs quotes where an engine folds names.
-- noqa: disable=RF06
focus as (
    select
        coalesce(organization_id, 'Anthropic organization') as "BillingAccountId",
        organization_name as "BillingAccountName",
        'Organization' as "BillingAccountType",
        'USD' as "BillingCurrency",
        period_start as "BillingPeriodStart",
        period_end as "BillingPeriodEnd",
        charge_start as "ChargePeriodStart",
        charge_end as "ChargePeriodEnd",
        charge_category as "ChargeCategory",
        cast(null as {{ dbt.type_string() }}) as "ChargeClass",
        charge_description as "ChargeDescription",
        charge_frequency as "ChargeFrequency",
        billed_usd as "BilledCost",
        billed_usd as "EffectiveCost",
        billed_usd as "ContractedCost",
        list_usd as "ListCost",
        contracted_unit_usd as "ContractedUnitPrice",
        list_unit_usd as "ListUnitPrice",
        pricing_category as "PricingCategory",
        'USD' as "PricingCurrency",
        contracted_unit_usd as "PricingCurrencyContractedUnitPrice",
        billed_usd as "PricingCurrencyEffectiveCost",
        list_unit_usd as "PricingCurrencyListUnitPrice",
        pricing_quantity as "PricingQuantity",
        case when not is_credit then pricing_unit end as "PricingUnit",
        consumed_quantity as "ConsumedQuantity",
        consumed_unit as "ConsumedUnit",
        sku_id as "SkuId",
        case when not is_credit then sku_meter end as "SkuMeter",
        sku_id as "SkuPriceId",
        case
            when not is_credit and model is not null
                then {{ json_of_texts(['model'], prefix='x_') }}
        end as "SkuPriceDetails",
        'AI and Machine Learning' as "ServiceCategory",
        'Generative AI' as "ServiceSubcategory",
        service_name as "ServiceName",
        'Anthropic' as "ServiceProviderName",
        'Anthropic' as "HostProviderName",
        'Anthropic' as "InvoiceIssuerName",
        cast(null as {{ dbt.type_string() }}) as "InvoiceId",
        actor_id as "ResourceId",
        email as "ResourceName",
        resource_type as "ResourceType",
        department || coalesce('/' || cost_center, '') as "SubAccountId",
        department as "SubAccountName",
        case when department is not null then 'Department' end as "SubAccountType",
        cast(null as {{ dbt.type_string() }}) as "RegionId",
        cast(null as {{ dbt.type_string() }}) as "RegionName",
        {{ json_of_texts(['department', 'cost_center', 'product', 'model', 'actor_type']) }} as "Tags"
    from with_account
)
-- noqa: enable=RF06

select * from focus
