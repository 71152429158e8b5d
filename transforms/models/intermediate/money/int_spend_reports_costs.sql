-- One row per UTC day of the older cost reports, organisation (null: the first one), person or nobody, product, model
-- and cost type.
-- The people's rows lack work without a person, and the organisation's end after 100 groups a day. What is missing
-- becomes a row of nobody, so that a day's rows are the organisation's total.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
    where organization_id is null and generation = 'reports' and is_cost_loaded
),

cost_reports as (
    select * from {{ ref('stg_cost_reports') }}
    where activity_date in (select days.activity_date from days)
),

user_cost_reports as (
    select * from {{ ref('stg_user_cost_reports') }}
    where activity_date in (select days.activity_date from days)
),

cost_totals as (
    select * from {{ ref('stg_cost_totals') }}
    where
        organization_id is null
        and activity_date in (
            select days.activity_date from days
            where days.is_cost_totals_loaded
        )
),

console_days as (
    select * from {{ ref('int_organization_spend_days') }}
    where organization_id is not null and generation = 'reports' and is_cost_loaded
),

console_cost_reports as (
    select * from {{ ref('stg_console_cost_reports') }}
),

reported_and_known as (
    select
        activity_date,
        product,
        model,
        cost_type,
        spend_usd,
        list_price_usd,
        true as is_reported
    from cost_reports
    union all
    select
        activity_date,
        product,
        model,
        cost_type,
        spend_usd,
        list_price_usd,
        false as is_reported
    from user_cost_reports
),

without_person as (
    select
        activity_date,
        product,
        model,
        cost_type,
        {{ reported_less_known('spend_usd') }} as spend_usd,
        {{ reported_less_known('list_price_usd') }} as list_price_usd
    from reported_and_known
    group by activity_date, product, model, cost_type
    -- A group that only people have was cut off from the organisation's rows.
    having count(case when is_reported then 1 end) > 0
),

totals_and_known as (
    select
        activity_date,
        product,
        spend_usd,
        list_price_usd,
        true as is_reported
    from cost_totals
    union all
    select
        activity_date,
        product,
        spend_usd,
        list_price_usd,
        false as is_reported
    from user_cost_reports
    union all
    select
        activity_date,
        product,
        spend_usd,
        list_price_usd,
        false as is_reported
    from without_person
),

cut_off as (
    select
        totals_and_known.activity_date,
        totals_and_known.product,
        {{ reported_less_known('totals_and_known.spend_usd') }} as spend_usd,
        {{ reported_less_known('totals_and_known.list_price_usd') }} as list_price_usd
    from totals_and_known
    inner join days on totals_and_known.activity_date = days.activity_date and days.is_cost_totals_loaded
    group by totals_and_known.activity_date, totals_and_known.product
),

all_rows as (
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        user_id,
        product,
        model,
        cost_type,
        spend_usd,
        list_price_usd
    from user_cost_reports
    union all
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        product,
        model,
        cost_type,
        spend_usd,
        list_price_usd
    from without_person
    where spend_usd <> 0 or list_price_usd <> 0
    union all
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        product,
        cast(null as {{ dbt.type_string() }}) as model,
        cast(null as {{ dbt.type_string() }}) as cost_type,
        spend_usd,
        list_price_usd
    from cut_off
    where spend_usd <> 0 or list_price_usd <> 0
    union all
    select
        console_cost_reports.activity_date,
        console_cost_reports.organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        cast(null as {{ dbt.type_string() }}) as product,
        console_cost_reports.model,
        console_cost_reports.cost_type,
        console_cost_reports.spend_usd,
        console_cost_reports.spend_usd as list_price_usd
    from console_cost_reports
    inner join console_days
        on
            console_cost_reports.activity_date = console_days.activity_date
            and console_cost_reports.organization_id = console_days.organization_id
)

select * from all_rows
