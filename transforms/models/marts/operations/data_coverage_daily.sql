-- One row per organisation, endpoint and UTC day from the first one that was loaded or wanted of it to the newest
-- available one.
with

engagement_days as (
    select * from {{ ref('int_days') }}
),

spend_days as (
    select * from {{ ref('int_organization_spend_days') }}
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
),

latest_runs as (
    select * from {{ ref('int_latest_endpoint_runs') }}
),

all_endpoints as (
    {{ rows_of_text(declared('endpoints'), 'endpoint') }}
),

-- An endpoint that was never asked is none of this organisation's.
asked as (
    select
        endpoint,
        organization_id
    from days_loaded
    union distinct
    select
        endpoint,
        organization_id
    from latest_runs
),

endpoints as (
    select
        endpoint,
        organization_id,
        endpoint in ({{ quoted(declared('money_endpoints')) }}) as is_money
    from asked
    where endpoint in (select all_endpoints.endpoint from all_endpoints)
),

days as (
    select
        activity_date,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        false as is_money
    from engagement_days
    union all
    select
        activity_date,
        organization_id,
        true as is_money
    from spend_days
    union all
    select
        activity_date,
        organization_id,
        false as is_money
    from spend_days
    where organization_id is not null
),

-- An endpoint that a later release reads first was not wanted of the days before.
first_days as (
    select
        endpoints.endpoint,
        endpoints.organization_id,
        min(days_loaded.activity_date) as first_loaded_date
    from endpoints
    left join days_loaded
        on
            endpoints.endpoint = days_loaded.endpoint
            and endpoints.organization_id is not distinct from days_loaded.organization_id
    group by endpoints.endpoint, endpoints.organization_id
),

newer_api as (
    select
        organization_id,
        count(*) as loaded_days
    from days_loaded
    where endpoint = 'costs'
    group by organization_id
),

-- A day that nobody fetched is not settled, whatever the API would answer.
coverage as (
    select
        endpoints.endpoint,
        coalesce(endpoints.organization_id, organization.organization_id) as organization_id,
        days.activity_date,
        {{ day_status('days_loaded.outcome', 'days.activity_date', 'latest_runs.window_start_date') }} as status,
        latest_runs.outcome as endpoint_outcome,
        days_loaded.row_count,
        days_loaded.rejected_row_count,
        days_loaded.revision_count,
        coalesce(days_loaded.is_settled, false) as is_settled,
        days_loaded.fetched_at
    from days
    inner join endpoints
        on
            days.is_money = endpoints.is_money
            and days.organization_id is not distinct from endpoints.organization_id
    inner join first_days
        on
            endpoints.endpoint = first_days.endpoint
            and endpoints.organization_id is not distinct from first_days.organization_id
    left join days_loaded
        on
            endpoints.endpoint = days_loaded.endpoint
            and days.activity_date = days_loaded.activity_date
            and endpoints.organization_id is not distinct from days_loaded.organization_id
    left join latest_runs
        on
            endpoints.endpoint = latest_runs.endpoint
            and endpoints.organization_id is not distinct from latest_runs.organization_id
    left join newer_api on endpoints.organization_id is not distinct from newer_api.organization_id
    cross join organization
    where
        (
            days.activity_date >= first_days.first_loaded_date
            or days.activity_date >= coalesce(latest_runs.first_wanted_date, days.activity_date)
        )
        -- What else a further organisation is asked for has days to its own newest one.
        and (
            days_loaded.outcome is not null
            or endpoints.is_money
            or endpoints.organization_id is null
            or days.activity_date <= latest_runs.newest_available_date
        )
        -- Of an endpoint that is read of its newest days alone, only those are due, up to its own newest run.
        and (
            days_loaded.outcome is not null
            or endpoints.endpoint not in ({{ quoted(declared('recent_endpoints')) }})
            or days.activity_date between latest_runs.window_start_date and latest_runs.newest_available_date
        )
        -- An organisation that has the newer API of cost is not asked for the older reports any more.
        and (
            days_loaded.outcome is not null
            or endpoints.endpoint not in ({{ quoted(declared('older_money_endpoints')) }})
            or newer_api.loaded_days is null
        )
)

select * from coverage
