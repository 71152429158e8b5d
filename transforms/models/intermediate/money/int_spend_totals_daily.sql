-- One row per UTC day whose cost is loaded: what its rows add up to, beside the organisations' own totals.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
),

all_days as (
    select * from {{ ref('int_spend_days') }}
),

organizations as (
    select * from {{ ref('int_organizations') }}
),

spend as (
    select * from {{ ref('spend_daily') }}
),

cost_totals as (
    select * from {{ ref('stg_cost_totals') }}
),

by_organization as (
    select
        activity_date,
        organization_id,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from spend
    group by activity_date, organization_id
),

-- By whose key told of it: a child's cost stands in its parent's total.
sums as (
    select
        by_organization.activity_date,
        case
            when organizations.kind in ('console', 'parent') then organizations.organization_id
            else organizations.parent_organization_id
        end as organization_id,
        sum(by_organization.spend_usd) as spend_usd,
        sum(by_organization.list_price_usd) as list_price_usd
    from by_organization
    left join organizations on by_organization.organization_id = organizations.organization_id
    group by
        by_organization.activity_date,
        case
            when organizations.kind in ('console', 'parent') then organizations.organization_id
            else organizations.parent_organization_id
        end
),

totals as (
    select
        activity_date,
        organization_id,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd
    from cost_totals
    group by activity_date, organization_id
),

-- A loaded day without a row cost 0. Without the organisation's total its rows are all that is known.
side_by_side as (
    select
        days.activity_date,
        case when days.is_cost_loaded then coalesce(sums.spend_usd, 0) end as rows_usd,
        case when days.is_cost_loaded then coalesce(sums.list_price_usd, 0) end as rows_list_price_usd,
        case when days.is_cost_totals_loaded then coalesce(totals.spend_usd, 0) end as total_usd,
        case when days.is_cost_totals_loaded then coalesce(totals.list_price_usd, 0) end as total_list_price_usd
    from days
    left join sums
        on
            days.activity_date = sums.activity_date
            and days.organization_id is not distinct from sums.organization_id
    left join totals
        on
            days.activity_date = totals.activity_date
            and days.organization_id is not distinct from totals.organization_id
    where days.is_cost_loaded or days.is_cost_totals_loaded
),

with_difference as (
    select
        activity_date,
        rows_usd,
        rows_list_price_usd,
        coalesce(total_usd, rows_usd) as total_usd,
        coalesce(total_list_price_usd, rows_list_price_usd) as total_list_price_usd,
        coalesce(total_usd - coalesce(rows_usd, 0), 0) as difference_usd,
        coalesce(total_list_price_usd - coalesce(rows_list_price_usd, 0), 0) as list_price_difference_usd
    from side_by_side
),

summed as (
    select
        activity_date,
        sum(rows_usd) as rows_usd,
        sum(rows_list_price_usd) as rows_list_price_usd,
        sum(total_usd) as total_usd,
        sum(total_list_price_usd) as total_list_price_usd,
        sum(difference_usd) as difference_usd,
        sum(list_price_difference_usd) as list_price_difference_usd
    from with_difference
    group by activity_date
),

with_states as (
    select
        summed.activity_date,
        cast({{ dbt.date_trunc('month', 'summed.activity_date') }} as date) as month,
        all_days.generation,
        all_days.is_cost_loaded,
        all_days.is_cost_settled,
        cast(summed.rows_usd as decimal(38, 8)) as rows_usd,
        cast(summed.rows_list_price_usd as decimal(38, 8)) as rows_list_price_usd,
        cast(summed.total_usd as decimal(38, 8)) as total_usd,
        cast(summed.total_list_price_usd as decimal(38, 8)) as total_list_price_usd,
        cast(summed.difference_usd as decimal(38, 8)) as difference_usd,
        cast(summed.list_price_difference_usd as decimal(38, 8)) as list_price_difference_usd
    from summed
    inner join all_days on summed.activity_date = all_days.activity_date
)

select * from with_states
