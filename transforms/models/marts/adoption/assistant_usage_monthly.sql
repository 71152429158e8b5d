-- One row per month, person and assistant vendor.
with

vendor_months as (
    select * from {{ ref('int_assistant_months') }}
),

vendor_people as (
    select * from {{ ref('int_assistant_people') }}
),

activity as (
    select * from {{ ref('int_assistant_activity') }}
    where account_key is not null
),

costs as (
    select * from {{ ref('int_assistant_cost') }}
),

-- Someone who cost money without an activity row was not active.
use_and_cost as (
    select
        coalesce(activity.month, costs.month) as month,
        coalesce(activity.vendor, costs.vendor) as vendor,
        coalesce(activity.account_key, costs.account_key) as account_key,
        coalesce(activity.message_count, case when activity.account_key is null then 0 end) as message_count,
        coalesce(activity.was_active, case when activity.account_key is null then 0 end) as was_active,
        costs.cost_usd
    from activity
    full join costs
        on
            activity.vendor = costs.vendor
            and activity.month = costs.month
            and activity.account_key = costs.account_key
),

accounts as (
    select
        use_and_cost.month,
        use_and_cost.vendor,
        vendor_people.user_id,
        use_and_cost.account_key,
        vendor_people.email,
        use_and_cost.message_count,
        use_and_cost.cost_usd,
        use_and_cost.was_active
    from use_and_cost
    inner join vendor_people
        on use_and_cost.vendor = vendor_people.vendor and use_and_cost.account_key = vendor_people.account_key
),

with_person as (
    select
        accounts.*,
        coalesce(email, vendor || ':' || account_key) as person_key
    from accounts
),

people as (
    select
        month,
        vendor,
        person_key,
        case when min(user_id) = max(user_id) then min(user_id) end as user_id,
        max(email) as email,
        cast(count(*) as bigint) as account_count,
        case when count(message_count) = count(*) then cast(sum(message_count) as bigint) end as message_count,
        case when count(cost_usd) = count(*) then cast(sum(cost_usd) as decimal(38, 8)) end as cost_usd,
        case
            when max(was_active) = 1 then 1
            when count(was_active) = count(*) then 0
        end as was_active
    from with_person
    group by month, vendor, person_key
),

-- One known use is enough; that there was none, and how much there was, only a whole month tells.
usage as (
    select
        people.month,
        people.vendor,
        people.person_key,
        people.user_id,
        people.email,
        people.account_count,
        case when vendor_months.coverage = 'full' then people.message_count end as message_count,
        cast(case when vendor_months.coverage = 'full' then people.cost_usd end as decimal(38, 8)) as cost_usd,
        case
            when people.was_active = 1 then true
            when people.was_active = 0 and vendor_months.coverage = 'full' then false
        end as is_active,
        people.email is not null as is_identified,
        vendor_months.coverage,
        vendor_months.covered_days,
        vendor_months.month_days
    from people
    inner join vendor_months on people.month = vendor_months.month and people.vendor = vendor_months.vendor
)

select * from usage
