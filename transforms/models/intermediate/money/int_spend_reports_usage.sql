-- One row per UTC day of the older usage reports, organisation (null: the first one), person or nobody, product and
-- model. Whose key it was in a Console organisation, its cost does not tell: so it is nobody's here.
-- What is missing in them becomes a row of nobody, as in int_spend_reports_costs.
with

days as (
    select * from {{ ref('int_organization_spend_days') }}
    where organization_id is null and generation = 'reports' and is_usage_loaded
),

usage_reports as (
    select * from {{ ref('stg_usage_reports') }}
    where activity_date in (select days.activity_date from days)
),

user_usage_reports as (
    select * from {{ ref('stg_user_usage_reports') }}
    where activity_date in (select days.activity_date from days)
),

usage_totals as (
    select * from {{ ref('stg_usage_totals') }}
    where
        organization_id is null
        and activity_date in (
            select days.activity_date from days
            where days.is_usage_totals_loaded
        )
),

console_days as (
    select * from {{ ref('int_organization_spend_days') }}
    where organization_id is not null and generation = 'reports' and is_usage_loaded
),

console_usage_reports as (
    select * from {{ ref('stg_console_usage_reports') }}
),

reported_and_known as (
    select
        activity_date,
        product,
        model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count,
        true as is_reported
    from usage_reports
    union all
    select
        activity_date,
        product,
        model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count,
        false as is_reported
    from user_usage_reports
),

without_person as (
    select
        activity_date,
        product,
        model,
        {{ reported_less_known('request_count') }} as request_count,
        {{ reported_less_known('uncached_input_tokens') }} as uncached_input_tokens,
        {{ reported_less_known('cache_read_input_tokens') }} as cache_read_input_tokens,
        {{ reported_less_known('cache_creation_input_tokens') }} as cache_creation_input_tokens,
        {{ reported_less_known('output_tokens') }} as output_tokens,
        {{ reported_less_known('web_search_request_count') }} as web_search_request_count
    from reported_and_known
    group by activity_date, product, model
    -- A group that only people have was cut off from the organisation's rows.
    having count(case when is_reported then 1 end) > 0
),

totals_and_known as (
    select
        activity_date,
        product,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count,
        true as is_reported
    from usage_totals
    union all
    select
        activity_date,
        product,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count,
        false as is_reported
    from user_usage_reports
    union all
    select
        activity_date,
        product,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count,
        false as is_reported
    from without_person
),

cut_off as (
    select
        totals_and_known.activity_date,
        totals_and_known.product,
        {{ reported_less_known('totals_and_known.request_count') }} as request_count,
        {{ reported_less_known('totals_and_known.uncached_input_tokens') }} as uncached_input_tokens,
        {{ reported_less_known('totals_and_known.cache_read_input_tokens') }} as cache_read_input_tokens,
        {{ reported_less_known('totals_and_known.cache_creation_input_tokens') }} as cache_creation_input_tokens,
        {{ reported_less_known('totals_and_known.output_tokens') }} as output_tokens,
        {{ reported_less_known('totals_and_known.web_search_request_count') }} as web_search_request_count
    from totals_and_known
    inner join days on totals_and_known.activity_date = days.activity_date and days.is_usage_totals_loaded
    group by totals_and_known.activity_date, totals_and_known.product
),

all_rows as (
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        user_id,
        product,
        model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from user_usage_reports
    union all
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        product,
        model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from without_person
    where
        request_count <> 0
        or uncached_input_tokens <> 0
        or cache_read_input_tokens <> 0
        or cache_creation_input_tokens <> 0
        or output_tokens <> 0
        or web_search_request_count <> 0
    union all
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        product,
        cast(null as {{ dbt.type_string() }}) as model,
        request_count,
        uncached_input_tokens,
        cache_read_input_tokens,
        cache_creation_input_tokens,
        output_tokens,
        web_search_request_count
    from cut_off
    where
        request_count <> 0
        or uncached_input_tokens <> 0
        or cache_read_input_tokens <> 0
        or cache_creation_input_tokens <> 0
        or output_tokens <> 0
        or web_search_request_count <> 0
    union all
    select
        console_usage_reports.activity_date,
        console_usage_reports.organization_id,
        cast(null as {{ dbt.type_string() }}) as user_id,
        cast(null as {{ dbt.type_string() }}) as product,
        console_usage_reports.model,
        cast(null as bigint) as request_count,
        console_usage_reports.uncached_input_tokens,
        console_usage_reports.cache_read_input_tokens,
        console_usage_reports.cache_creation_input_tokens,
        console_usage_reports.output_tokens,
        console_usage_reports.web_search_request_count
    from console_usage_reports
    inner join console_days
        on
            console_usage_reports.activity_date = console_days.activity_date
            and console_usage_reports.organization_id = console_days.organization_id
)

select * from all_rows
