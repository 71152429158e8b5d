-- One row per UTC day, organisation of the Console, workspace, API key, actor, service tier, agent and cost type; all
-- rows of a day without a known actor count as one actor.
{% set keys = [
    'activity_date', 'organization_id', 'workspace_id', 'api_key_id', 'actor_type', 'actor_id', 'service_tier',
    'agent_id',
] -%}
with

spend_days as (
    select * from {{ ref('int_organization_spend_days') }}
    where organization_id is not null
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
    where endpoint in ('workspace_costs', 'workspace_usage', 'console_cost_reports', 'console_usage_reports')
),

all_days as (
    select
        days_loaded.*,
        case when days_loaded.endpoint like 'console_%' then 'reports' else 'unified' end as generation
    from days_loaded
),

-- A day's facts come from one generation of endpoints.
days as (
    select all_days.*
    from all_days
    inner join spend_days
        on
            all_days.activity_date = spend_days.activity_date
            and all_days.organization_id = spend_days.organization_id
            and all_days.generation = spend_days.generation
),

costs as (
    select * from {{ ref('stg_workspace_costs') }}
),

usage_rows as (
    select * from {{ ref('stg_workspace_usage') }}
),

console_people as (
    select * from {{ ref('int_console_people') }}
),

people as (
    select * from {{ ref('int_people') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

workspaces as (
    select
        organization_id,
        workspace_id,
        workspace_name,
        row_number() over (partition by organization_id, workspace_id order by valid_from_at desc) as names_since
    from {{ ref('stg_console_workspaces') }}
),

owners as (
    select * from {{ ref('int_console_key_owners') }}
),

console_costs as (
    select * from {{ ref('stg_console_cost_reports') }}
),

console_usage as (
    select * from {{ ref('stg_console_usage_reports') }}
),

-- The older report of cost names no key, and that of messages no amount: neither says that the other side had nothing.
loaded as (
    select
        activity_date,
        organization_id,
        generation,
        max(case when endpoint = 'workspace_costs' then 0 end) as absent_usd,
        max(case when endpoint = 'workspace_usage' then 0 end) as absent_count,
        min(case when is_settled then 1 else 0 end) = 1 as is_settled
    from days
    group by activity_date, organization_id, generation
),

stacked as (
    select
        {{ keys | join(', ') }},
        'unified' as generation,
        cost_type,
        spend_usd,
        list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as token_count
    from costs
    union all
    select
        {{ keys | join(', ') }},
        'unified' as generation,
        'tokens' as cost_type,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        request_count,
        token_count
    from usage_rows
    union all
    select
        activity_date,
        organization_id,
        workspace_id,
        cast(null as {{ dbt.type_string() }}) as api_key_id,
        'unattributed' as actor_type,
        cast(null as {{ dbt.type_string() }}) as actor_id,
        service_tier,
        cast(null as {{ dbt.type_string() }}) as agent_id,
        'reports' as generation,
        cost_type,
        spend_usd,
        spend_usd as list_price_usd,
        cast(null as bigint) as request_count,
        cast(null as bigint) as token_count
    from console_costs
    union all
    select
        activity_date,
        organization_id,
        workspace_id,
        api_key_id,
        actor_type,
        actor_id,
        service_tier,
        cast(null as {{ dbt.type_string() }}) as agent_id,
        'reports' as generation,
        'tokens' as cost_type,
        cast(null as decimal(38, 8)) as spend_usd,
        cast(null as decimal(38, 8)) as list_price_usd,
        cast(null as bigint) as request_count,
        uncached_input_tokens + cache_read_input_tokens + cache_creation_input_tokens + output_tokens as token_count
    from console_usage
),

summed as (
    select
        {{ keys | join(', ') }},
        generation,
        cost_type,
        sum(spend_usd) as spend_usd,
        sum(list_price_usd) as list_price_usd,
        sum(request_count) as request_count,
        sum(token_count) as token_count
    from stacked
    group by {{ keys | join(', ') }}, generation, cost_type
),

with_user as (
    select
        summed.*,
        case when summed.actor_type = 'user' then coalesce(console_people.person_id, summed.actor_id) end as user_id
    from summed
    left join console_people
        on
            summed.organization_id = console_people.organization_id
            and summed.actor_id = console_people.account_id
),

-- Where the other side of a row is loaded and has nothing, that is 0; where it is not loaded, it is unknown. Requests
-- and tokens stand on the tokens row alone.
with_people as (
    select
        with_user.activity_date,
        with_user.organization_id,
        with_user.workspace_id,
        workspaces.workspace_name,
        with_user.api_key_id,
        owners.api_key_name,
        owners.owner_user_id,
        owners.owner_email,
        with_user.actor_type,
        with_user.actor_id,
        with_user.user_id,
        people.email,
        case
            when with_user.actor_type = 'user' or owners.owner_user_id is not null
                then coalesce(department_periods.department, 'Unmapped')
        end as department,
        department_periods.cost_center,
        with_user.service_tier,
        with_user.agent_id,
        with_user.cost_type,
        cast(coalesce(with_user.spend_usd, loaded.absent_usd) as decimal(38, 8)) as spend_usd,
        cast(coalesce(with_user.list_price_usd, loaded.absent_usd) as decimal(38, 8)) as list_price_usd,
        cast(
            case when with_user.cost_type = 'tokens' then coalesce(with_user.request_count, loaded.absent_count) end
            as bigint
        ) as request_count,
        cast(
            case when with_user.cost_type = 'tokens' then coalesce(with_user.token_count, loaded.absent_count) end
            as bigint
        ) as token_count,
        loaded.is_settled
    from with_user
    inner join loaded
        on
            with_user.activity_date = loaded.activity_date
            and with_user.organization_id is not distinct from loaded.organization_id
            and with_user.generation = loaded.generation
    left join workspaces
        on
            with_user.organization_id = workspaces.organization_id
            and with_user.workspace_id = workspaces.workspace_id
            and workspaces.names_since = 1
    left join owners
        on with_user.organization_id = owners.organization_id and with_user.api_key_id = owners.api_key_id
    left join people on with_user.user_id = people.user_id
    left join department_periods
        on
            coalesce(with_user.user_id, owners.owner_user_id)
            = department_periods.user_id
            and with_user.activity_date >= department_periods.valid_from_date
            and with_user.activity_date < department_periods.valid_until_date
)

select * from with_people
