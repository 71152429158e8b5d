-- One row per UTC day whose cost is loaded, organisation, product, model, cost type, and where cost was asked so token
-- type, context window and speed.
with

spend_by_sku as (
    select * from {{ ref('int_spend_by_sku') }}
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

-- What is no token has no count of them, and a day without usage has none that is known.
spend_drivers as (
    select
        activity_date,
        organization_id,
        child_organization_id,
        product,
        model,
        cost_type,
        token_type,
        context_window,
        speed,
        cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(list_price_usd) as decimal(38, 8)) as list_price_usd,
        cast(sum(request_count) as bigint) as request_count,
        cast(
            sum(
                case
                    when
                        coalesce(
                            uncached_input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens
                        ) is not null
                        then
                            coalesce(uncached_input_tokens, 0) + coalesce(cache_read_input_tokens, 0)
                            + coalesce(cache_creation_input_tokens, 0) + coalesce(output_tokens, 0)
                end
            ) as bigint
        ) as token_count,
        is_settled
    from spend_by_sku
    group by
        activity_date,
        organization_id,
        child_organization_id,
        product,
        model,
        cost_type,
        token_type,
        context_window,
        speed,
        is_settled
),

with_organization as (
    select
        spend_drivers.activity_date,
        {{ organization_of('spend_drivers') }} as organization_id,
        spend_drivers.product,
        spend_drivers.model,
        spend_drivers.cost_type,
        spend_drivers.token_type,
        spend_drivers.context_window,
        spend_drivers.speed,
        spend_drivers.spend_usd,
        spend_drivers.list_price_usd,
        spend_drivers.request_count,
        spend_drivers.token_count,
        spend_drivers.is_settled
    from spend_drivers
    cross join organization
)

select * from with_organization
