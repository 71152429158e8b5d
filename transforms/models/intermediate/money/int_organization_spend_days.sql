-- One row per organisation (null: the first one) and UTC day from its first loaded day of cost or usage to the newest
-- one that is loaded or available. A day's facts come from one generation of endpoints: the one whose rows of people
-- were fetched last.
with

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where endpoint in ({{ quoted(declared('money_endpoints')) }})
),

latest_runs as (
    select * from {{ ref('int_latest_endpoint_runs') }}
    where endpoint in ({{ quoted(declared('money_endpoints')) }})
),

loaded_span as (
    select
        organization_id,
        min(activity_date) as first_date,
        max(activity_date) as last_date
    from days_loaded
    group by organization_id
),

available_span as (
    select
        organization_id,
        max(newest_available_date) as last_date,
        max(run_date) as last_run_date
    from latest_runs
    group by organization_id
),

own_span as (
    select
        loaded_span.organization_id,
        loaded_span.first_date,
        available_span.last_run_date,
        case
            when available_span.last_date > loaded_span.last_date then available_span.last_date
            else loaded_span.last_date
        end as last_date
    from loaded_span
    left join available_span
        on loaded_span.organization_id is not distinct from available_span.organization_id
),

newest as (
    select max(last_date) as last_date
    from own_span
),

-- A day that others have is one of an organisation too, as long as it is asked for: without it, their sum is unknown.
span as (
    select
        own_span.organization_id,
        own_span.first_date,
        case
            when own_span.last_run_date >= newest.last_date then newest.last_date
            when own_span.last_run_date > own_span.last_date then own_span.last_run_date
            else own_span.last_date
        end as last_date
    from own_span
    cross join newest
),

days as (
    select
        span.organization_id,
        {{ days_between('span.first_date', 'span.last_date') }} as activity_date
    from span
    where span.first_date is not null
),

with_fetches as (
    select
        days.activity_date,
        days.organization_id,
        max(case when days_loaded.endpoint = 'costs' then days_loaded.fetched_at end) as costs_fetched_at,
        max(
            case
                when days_loaded.endpoint in ('user_cost_reports', 'console_cost_reports') then days_loaded.fetched_at
            end
        ) as user_cost_reports_fetched_at,
        max(case when days_loaded.endpoint = 'usage' then days_loaded.fetched_at end) as usage_fetched_at,
        max(
            case
                when days_loaded.endpoint in ('user_usage_reports', 'console_usage_reports')
                    then days_loaded.fetched_at
            end
        ) as user_usage_reports_fetched_at,
        sum(
            case
                when days_loaded.endpoint = 'console_cost_reports' then 2
                when days_loaded.endpoint in ('cost_reports', 'user_cost_reports') then 1
            end
        ) as loaded_cost_reports,
        sum(
            case
                when days_loaded.endpoint = 'console_usage_reports' then 2
                when days_loaded.endpoint in ('usage_reports', 'user_usage_reports') then 1
            end
        ) as loaded_usage_reports,
        count(case when days_loaded.endpoint = 'cost_totals' then 1 end) = 1 as is_cost_totals_loaded,
        count(case when days_loaded.endpoint = 'usage_totals' then 1 end) = 1 as is_usage_totals_loaded,
        count(case when days_loaded.endpoint = 'costs' and days_loaded.is_settled then 1 end) = 1
            as is_costs_settled,
        count(case when days_loaded.endpoint = 'usage' and days_loaded.is_settled then 1 end) = 1
            as is_usage_settled,
        coalesce(
            sum(
                case
                    when not days_loaded.is_settled then 0
                    when days_loaded.endpoint = 'console_cost_reports' then 2
                    when days_loaded.endpoint in ('cost_reports', 'user_cost_reports') then 1
                end
            ),
            0
        ) = 2 as is_cost_reports_settled,
        coalesce(
            sum(
                case
                    when not days_loaded.is_settled then 0
                    when days_loaded.endpoint = 'console_usage_reports' then 2
                    when days_loaded.endpoint in ('usage_reports', 'user_usage_reports') then 1
                end
            ),
            0
        ) = 2 as is_usage_reports_settled
    from days
    left join days_loaded
        on
            days.activity_date = days_loaded.activity_date
            and days.organization_id is not distinct from days_loaded.organization_id
    group by days.activity_date, days.organization_id
),

with_generation as (
    select
        with_fetches.*,
        case
            when costs_fetched_at >= coalesce(user_cost_reports_fetched_at, costs_fetched_at) then 'unified'
            when user_cost_reports_fetched_at is not null then 'reports'
            when usage_fetched_at >= coalesce(user_usage_reports_fetched_at, usage_fetched_at) then 'unified'
            when user_usage_reports_fetched_at is not null then 'reports'
        end as generation
    from with_fetches
),

-- The older reports say what nobody in person spent only when both the organisation's and the people's are there; those
-- of a Console organisation are one.
with_states as (
    select
        activity_date,
        organization_id,
        generation,
        case generation
            when 'unified' then costs_fetched_at is not null
            when 'reports' then coalesce(loaded_cost_reports, 0) = 2
            else false
        end as is_cost_loaded,
        case generation
            when 'unified' then usage_fetched_at is not null
            when 'reports' then coalesce(loaded_usage_reports, 0) = 2
            else false
        end as is_usage_loaded,
        is_cost_totals_loaded,
        is_usage_totals_loaded,
        case generation
            when 'unified' then is_costs_settled
            when 'reports' then is_cost_reports_settled
            else false
        end as is_cost_settled,
        case generation
            when 'unified' then is_usage_settled
            when 'reports' then is_usage_reports_settled
            else false
        end as is_usage_settled
    from with_generation
)

select * from with_states
