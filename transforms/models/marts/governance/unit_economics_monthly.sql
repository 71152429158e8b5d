-- One row per month: what Claude costs per person and day of use. Metered spend is after discount and before credits;
-- organisations with seats see only their usage beyond the seat in it.
with

months as (
    select * from {{ ref('int_months') }}
),

user_months as (
    select * from {{ ref('int_user_months') }}
),

spend as (
    select
        spend_daily.*,
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from {{ ref('spend_daily') }} as spend_daily
),

spend_days as (
    select * from {{ ref('int_spend_days') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_monthly') }}
),

activity as (
    select
        month,
        count(*) as active_users,
        cast(sum(active_days) as bigint) as active_user_days
    from user_months
    group by month
),

spend_coverage as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        count(case when is_cost_loaded then 1 end) as cost_covered_days,
        count(case when is_usage_loaded then 1 end) as usage_covered_days
    from spend_days
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

spend_by_month as (
    select
        month,
        cast(sum(spend_usd) as decimal(38, 8)) as spend_usd,
        cast(sum(list_price_usd) as decimal(38, 8)) as list_price_usd,
        cast(sum(case when user_id is null then spend_usd else 0 end) as decimal(38, 8)) as spend_without_person_usd,
        sum(uncached_input_tokens) as uncached_input_tokens,
        sum(cache_read_input_tokens) as cache_read_input_tokens,
        sum(cache_creation_input_tokens) as cache_creation_input_tokens,
        min(case when is_settled then 1 else 0 end) = 1 as is_settled
    from spend
    group by month
),

spend_by_person as (
    select
        month,
        user_id,
        sum(spend_usd) as spend_usd
    from spend
    where user_id is not null
    group by month, user_id
    having sum(spend_usd) > 0
),

spenders_in_order as (
    select
        month,
        spend_usd,
        row_number() over (partition by month order by spend_usd desc, user_id asc) as spend_rank,
        count(*) over (partition by month) as spending_users
    from spend_by_person
),

-- The dearest tenth, at least one person.
concentration as (
    select
        month,
        max(spending_users) as spending_users,
        {{ rate('sum(case when 10 * (spend_rank - 1) < spending_users then spend_usd end)', 'sum(spend_usd)') }}
            as top_tenth_spend_rate
    from spenders_in_order
    group by month
),

-- In a month that is loaded throughout, no cost and nobody found mean 0.
covered as (
    select
        months.month,
        cast(
            case
                when spend_coverage.cost_covered_days = months.month_days
                    then coalesce(spend_by_month.spend_usd, cast(0 as decimal(38, 8)))
            end as decimal(38, 8)
        ) as spend_usd,
        cast(
            case
                when spend_coverage.cost_covered_days = months.month_days
                    then coalesce(spend_by_month.list_price_usd, cast(0 as decimal(38, 8)))
            end as decimal(38, 8)
        ) as list_price_usd,
        cast(
            case
                when spend_coverage.cost_covered_days = months.month_days
                    then coalesce(spend_by_month.spend_without_person_usd, cast(0 as decimal(38, 8)))
            end as decimal(38, 8)
        ) as spend_without_person_usd,
        cast(case when months.is_covered then seat_fees.billed_usd end as decimal(38, 8)) as seat_fees_usd,
        case when months.is_covered then coalesce(activity.active_users, 0) end as active_users,
        case when months.is_covered then coalesce(activity.active_user_days, 0) end as active_user_days,
        case
            when spend_coverage.cost_covered_days = months.month_days then coalesce(concentration.spending_users, 0)
        end as spending_users,
        case
            when spend_coverage.cost_covered_days = months.month_days then concentration.top_tenth_spend_rate
        end as top_tenth_spend_rate,
        case
            when spend_coverage.usage_covered_days = months.month_days
                then {{ rate(
                    'spend_by_month.cache_read_input_tokens',
                    'spend_by_month.cache_read_input_tokens + spend_by_month.cache_creation_input_tokens'
                    ~ ' + spend_by_month.uncached_input_tokens'
                ) }}
        end as cache_read_rate,
        coalesce(spend_coverage.cost_covered_days, 0) as cost_covered_days,
        months.covered_days,
        months.month_days,
        spend_coverage.cost_covered_days = months.month_days
        and coalesce(spend_by_month.is_settled, false) as is_settled
    from months
    left join spend_coverage on months.month = spend_coverage.month
    left join spend_by_month on months.month = spend_by_month.month
    left join concentration on months.month = concentration.month
    left join activity on months.month = activity.month
    left join seat_fees on months.month = seat_fees.month
),

with_unit_costs as (
    select
        month,
        spend_usd,
        list_price_usd,
        cast(list_price_usd - spend_usd as decimal(38, 8)) as discount_usd,
        spend_without_person_usd,
        seat_fees_usd,
        active_users,
        active_user_days,
        spending_users,
        {{ usd_per('spend_usd', 'active_users') }} as spend_per_active_user_usd,
        {{ usd_per('spend_usd', 'active_user_days') }} as spend_per_active_day_usd,
        {{ usd_per('seat_fees_usd', 'active_users') }} as seat_fees_per_active_user_usd,
        {{ usd_per('seat_fees_usd', 'active_user_days') }} as seat_fees_per_active_day_usd,
        {{ rate('list_price_usd - spend_usd', 'list_price_usd') }} as discount_rate,
        top_tenth_spend_rate,
        cache_read_rate,
        cost_covered_days,
        covered_days,
        month_days,
        coalesce(is_settled, false) as is_settled
    from covered
)

select * from with_unit_costs
