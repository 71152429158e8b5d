{#- Settings of which an organisation has several: how their event types begin -> the keys that tell one from another, the
    best first. -#}
{% macro setting_instance_keys() %}
{{ return({
    'org_ip_restriction': ['ip_restriction_id', 'org_ip_restriction_id', 'restriction_id'],
    'org_domain': ['domain', 'domain_name', 'domain_id'],
    'org_external_key': ['external_key_id', 'org_external_key_id', 'key_id'],
    'org_sso_connection': ['connection_id', 'sso_connection_id'],
    'org_directory_sync': ['directory_id', 'directory_sync_id'],
    'inference_hooks_config': ['inference_hooks_config_id', 'config_id', 'hook_id'],
    'extra_usage_spend_limit': [
        'spend_limit_id', 'extra_usage_spend_limit_id', 'user_id', 'principal_id', 'target_id', 'group_id', 'rbac_group_id',
        'workspace_id', 'service_account_id', 'seat_tier',
    ],
}) }}
{% endmacro %}

{#- Which of several such settings an event is about; null where there is but one, or the event does not say. -#}
{% macro setting_instance(type_column, attributes_column) -%}
    case
        {%- for beginning, keys in setting_instance_keys().items() %}
        when {{ type_column }} like '{{ beginning }}%' then coalesce(
            {%- for key in keys %}
            {{ json_text(attributes_column, key) }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        {%- endfor %}
    end
{%- endmacro %}
