-- One row per kind (connector, skill, plugin) and name in use that the approval lists decide on.
-- The exact name wins, then its label or id, then the pattern with most letters; of equal ones, the strictest.
with

connectors as (
    select distinct
        'connector' as kind,
        connector_name as name,
        connector_display_name as label
    from {{ ref('connector_usage_daily') }}
),

skills as (
    select distinct
        'skill' as kind,
        skill_name as name,
        skill_display_name as label
    from {{ ref('skill_usage_daily') }}
),

plugins as (
    select distinct
        'plugin' as kind,
        plugin_name as name,
        plugin_id as label
    from {{ ref('plugin_usage_daily') }}
),

names as (
    select * from connectors
    union all
    select * from skills
    union all
    select * from plugins
),

decisions as (
    select
        'connector' as kind,
        name as pattern,
        approval,
        owner,
        reviewed_date
    from {{ ref('stg_approved_connectors') }}
    union all
    select
        'skill' as kind,
        name as pattern,
        approval,
        owner,
        reviewed_date
    from {{ ref('stg_approved_skills') }}
    union all
    select
        'plugin' as kind,
        name as pattern,
        approval,
        owner,
        reviewed_date
    from {{ ref('stg_approved_plugins') }}
),

matches as (
    select
        names.kind,
        names.name,
        decisions.pattern,
        decisions.approval,
        decisions.owner,
        decisions.reviewed_date,
        case
            when {{ name_key('names.name') }} = {{ name_key('decisions.pattern') }} then 1
            when {{ name_key('names.label') }} = {{ name_key('decisions.pattern') }} then 2
            else 3
        end as distance,
        length(replace(decisions.pattern, '*', '')) as letters,
        case decisions.approval when 'banned' then 1 when 'unreviewed' then 2 else 3 end as leniency
    from names
    inner join decisions
        on
            names.kind = decisions.kind
            and (
                {{ matches_pattern('names.name', 'decisions.pattern') }}
                or {{ matches_pattern('names.label', 'decisions.pattern') }}
            )
),

matches_in_order as (
    select
        matches.*,
        row_number() over (
            partition by kind, name
            order by distance asc, letters desc, leniency asc, pattern asc
        ) as closer_matches
    from matches
),

approvals as (
    select
        kind,
        name,
        approval,
        owner,
        reviewed_date
    from matches_in_order
    where closer_matches = 1
)

select * from approvals
