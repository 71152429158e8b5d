-- One row per charge and month that bills it, in the columns of FOCUS 1.4: use of one day by one actor, of one kind of
-- token where the API prices them apart, a month's seats of one tier, what the organisation's total has beyond its
-- rows, or what moved in a closed month.
with

billed_charges as (
    select * from {{ ref('int_billed_charges') }}
),

invoices as (
    select * from {{ ref('int_month_invoices') }}
),

organization as (
    select * from {{ ref('int_organization') }}
),

parts as (
    select 1 as part
    union all
    select 2 as part
),

-- No price is negative: where a day's cost is below zero and its list price above, the two are rows of their own.
charges as (
    select
        billed_charges.*,
        corrected_month is null
        and charge_category <> 'Adjustment'
        and {{ have_two_signs('billed_charges') }} as is_split
    from billed_charges
),

described as (
    select
        charges.month,
        charges.cost_pool,
        charges.charge_category,
        charges.first_date,
        charges.end_date,
        charges.actor_type,
        charges.actor_id,
        charges.email,
        nullif(charges.department, 'Unmapped') as department,
        charges.cost_center,
        charges.product,
        charges.model,
        charges.cost_type,
        charges.token_type,
        charges.context_window,
        charges.speed,
        charges.seat_tier,
        charges.seat_price_usd,
        case when parts.part = 1 then charges.billed_usd else 0 end as billed_usd,
        case
            when charges.is_split and parts.part = 1 then 0
            else charges.list_price_usd
        end as list_price_usd,
        case when parts.part = 1 then charges.request_count end as request_count,
        case when parts.part = 1 then charges.uncached_input_tokens end as uncached_input_tokens,
        case when parts.part = 1 then charges.cache_read_input_tokens end as cache_read_input_tokens,
        case when parts.part = 1 then charges.cache_creation_input_tokens end as cache_creation_input_tokens,
        case when parts.part = 1 then charges.output_tokens end as output_tokens,
        case when parts.part = 1 then charges.web_search_request_count end as web_search_request_count,
        case when parts.part = 1 then charges.seat_months end as seat_months,
        coalesce(charges.organization_id, organization.organization_id) as organization_id,
        coalesce(charges.organization_name, organization.organization_name) as organization_name,
        charges.is_settled,
        charges.is_estimated,
        charges.corrected_month is not null as is_correction,
        charges.charge_category <> 'Adjustment' as has_sku,
        invoices.invoice_id,
        invoices.invoice_detail_id,
        coalesce(charges.token_type, charges.cost_type, 'other') as sku_meter,
        'Claude'
        || coalesce(' ' || charges.product, case when charges.charge_category = 'Usage' then ' other' else '' end)
            as service_name
    from charges
    cross join organization
    inner join parts on parts.part = 1 or charges.is_split
    left join invoices on charges.month = invoices.month
),

measured as (
    select
        described.*,
        {{ have_two_signs('described') }} as has_two_signs,
        case
            when
                coalesce(
                    uncached_input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens
                ) is not null
                then
                    coalesce(uncached_input_tokens, 0) + coalesce(cache_read_input_tokens, 0)
                    + coalesce(cache_creation_input_tokens, 0) + coalesce(output_tokens, 0)
        end as token_count,
        {{ usd_to_units('billed_usd') }} as billed_units,
        {{ usd_to_units('list_price_usd') }} as list_units
    from described
),

-- What is priced, in units of 0.000000000001, where the API says how much it is.
counted as (
    select
        measured.*,
        case
            when seat_months is not null then {{ quantity_to_units('seat_months') }}
            when token_type is not null then {{ exact_integer('token_count') }} * 1000000
            when cost_type = 'web_search' then {{ quantity_to_units('web_search_request_count') }}
        end as counted_units,
        case
            when seat_months is not null then 'Seat-Months'
            when token_type is not null then '1000000 Tokens'
            else 'Requests'
        end as counted_unit
    from measured
),

with_list_price as (
    select
        counted.*,
        {{ unit_price('abs(list_units)', 'abs(counted_units)', 6) }} as list_price_millionths
    from counted
),

-- A price list has few digits: only a price of at most six that gives the amount is taken for one. Seats have the price
-- of their tier, or their part of an amount. What else is charged is known by its amount alone, so that is what is
-- priced.
with_pricing as (
    select
        with_list_price.*,
        case
            when not has_sku or has_two_signs then null
            when
                counted_units <> 0
                and list_units * {{ sign_of('counted_units') }} >= 0
                and billed_units * {{ sign_of('counted_units') }} >= 0
                and (
                    seat_months is not null
                    or abs(list_price_millionths * abs(counted_units) - abs(list_units) * 10000000000) <= 10000000000
                )
                then 'quantity'
            else 'amount'
        end as priced_by
    from with_list_price
),

with_quantity as (
    select
        with_pricing.*,
        case priced_by
            when 'quantity' then counted_units
            when 'amount' then case when list_units <> 0 then list_units else billed_units end * 10000
        end as quantity_units,
        case priced_by
            when 'quantity'
                then case
                    when
                        abs(list_price_millionths * abs(counted_units) - abs(list_units) * 10000000000) <= 10000000000
                        then list_price_millionths * 1000000
                    else {{ unit_price('abs(list_units)', 'abs(counted_units)', 12) }}
                end
            when 'amount'
                then case
                    when list_units = 0 and billed_units <> 0 then 0
                    else {{ exact_integer("'1000000000000'") }}
                end
        end as list_price_units
    from with_pricing
),

priced as (
    select
        with_quantity.*,
        {{ units_to_quantity('quantity_units') }} as pricing_quantity,
        {{ units_to_quantity('list_price_units') }} as list_unit_usd,
        {{ units_to_quantity(
            'coalesce(' ~ unit_price('abs(billed_units)', 'abs(quantity_units)', 12) ~ ', list_price_units)'
        ) }} as contracted_unit_usd,
        case priced_by when 'quantity' then counted_unit when 'amount' then 'Dollars' end as pricing_unit,
        case
            when charge_category = 'Purchase' then 'seats' || coalesce('/' || seat_tier, '')
            when has_sku then coalesce(model, 'any') || '/' || sku_meter
        end as sku_id,
        case
            when charge_category <> 'Usage' then null
            when token_count is not null then token_count
            when cost_type = 'web_search' then web_search_request_count
            when cost_type = 'code_execution' then request_count
        end as consumed_count
    from with_quantity
),

-- The price is part of its id: when a list changes, the new price is another one.
named as (
    select
        priced.*,
        case
            when priced_by = 'quantity'
                then
                    sku_id
                    || coalesce('/' || context_window, '')
                    || coalesce('/' || speed, '')
                    || '@' || cast(list_unit_usd as {{ dbt.type_string() }})
            when priced_by = 'amount'
                then sku_id || case when list_price_units = 0 then '/unlisted' else '/by-amount' end
        end as sku_price_id,
        case
            when consumed_count is not null then cast(consumed_count as decimal(38, 12))
            when charge_category = 'Usage' and not is_correction then pricing_quantity
        end as consumed_quantity,
        case
            when consumed_count is not null then case when token_count is not null then 'Tokens' else 'Requests' end
            when charge_category = 'Usage' and not is_correction then pricing_unit
        end as consumed_unit,
        case when is_correction then 'Correction: ' else '' end
        || case
            when charge_category = 'Usage'
                then 'Use of ' || service_name || coalesce(' with ' || model, '') || ' (' || sku_meter || ')'
            when charge_category = 'Purchase' then 'Seats of the month' || coalesce(' (' || seat_tier || ')', '')
            when cost_pool = 'unexplained' then 'What the organisation''s total has beyond its rows'
            else 'What was billed beyond the charges that are known, of the pool ' || cost_pool
        end as charge_description
    from priced
),

-- The specification's spelling needs quotes where an engine folds names.
-- noqa: disable=RF06
focus as (
    select
        cast(null as {{ dbt.type_string() }}) as "AllocatedMethodDetails",
        cast(null as {{ dbt.type_string() }}) as "AllocatedMethodId",
        cast(null as {{ dbt.type_string() }}) as "AllocatedResourceId",
        cast(null as {{ dbt.type_string() }}) as "AllocatedResourceName",
        cast(null as {{ dbt.type_string() }}) as "AllocatedTags",
        cast(null as {{ dbt.type_string() }}) as "AvailabilityZone",
        cast(billed_usd as decimal(38, 8)) as "BilledCost",
        organization_id as "BillingAccountId",
        organization_name as "BillingAccountName",
        case when organization_id is not null then 'Organization' end as "BillingAccountType",
        'USD' as "BillingCurrency",
        cast({{ dbt.dateadd('month', 1, 'month') }} as timestamp) as "BillingPeriodEnd",
        cast(month as timestamp) as "BillingPeriodStart",
        cast(null as {{ dbt.type_string() }}) as "CapacityReservationId",
        cast(null as {{ dbt.type_string() }}) as "CapacityReservationStatus",
        charge_category as "ChargeCategory",
        case when is_correction then 'Correction' end as "ChargeClass",
        charge_description as "ChargeDescription",
        case charge_category
            when 'Usage' then 'Usage-Based'
            when 'Purchase' then 'Recurring'
            else 'One-Time'
        end as "ChargeFrequency",
        cast(end_date as timestamp) as "ChargePeriodEnd",
        cast(first_date as timestamp) as "ChargePeriodStart",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountCategory",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountId",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountName",
        cast(null as decimal(38, 8)) as "CommitmentDiscountQuantity",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountStatus",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountType",
        cast(null as {{ dbt.type_string() }}) as "CommitmentDiscountUnit",
        cast(null as {{ dbt.type_string() }}) as "CommitmentProgramEligibilityDetails",
        consumed_quantity as "ConsumedQuantity",
        consumed_unit as "ConsumedUnit",
        cast(null as {{ dbt.type_string() }}) as "ContractApplied",
        cast(billed_usd as decimal(38, 8)) as "ContractedCost",
        contracted_unit_usd as "ContractedUnitPrice",
        cast(billed_usd as decimal(38, 8)) as "EffectiveCost",
        'Anthropic' as "HostProviderName",
        invoice_detail_id as "InvoiceDetailId",
        invoice_id as "InvoiceId",
        'Anthropic' as "InvoiceIssuerName",
        cast(list_price_usd as decimal(38, 8)) as "ListCost",
        list_unit_usd as "ListUnitPrice",
        case when priced_by is not null then 'Standard' end as "PricingCategory",
        'USD' as "PricingCurrency",
        contracted_unit_usd as "PricingCurrencyContractedUnitPrice",
        cast(billed_usd as decimal(38, 8)) as "PricingCurrencyEffectiveCost",
        list_unit_usd as "PricingCurrencyListUnitPrice",
        pricing_quantity as "PricingQuantity",
        pricing_unit as "PricingUnit",
        cast(null as {{ dbt.type_string() }}) as "RegionId",
        cast(null as {{ dbt.type_string() }}) as "RegionName",
        actor_id as "ResourceId",
        email as "ResourceName",
        case when actor_id is not null then actor_type end as "ResourceType",
        'AI and Machine Learning' as "ServiceCategory",
        service_name as "ServiceName",
        'Anthropic' as "ServiceProviderName",
        'Generative AI' as "ServiceSubcategory",
        sku_id as "SkuId",
        case when has_sku then sku_meter end as "SkuMeter",
        case
            when priced_by is not null
                then nullif(
                    {{ json_of_texts(
                        ['model', 'context_window', 'speed', 'seat_tier'],
                        keys=['x_Model', 'x_ContextWindow', 'x_Speed', 'x_SeatTier']
                    ) }}, '{}'
                )
        end as "SkuPriceDetails",
        sku_price_id as "SkuPriceId",
        department || coalesce('/' || cost_center, '') as "SubAccountId",
        department as "SubAccountName",
        case when department is not null then 'Department' end as "SubAccountType",
        nullif({{ json_of_texts(['department', 'cost_center']) }}, '{}') as "Tags",
        actor_id as "x_ActorId",
        actor_type as "x_ActorType",
        cache_creation_input_tokens as "x_CacheCreationInputTokens",
        cache_read_input_tokens as "x_CacheReadInputTokens",
        cost_pool as "x_CostPool",
        cost_type as "x_CostType",
        coalesce(is_estimated, false) as "x_IsEstimated",
        coalesce(is_settled, false) as "x_IsSettled",
        model as "x_Model",
        output_tokens as "x_OutputTokens",
        product as "x_Product",
        request_count as "x_RequestCount",
        token_type as "x_TokenType",
        uncached_input_tokens as "x_UncachedInputTokens",
        web_search_request_count as "x_WebSearchRequestCount"
    from named
)
-- noqa: enable=RF06

select * from focus
