-- One row per kind (connector, skill, plugin) and name in use or offered that the approval lists decide on.
-- The exact name wins, then its label or id, then the pattern with most letters; of equal ones, the strictest. What was
-- renamed keeps the decision on its former label or name until the lists have the new one.
with

connectors as (
    select
        'connector' as kind,
        connector_name as name,
        connector_display_name as label,
        max(activity_date) as last_seen_date
    from {{ ref('connector_usage_daily') }}
    group by connector_name, connector_display_name
),

skills as (
    select
        'skill' as kind,
        skill_name as name,
        skill_display_name as label,
        max(activity_date) as last_seen_date
    from {{ ref('skill_usage_daily') }}
    group by skill_name, skill_display_name
),

plugins as (
    select
        plugin_name,
        plugin_id,
        max(activity_date) as last_seen_date
    from {{ ref('plugin_usage_daily') }}
    group by plugin_name, plugin_id
),

offered_plugins as (
    select distinct
        plugin_name,
        plugin_id
    from {{ ref('stg_organization_plugins') }}
),

labels as (
    select * from connectors
    union all
    select * from skills
),

labels_in_order as (
    select
        kind,
        name,
        label,
        row_number() over (partition by kind, name, label is null order by last_seen_date desc, label asc) - 1
            as labels_since
    from labels
),

-- The ids of a plugin do not change, and several can have one name; names that share an id are of one plugin.
names as (
    select * from labels_in_order
    union all
    select
        'plugin' as kind,
        plugin_name as name,
        plugin_id as label,
        0 as labels_since
    from plugins
    union all
    select
        'plugin' as kind,
        plugin_name as name,
        plugin_id as label,
        0 as labels_since
    from offered_plugins
    union all
    select
        'plugin' as kind,
        plugins.plugin_name as name,
        others.plugin_name as label,
        row_number() over (
            partition by plugins.plugin_name order by others.last_seen_date desc, others.plugin_name asc
        ) as labels_since
    from plugins
    inner join plugins as others
        on plugins.plugin_id = others.plugin_id and plugins.plugin_name <> others.plugin_name
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
        case
            when {{ matches_pattern('names.name', 'decisions.pattern') }} then 0
            else names.labels_since
        end as labels_since,
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
            order by labels_since asc, distance asc, letters desc, leniency asc, pattern asc
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
