-- One row per plugin of the organisation or of a member's own marketplace, as the newest list has it.
with

plugins as (
    select * from {{ ref('stg_organization_plugins') }}
    where valid_until_at is null
),

marketplaces as (
    select * from {{ ref('stg_plugin_marketplaces') }}
    where valid_until_at is null
),

versions as (
    select
        plugin_id,
        count(*) as version_count
    from {{ ref('stg_plugin_versions') }}
    where valid_until_at is null
    group by plugin_id
),

group_settings as (
    select
        plugin_id,
        count(*) as group_setting_count
    from {{ ref('stg_plugin_installation_settings') }}
    where valid_until_at is null and rbac_group_id is not null
    group by plugin_id
),

shares as (
    select
        plugin_id,
        count(*) as share_count,
        max(case when target_type = 'organization' then 1 else 0 end) = 1 as is_shared_with_everybody
    from {{ ref('stg_plugin_shares') }}
    where valid_until_at is null
    group by plugin_id
),

approvals as (
    select * from {{ ref('int_name_approvals') }}
    where kind = 'plugin'
),

usage_by_name as (
    select
        plugin_name,
        max(activity_date) as last_used_date
    from {{ ref('plugin_usage_daily') }}
    group by plugin_name
),

joined as (
    select
        plugins.plugin_id as organization_plugin_id,
        plugins.plugin_name as organization_plugin_name,
        plugins.display_name,
        marketplaces.marketplace_name,
        marketplaces.source as marketplace_source,
        plugins.owner_type,
        plugins.owner_user_id,
        plugins.manifest_version as served_version,
        plugins.installation_preference,
        plugins.reach,
        plugins.scan_assessment,
        plugins.scan_reason,
        coalesce(approvals.approval, 'unreviewed') as approval,
        approvals.owner as approval_owner,
        approvals.reviewed_date,
        usage_by_name.last_used_date,
        versions.version_count,
        case when plugins.owner_type = 'organization' then coalesce(group_settings.group_setting_count, 0) end
            as group_setting_count,
        case when plugins.owner_type = 'user' then coalesce(shares.share_count, 0) end as share_count,
        coalesce(shares.is_shared_with_everybody, false) as is_shared_with_everybody,
        plugins.latest_version_id = plugins.served_version_id as is_newest_version_served,
        plugins.created_at,
        plugins.updated_at
    from plugins
    left join marketplaces on plugins.marketplace_id = marketplaces.marketplace_id
    left join versions on plugins.plugin_id = versions.plugin_id
    left join group_settings on plugins.plugin_id = group_settings.plugin_id
    left join shares on plugins.plugin_id = shares.plugin_id
    left join approvals on plugins.plugin_name = approvals.name
    left join usage_by_name on plugins.plugin_name = usage_by_name.plugin_name
),

with_reach as (
    select
        joined.*,
        (
            installation_preference in ('required', 'auto_install', 'available')
            or group_setting_count > 0
            or share_count > 0
        ) as is_offered
    from joined
),

with_reasons as (
    select
        organization_plugin_id,
        organization_plugin_name,
        display_name,
        marketplace_name,
        marketplace_source,
        owner_type,
        owner_user_id,
        served_version,
        installation_preference,
        reach,
        scan_assessment,
        scan_reason,
        approval,
        approval_owner,
        reviewed_date,
        {{ reasons([
            ("approval = 'banned' and is_offered", "'banned and offered'"),
            ("approval = 'unreviewed' and is_offered", "'unreviewed and offered'"),
            ("is_shared_with_everybody", "'a member shares it with everybody'"),
            ("reach = 'remote'", "'reaches other systems'"),
            ("reach = 'privileged'", "'runs hooks or approves tools by itself'"),
            ("scan_assessment in ('fail', 'warn')", "'content scan: ' || scan_assessment"),
            ("not is_newest_version_served", "'the newest version is not served'")
        ]) }} as risk_reasons,
        last_used_date,
        cast(version_count as bigint) as version_count,
        cast(group_setting_count as bigint) as group_setting_count,
        cast(share_count as bigint) as share_count,
        is_shared_with_everybody,
        is_newest_version_served,
        created_at,
        updated_at
    from with_reach
)

select * from with_reasons
