-- One row per UTC day, plugin name and plugin id used or installed on it. Unified Cowork is counted in.
with

plugins as (
    select * from {{ ref('stg_plugins') }}
),

-- Unified mode is absent where it is not offered; an absent part adds nothing.
by_product as (
    select
        plugins.*,
        cowork_session_count + coalesce(unified_cowork_session_count, 0) as all_cowork_session_count
    from plugins
),

by_plugin as (
    select
        activity_date,
        plugin_name,
        plugin_id,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        {{ unless_repeated('distinct_installing_user_count') }} as distinct_installing_user_count,
        cast({{ sum_of_known('invocation_count') }} as bigint) as invocation_count,
        {{ unless_repeated('claude_code_session_count') }} as claude_code_session_count,
        {{ unless_repeated('all_cowork_session_count') }} as cowork_session_count
    from by_product
    group by activity_date, plugin_name, plugin_id
)

select * from by_plugin
