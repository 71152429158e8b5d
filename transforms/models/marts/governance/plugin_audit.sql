-- One row per plugin name ever used or installed in our data.
with

usage_days as (
    select * from {{ ref('plugin_usage_daily') }}
    where plugin_name is not null
),

ids as (
    select distinct
        plugin_name,
        plugin_id
    from usage_days
    where plugin_id is not null
),

ids_by_name as (
    select
        plugin_name,
        count(*) as plugin_id_count,
        {{ dbt.listagg('plugin_id', "', '", 'order by plugin_id') }} as plugin_ids
    from ids
    group by plugin_name
),

-- A day with several plugins of the name is one of which the users are unknown.
days_by_name as (
    select
        activity_date,
        plugin_name,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        sum(invocation_count) as invocation_count
    from usage_days
    group by activity_date, plugin_name
),

{{ audited('plugin', 'days_by_name', ['invocation_count']) }},

with_reasons as (
    select
        audited.plugin_name,
        audited.first_seen_date,
        audited.last_seen_date,
        ids_by_name.plugin_ids,
        audited.approval,
        audited.approval_owner,
        audited.reviewed_date,
        {{ audit_reasons([
            ("ids_by_name.plugin_id_count is null", "'origin unknown'"),
            ("ids_by_name.plugin_id_count > 1", "'several plugins of one name'")
        ]) }} as risk_reasons,
        audited.used_days,
        audited.distinct_user_days,
        audited.max_daily_users,
        audited.invocation_count,
        cast(null as bigint) as write_call_count,
        audited.history_start_date,
        audited.as_of_date,
        audited.covered_days,
        audited.missing_days
    from audited
    left join ids_by_name on audited.plugin_name = ids_by_name.plugin_name
)

select * from with_reasons
