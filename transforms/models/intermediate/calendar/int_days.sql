-- One row per UTC day from the first loaded day of any engagement endpoint to the newest one that is loaded or
-- available. Cost and usage reach back further and have days of their own.
with

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where organization_id is null and endpoint not in ({{ quoted(declared('money_endpoints')) }})
),

latest_runs as (
    select * from {{ ref('int_latest_endpoint_runs') }}
    where organization_id is null and endpoint not in ({{ quoted(declared('money_endpoints')) }})
),

loaded_span as (
    select
        min(activity_date) as first_date,
        max(activity_date) as last_date
    from days_loaded
),

available_span as (
    select max(newest_available_date) as last_date
    from latest_runs
),

span as (
    select
        loaded_span.first_date,
        case
            when available_span.last_date > loaded_span.last_date then available_span.last_date
            else loaded_span.last_date
        end as last_date
    from loaded_span
    cross join available_span
),

days as (
    select {{ days_between('span.first_date', 'span.last_date') }} as activity_date
    from span
    where span.first_date is not null
),

with_states as (
    select
        days.activity_date,
        users.activity_date is not null as is_users_loaded,
        summaries.activity_date is not null as is_summaries_loaded,
        users.activity_date is not null and users.is_settled as is_users_settled,
        summaries.activity_date is not null and summaries.is_settled as is_summaries_settled
    from days
    left join days_loaded as users
        on days.activity_date = users.activity_date and users.endpoint = 'users'
    left join days_loaded as summaries
        on days.activity_date = summaries.activity_date and summaries.endpoint = 'summaries'
),

with_windows as (
    select
        activity_date,
        count(case when is_users_loaded then 1 end) over (
            order by activity_date rows between 29 preceding and current row
        ) as covered_days_in_30,
        is_users_loaded,
        is_users_settled,
        is_summaries_loaded,
        is_summaries_settled
    from with_states
)

select * from with_windows
