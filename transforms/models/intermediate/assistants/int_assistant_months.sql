-- One row per month and assistant vendor: how much of the month is known.
with

days as (
    select * from {{ ref('int_days') }}
),

langdock_months as (
    select * from {{ ref('int_langdock_user_months') }}
),

claude_days as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        cast(count(case when is_users_loaded then 1 end) as bigint) as covered_days
    from days
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

claude_months as (
    select
        month,
        'claude' as vendor,
        covered_days,
        cast({{ days_from('month', dbt.last_day('month', 'month')) }} + 1 as bigint) as month_days
    from claude_days
),

claude as (
    select
        month,
        vendor,
        covered_days,
        month_days,
        case when covered_days = month_days then 'full' when covered_days > 0 then 'partial' else 'none' end as coverage
    from claude_months
),

-- A vendor's month is known as well as that of the workspace of which least is known.
workspaces_in_order as (
    select
        langdock_months.*,
        row_number() over (
            partition by month
            order by case when coverage = 'full' then 1 else 0 end, covered_days, org_key
        ) as place
    from langdock_months
),

langdock as (
    select
        month,
        'langdock' as vendor,
        covered_days,
        month_days,
        coverage
    from workspaces_in_order
    where place = 1
),

vendors as (
    select * from claude
    union all
    select * from langdock
)

select * from vendors
