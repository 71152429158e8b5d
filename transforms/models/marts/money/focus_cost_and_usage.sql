-- One row per charge and month that bills it, in the columns of FOCUS 1.4: a row of spend_daily that has a cost, a
-- month's seat fees, what the organisation's total has beyond its rows, or what moved in a closed month.
with

charges as (
    select * from {{ ref('int_billed_charges') }}
),

described as (
    select
        charges.*,
        cast(month as timestamp) as period_start,
        cast({{ dbt.dateadd('month', 1, 'month') }} as timestamp) as period_end,
        cast(first_date as timestamp) as charge_start,
        cast(end_date as timestamp) as charge_end,
        coalesce(cost_type, 'other') as sku_meter,
        'Claude' || coalesce(' ' || product, case when charge_category = 'Usage' then ' other' else '' end)
            as service_name,
        case when actor_type <> 'unattributed' then actor_type end as resource_type,
        case
            when cost_type = 'tokens'
                then uncached_input_tokens + cache_read_input_tokens + cache_creation_input_tokens + output_tokens
        end as token_count,
        charge_category <> 'Adjustment' as has_sku,
        corrected_month is not null as is_correction
    from charges
),

-- A day's use, or a month's seats, is one unit; one that is paid back is −1 of it, since prices are not negative. What
-- was corrected up in one price and down in the other has none.
with_quantity as (
    select
        described.*,
        case
            when not has_sku then null
            when billed_usd >= 0 and list_price_usd >= 0 then 1
            when billed_usd <= 0 and list_price_usd <= 0 then -1
        end as unit_count
    from described
),

priced as (
    select
        with_quantity.*,
        case when is_correction then 'Correction: ' else '' end
        || case
            when charge_category = 'Usage'
                then 'Use of ' || service_name || coalesce(' with ' || model, '') || ' (' || sku_meter || ')'
            when charge_category = 'Purchase' then 'Seat fees of the month'
            when cost_pool = 'unexplained' then 'What the organisation''s total has beyond its rows'
            else 'What was billed beyond the charges that are known, of the pool ' || cost_pool
        end as charge_description,
        case charge_category
            when 'Usage' then 'Usage-Based'
            when 'Purchase' then 'Recurring'
            else 'One-Time'
        end as charge_frequency,
        case when unit_count is not null then 'Standard' end as pricing_category,
        case
            when has_sku then coalesce(product, 'other') || '/' || coalesce(model, 'any') || '/' || sku_meter
        end as sku_id,
        cast(unit_count as decimal(38, 8)) as pricing_quantity,
        case when unit_count is not null then case when charge_category = 'Usage' then 'Days' else 'Months' end end
            as pricing_unit,
        cast(unit_count * billed_usd as decimal(38, 8)) as contracted_unit_usd,
        cast(unit_count * list_price_usd as decimal(38, 8)) as list_unit_usd,
        -- A correction consumes what the tokens differ by; one without tokens corrects an amount and no use.
        case
            when charge_category = 'Usage'
                then cast(coalesce(token_count, case when not is_correction then unit_count end) as decimal(38, 8))
        end as consumed_quantity
    from with_quantity
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
        case when is_correction then 'Correction' end as "ChargeClass",
        charge_description as "ChargeDescription",
        charge_frequency as "ChargeFrequency",
        billed_usd as "BilledCost",
        billed_usd as "EffectiveCost",
        billed_usd as "ContractedCost",
        list_price_usd as "ListCost",
        contracted_unit_usd as "ContractedUnitPrice",
        list_unit_usd as "ListUnitPrice",
        pricing_category as "PricingCategory",
        'USD' as "PricingCurrency",
        contracted_unit_usd as "PricingCurrencyContractedUnitPrice",
        billed_usd as "PricingCurrencyEffectiveCost",
        list_unit_usd as "PricingCurrencyListUnitPrice",
        pricing_quantity as "PricingQuantity",
        pricing_unit as "PricingUnit",
        consumed_quantity as "ConsumedQuantity",
        case
            when consumed_quantity is not null then case when token_count is null then 'Days' else 'Tokens' end
        end as "ConsumedUnit",
        sku_id as "SkuId",
        case when has_sku then sku_meter end as "SkuMeter",
        case when unit_count is not null then sku_id end as "SkuPriceId",
        case
            when unit_count is not null and model is not null
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
        nullif({{ json_of_texts(['department', 'cost_center', 'product', 'model', 'actor_type']) }}, '{}') as "Tags"
    from priced
)
-- noqa: enable=RF06

select * from focus
