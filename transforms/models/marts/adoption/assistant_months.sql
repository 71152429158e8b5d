-- One row per month and assistant vendor.
{{ config(materialized='view') }}
with

vendor_months as (
    select * from {{ ref('int_assistant_months') }}
),

usage as (
    select * from {{ ref('assistant_usage_monthly') }}
),

by_vendor as (
    select
        month,
        vendor,
        count(case when is_active then 1 end) as active_users,
        count(case when is_active and not is_identified then 1 end) as unidentified_users,
        count(is_active) as people_whose_activity_is_known,
        count(*) as people,
        {{ sum_of_known('message_count') }} as message_count,
        {{ sum_of_known('cost_usd') }} as cost_usd
    from usage
    group by month, vendor
),

-- Nobody in a month that is known whole is 0. How many were active, only a whole month tells.
months as (
    select
        vendor_months.month,
        vendor_months.vendor,
        case
            when
                vendor_months.coverage = 'full'
                and by_vendor.people_whose_activity_is_known = by_vendor.people
                then by_vendor.active_users
            when vendor_months.coverage = 'full' and by_vendor.people is null then 0
        end as active_users,
        case
            when
                vendor_months.coverage = 'full'
                and by_vendor.people_whose_activity_is_known = by_vendor.people
                then by_vendor.unidentified_users
            when vendor_months.coverage = 'full' and by_vendor.people is null then 0
        end as unidentified_users,
        cast(
            case
                when vendor_months.coverage = 'full' and by_vendor.people is null then 0
                else by_vendor.message_count
            end as bigint
        ) as message_count,
        cast(
            case when vendor_months.coverage = 'full' and by_vendor.people is null then 0 else by_vendor.cost_usd end
            as decimal(38, 8)
        ) as cost_usd,
        vendor_months.coverage,
        vendor_months.covered_days,
        vendor_months.month_days
    from vendor_months
    left join by_vendor on vendor_months.month = by_vendor.month and vendor_months.vendor = by_vendor.vendor
)

select * from months
