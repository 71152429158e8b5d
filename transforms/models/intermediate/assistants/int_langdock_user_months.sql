-- One row per month and Langdock workspace: which of its users exports make up the month, and how much of it.
with

exports as (
    select * from {{ ref('int_langdock_exports_loaded') }}
    where entity = 'users'
),

users as (
    select * from {{ ref('stg_langdock_users') }}
),

span as (
    select
        min(period_start_date) as first_date,
        max(period_end_date) as last_date
    from exports
),

days as (
    select {{ days_between('span.first_date', 'span.last_date') }} as activity_date
    from span
    where span.first_date is not null
),

months as (
    select distinct cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from days
),

month_ends as (
    select
        month,
        cast({{ dbt.last_day('month', 'month') }} as date) as last_date
    from months
),

nameless_slots as (
    select distinct slot
    from users
    where user_id is null and email is null
),

-- A period that reaches into another month cannot be cut: only those within the month count.
periods_by_month as (
    select
        exports.org_key,
        exports.grouping_key,
        month_ends.month,
        exports.period_days,
        exports.is_provisional,
        exports.has_skipped_rows,
        nameless_slots.slot is not null as is_nameless,
        exports.period_start_date >= month_ends.month and exports.period_end_date <= month_ends.last_date as is_within
    from exports
    inner join month_ends
        on exports.period_start_date <= month_ends.last_date and exports.period_end_date >= month_ends.month
    left join nameless_slots on exports.slot = nameless_slots.slot
),

by_grouping as (
    select
        org_key,
        grouping_key,
        month,
        sum(
            case when is_within and not is_provisional and not has_skipped_rows then period_days else 0 end
        ) as covered_days,
        sum(case when is_within and is_provisional then period_days else 0 end) as provisional_days,
        count(case when is_within then 1 end) as period_count,
        count(case when is_within and is_nameless then 1 end) as nameless_period_count
    from periods_by_month
    group by org_key, grouping_key, month
),

groupings_in_order as (
    select
        by_grouping.*,
        row_number() over (
            partition by org_key, month order by covered_days desc, provisional_days desc, grouping_key asc
        ) as place
    from by_grouping
),

workspaces as (
    select
        org_key,
        min(period_start_date) as first_date,
        max(period_end_date) as last_date
    from exports
    where org_key <> ''
    group by org_key
),

-- Between its first and its last export a workspace is there, with or without an export of the month.
workspace_months as (
    select
        month_ends.month,
        month_ends.last_date,
        workspaces.org_key
    from month_ends
    inner join workspaces
        on month_ends.last_date >= workspaces.first_date and month_ends.month <= workspaces.last_date
),

-- An export that names no workspace tells of its month where no other does.
unnamed_months as (
    select
        month_ends.month,
        month_ends.last_date,
        groupings_in_order.org_key
    from month_ends
    inner join groupings_in_order on month_ends.month = groupings_in_order.month
    where
        groupings_in_order.org_key = ''
        and groupings_in_order.place = 1
        and month_ends.month not in (select workspace_months.month from workspace_months)
),

all_months as (
    select * from workspace_months
    union all
    select * from unnamed_months
),

-- A month of a workspace without any export that touches it has 0 covered days.
with_days as (
    select
        all_months.month,
        all_months.org_key,
        groupings_in_order.grouping_key,
        cast(coalesce(groupings_in_order.covered_days, 0) as bigint) as covered_days,
        cast({{ days_from('all_months.month', 'all_months.last_date') }} + 1 as bigint) as month_days,
        groupings_in_order.covered_days + groupings_in_order.provisional_days as exported_days,
        groupings_in_order.period_count,
        groupings_in_order.nameless_period_count
    from all_months
    left join groupings_in_order
        on
            all_months.month = groupings_in_order.month
            and all_months.org_key = groupings_in_order.org_key
            and groupings_in_order.place = 1
),

with_coverage as (
    select
        month,
        org_key,
        grouping_key,
        covered_days,
        month_days,
        case
            when grouping_key is null then 'none'
            -- Who was there in two periods without names would count twice.
            when period_count > 1 and nameless_period_count > 0 then 'nameless_periods'
            when covered_days = month_days then 'full'
            when exported_days = month_days then 'provisional'
            when period_count > 0 then 'partial'
            else 'other_periods'
        end as coverage
    from with_days
)

select * from with_coverage
