-- One row per month, person and assistant vendor.
with

vendor_months as (
    select * from {{ ref('int_assistant_months') }}
),

user_days as (
    select * from {{ ref('int_user_days') }}
),

claude_people as (
    select * from {{ ref('int_people') }}
),

spend_days as (
    select * from {{ ref('int_spend_days') }}
),

spend as (
    select * from {{ ref('spend_daily') }}
    where user_id is not null
),

langdock_users as (
    select * from {{ ref('int_langdock_user_activity') }}
),

-- A product that is not reported for a person has no messages of theirs; without any, messages are unknown.
claude_messages as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id,
        is_active,
        case
            when
                coalesce(
                    chat_message_count,
                    cowork_message_count,
                    office_message_count,
                    design_message_count,
                    science_message_count,
                    claude_tag_message_count
                ) is not null
                then
                    coalesce(chat_message_count, 0)
                    + coalesce(cowork_message_count, 0)
                    + coalesce(office_message_count, 0)
                    + coalesce(design_message_count, 0)
                    + coalesce(science_message_count, 0)
                    + coalesce(claude_tag_message_count, 0)
        end as message_count
    from user_days
),

claude_users as (
    select
        month,
        user_id,
        max(case when is_active then 1 else 0 end) as was_active,
        sum(message_count) as message_count
    from claude_messages
    group by month, user_id
),

months_of_spend as (
    select cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from spend_days
    where is_cost_loaded
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
    having count(*) = max(extract(day from {{ dbt.last_day('activity_date', 'month') }}))
),

claude_costs as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        user_id,
        sum(spend_usd) as cost_usd
    from spend
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date), user_id
),

-- Someone who cost money without an activity row was not active.
claude_accounts as (
    select
        coalesce(claude_users.month, claude_costs.month) as month,
        coalesce(claude_users.user_id, claude_costs.user_id) as user_id,
        coalesce(claude_users.message_count, case when claude_users.user_id is null then 0 end) as message_count,
        coalesce(claude_users.was_active, case when claude_users.user_id is null then 0 end) as was_active,
        claude_costs.cost_usd
    from claude_users
    full join claude_costs on claude_users.month = claude_costs.month and claude_users.user_id = claude_costs.user_id
),

accounts as (
    select
        claude_accounts.month,
        'claude' as vendor,
        claude_accounts.user_id,
        claude_accounts.user_id as account_key,
        {{ email_key('claude_people.email') }} as email,
        claude_accounts.message_count,
        case when months_of_spend.month is not null then coalesce(claude_accounts.cost_usd, 0) end as cost_usd,
        claude_accounts.was_active
    from claude_accounts
    inner join claude_people on claude_accounts.user_id = claude_people.user_id
    left join months_of_spend on claude_accounts.month = months_of_spend.month
    union all
    select
        month,
        'langdock' as vendor,
        user_id,
        user_key as account_key,
        email,
        message_count,
        cost_usd,
        case when message_count > 0 then 1 when message_count = 0 then 0 end as was_active
    from langdock_users
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
        case when vendor_months.coverage = 'full' then people.cost_usd end as cost_usd,
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
