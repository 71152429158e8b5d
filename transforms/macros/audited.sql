{#-
    What skill_audit, connector_audit and plugin_audit share. `kind` is skill, connector or plugin: the name's column
    is <kind>_name, the endpoint <kind>s. `days` is a CTE with one row per day and name.
-#}

{#- CTEs that end in `audited`: one row per name with its uses, what was decided about it, and what is known of it. -#}
{% macro audited(kind, days, counts) -%}
coverage as (
    select * from {{ ref('int_usage_coverage') }}
    where endpoint = '{{ kind }}s'
),

approvals as (
    select * from {{ ref('int_name_approvals') }}
    where kind = '{{ kind }}'
),

-- A day of which the users are unknown makes their sum unknown.
by_name as (
    select
        {{ kind }}_name,
        min(activity_date) as first_seen_date,
        max(activity_date) as last_seen_date,
        count(*) as used_days,
        case when count(*) = count(distinct_user_count) then cast(sum(distinct_user_count) as bigint) end
            as distinct_user_days,
        {%- for count in counts %}
        cast(sum({{ count }}) as {{ 'decimal(38, 8)' if count.endswith('_usd') else 'bigint' }}) as {{ count }},
        {%- endfor %}
        max(distinct_user_count) as max_daily_users
    from {{ days }}
    group by {{ kind }}_name
),

audited as (
    select
        by_name.*,
        coalesce(approvals.approval, 'unreviewed') as approval,
        approvals.owner as approval_owner,
        approvals.reviewed_date,
        coverage.history_start_date,
        coverage.as_of_date,
        coverage.covered_days,
        coverage.missing_days,
        {{ days_from('by_name.first_seen_date', 'coverage.as_of_date') }} as days_since_first_seen,
        {{ days_from('by_name.last_seen_date', 'coverage.as_of_date') }} as days_since_last_seen,
        {{ days_from('approvals.reviewed_date', 'coverage.as_of_date') }} as days_since_review
    from by_name
    cross join coverage
    left join approvals on by_name.{{ kind }}_name = approvals.name
)
{%- endmacro %}

{#- Why somebody should look at a name: what holds for every kind, and between it what holds for this one. -#}
{% macro audit_reasons(own) -%}
{{ reasons([
    ("audited.approval = 'banned' and audited.days_since_last_seen < 30", "'banned and used in the last 30 days'"),
    ("audited.approval = 'unreviewed'", "'unreviewed'")
] + own + [
    (
        "audited.first_seen_date > audited.history_start_date and audited.days_since_first_seen < 30",
        "'new in the last 30 days'"
    ),
    ("audited.approval = 'approved' and audited.days_since_review >= 365", "'reviewed a year ago or longer'")
]) }}
{%- endmacro %}
