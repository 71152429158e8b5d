-- One row per thing that an organisation configures, as the Admin API lists it, and period in which it was so.
{% set things = {
    'compliance_settings': {
        'type': 'compliance_api', 'id': "'organization'", 'name': none,
        'values': ['compliance_api_state', 'access_transparency_state'],
    },
    'claude_code_settings': {
        'type': 'claude_code_settings_mode', 'id': "'organization'", 'name': none,
        'values': ['settings_mode'],
    },
    'claude_code_default_settings': {
        'type': 'claude_code_default_settings', 'id': "'organization'", 'name': none,
        'value': 'settings',
    },
    'claude_code_group_settings': {
        'type': 'claude_code_group_settings', 'id': 'rbac_group_id', 'name': none,
        'value': 'settings',
    },
    'plugin_marketplaces': {
        'type': 'plugin_marketplace', 'id': 'marketplace_id', 'name': 'marketplace_name',
        'values': ['source', 'owner_type', 'default_installation_preference'],
    },
    'organization_plugins': {
        'type': 'plugin', 'id': 'plugin_id', 'name': 'plugin_name',
        'values': ['owner_type', 'installation_preference', 'served_version_id', 'manifest_version', 'reach'],
    },
    'plugin_installation_settings': {
        'type': 'plugin_installation_setting',
        'id': "plugin_id || ' ' || coalesce(rbac_group_id, target_type)", 'name': none,
        'values': ['installation_preference'],
    },
    'plugin_shares': {
        'type': 'plugin_share',
        'id': "plugin_id || ' ' || coalesce(rbac_group_id, target_user_id, target_type)", 'name': none,
        'values': ['target_type'],
    },
    'telemetry_destinations': {
        'type': 'telemetry_destination', 'id': 'destination_id', 'name': 'display_name',
        'values': ['endpoint_url', 'state', 'content_mode', 'covered_workspaces'],
    },
    'organization_webhooks': {
        'type': 'webhook', 'id': 'webhook_id', 'name': 'webhook_name',
        'values': ['url', 'state', 'disabled_reason'],
    },
} -%}
with

first_snapshots as (
    select
        roster_table,
        min(since_at) as first_at
    from {{ ref('counting_snapshots') }}
    group by roster_table
),

things as (
    {% for table, thing in things.items() -%}
        select
            '{{ table }}' as roster_table,
            '{{ thing.type }}' as configuration_type,
            {{ thing.id }} as configuration_id,
            {{ thing.name or 'cast(null as ' ~ dbt.type_string() ~ ')' }} as configuration_name,
            {{ thing.value or json_of_texts(thing['values']) }} as configuration_value,
            valid_from_at,
            valid_until_at
        from {{ ref('stg_' ~ table) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

-- What the first list has was so before, nobody knows since when.
periods as (
    select
        things.configuration_type,
        things.configuration_id,
        things.configuration_name,
        things.configuration_value,
        things.valid_until_at is null as is_current,
        case when things.valid_from_at > first_snapshots.first_at then things.valid_from_at end as valid_from_at,
        things.valid_until_at
    from things
    inner join first_snapshots on things.roster_table = first_snapshots.roster_table
)

select * from periods
