-- One row per UTC day, organisation of the Console, and person or API key that worked with Claude Code there. A person
-- is who has the address at Claude Enterprise, if anybody has.
with

reports as (
    select * from {{ ref('stg_claude_code_reports') }}
),

holders_in_order as (
    select
        user_id,
        email_key,
        row_number() over (
            partition by email_key order by last_seen_date desc, first_seen_date desc, user_id asc
        ) as holders_since
    from {{ ref('int_address_periods') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

keyed as (
    select
        reports.*,
        {{ email_key('reports.email') }} as email_key
    from reports
),

used_models as (
    select
        activity_date,
        organization_id,
        actor_type,
        email_key,
        api_key_name,
        {{ json_elements('models', 'models') }} as used_model
    from keyed
),

tokens_by_model as (
    select
        activity_date,
        organization_id,
        actor_type,
        email_key,
        api_key_name,
        cast({{ json_text('used_model', 'estimated_cost') }} as {{ dbt.type_string() }}) as estimated_cost,
        cast({{ json_text('used_model', 'tokens') }} as {{ dbt.type_string() }}) as tokens
    from used_models
),

tokens as (
    select
        activity_date,
        organization_id,
        actor_type,
        email_key,
        api_key_name,
        sum(cast({{ json_text('tokens', 'input') }} as bigint)) as uncached_input_tokens,
        sum(cast({{ json_text('tokens', 'cache_read') }} as bigint)) as cache_read_input_tokens,
        sum(cast({{ json_text('tokens', 'cache_creation') }} as bigint)) as cache_creation_input_tokens,
        sum(cast({{ json_text('tokens', 'output') }} as bigint)) as output_tokens,
        sum(cast({{ json_text('estimated_cost', 'amount') }} as decimal(38, 12))) as estimated_cents
    from tokens_by_model
    group by activity_date, organization_id, actor_type, email_key, api_key_name
),

summed as (
    select
        activity_date,
        organization_id,
        actor_type,
        email_key,
        max(email) as email,
        api_key_name,
        sum(session_count) as session_count,
        sum(case when is_remote then session_count else 0 end) as remote_session_count,
        sum(lines_added_count) as lines_added_count,
        sum(lines_removed_count) as lines_removed_count,
        sum(commit_count) as commit_count,
        sum(pull_request_count) as pull_request_count,
        sum(tool_accepted_count) as tool_accepted_count,
        sum(tool_rejected_count) as tool_rejected_count
    from keyed
    group by activity_date, organization_id, actor_type, email_key, api_key_name
),

with_people as (
    select
        summed.activity_date,
        summed.organization_id,
        summed.actor_type,
        holders_in_order.user_id,
        summed.email,
        summed.api_key_name,
        case when summed.actor_type = 'user' then coalesce(department_periods.department, 'Unmapped') end
            as department,
        department_periods.cost_center,
        cast(summed.session_count as bigint) as session_count,
        cast(summed.remote_session_count as bigint) as remote_session_count,
        cast(summed.lines_added_count as bigint) as lines_added_count,
        cast(summed.lines_removed_count as bigint) as lines_removed_count,
        cast(summed.commit_count as bigint) as commit_count,
        cast(summed.pull_request_count as bigint) as pull_request_count,
        cast(summed.tool_accepted_count as bigint) as tool_accepted_count,
        cast(summed.tool_rejected_count as bigint) as tool_rejected_count,
        cast(tokens.uncached_input_tokens as bigint) as uncached_input_tokens,
        cast(tokens.cache_read_input_tokens as bigint) as cache_read_input_tokens,
        cast(tokens.cache_creation_input_tokens as bigint) as cache_creation_input_tokens,
        cast(tokens.output_tokens as bigint) as output_tokens,
        {{ cents_to_usd('tokens.estimated_cents') }} as estimated_cost_usd
    from summed
    left join tokens
        on
            summed.activity_date = tokens.activity_date
            and summed.actor_type = tokens.actor_type
            and summed.organization_id is not distinct from tokens.organization_id
            and summed.email_key is not distinct from tokens.email_key
            and summed.api_key_name is not distinct from tokens.api_key_name
    left join holders_in_order
        on summed.email_key = holders_in_order.email_key and holders_in_order.holders_since = 1
    left join department_periods
        on
            holders_in_order.user_id = department_periods.user_id
            and summed.activity_date >= department_periods.valid_from_date
            and summed.activity_date < department_periods.valid_until_date
)

select * from with_people
