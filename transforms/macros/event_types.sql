{#- What each event type of the activity feed is about. The one place to name a new type. -#}

{#- Category -> the types of the August 2026 edition that belong to it. -#}
{% macro event_categories() %}
{{ return({
    'login': [
        'sso_login_initiated', 'sso_login_succeeded', 'sso_login_failed', 'sso_second_factor_magic_link',
        'magic_link_login_initiated', 'magic_link_login_succeeded', 'magic_link_login_failed', 'social_login_succeeded',
        'anonymous_mobile_login_attempted', 'platform_federated_authentication', 'user_logged_out', 'session_revoked',
        'org_user_trusted_devices_revoked', 'step_up_authentication_succeeded', 'step_up_authentication_failed',
        'step_up_credential_enrolled', 'trusted_device_enrolled', 'trusted_device_revoked', 'abuse_decision_received',
    ],
    'api_key': [
        'api_key_created', 'scoped_api_key_updated', 'scoped_api_key_deleted', 'platform_api_key_created',
        'platform_api_key_updated', 'admin_api_key_created', 'admin_api_key_updated', 'admin_api_key_deleted',
        'service_key_created', 'service_key_revoked', 'platform_signing_key_created', 'platform_signing_key_rotated',
        'platform_signing_key_deleted', 'compliance_api_accessed',
    ],
    'membership': [
        'org_user_invite_sent', 'org_user_invite_re_sent', 'org_user_invite_accepted', 'org_user_invite_rejected',
        'org_user_invite_deleted', 'org_invite_link_generated', 'org_invite_link_regenerated', 'org_invite_link_disabled',
        'org_join_request_created', 'org_join_request_approved', 'org_join_request_instant_approved', 'org_user_deleted',
        'org_user_left', 'account_deleted', 'scim_user_created', 'scim_user_updated', 'scim_user_deleted',
        'group_created', 'group_updated', 'group_deleted', 'group_member_added', 'group_member_removed',
        'group_member_addition_failed', 'group_member_removal_failed', 'platform_workspace_member_added',
        'platform_workspace_member_updated', 'platform_workspace_member_removed', 'design_project_member_added',
        'design_project_member_role_updated', 'design_project_member_removed',
    ],
    'role': [
        'claude_user_role_updated', 'primary_owner_transferred', 'rbac_role_created', 'rbac_role_updated',
        'rbac_role_deleted', 'rbac_role_assigned', 'rbac_role_unassigned', 'rbac_role_permission_added',
        'rbac_role_permission_removed', 'role_assignment_granted', 'role_assignment_revoked',
        'org_capability_grant_added', 'org_capability_grant_removed', 'org_sso_group_role_mappings_updated',
        'org_sso_seat_tier_mappings_updated', 'org_sso_provisioning_mode_changed', 'claude_user_seat_tier_updated',
        'seat_tiers_purchased',
    ],
    'setting': [
        'claude_organization_settings_updated', 'org_sso_toggled', 'org_sso_connection_activated',
        'org_sso_connection_deactivated', 'org_sso_connection_deleted',
        'org_domain_verified', 'org_domain_removed', 'org_ip_restriction_created', 'org_ip_restriction_updated',
        'org_ip_restriction_deleted', 'org_magic_link_second_factor_toggled', 'org_directory_sync_activated',
        'org_directory_sync_deleted', 'org_data_residency_updated', 'org_external_key_created',
        'org_external_key_updated', 'org_external_key_deleted', 'org_claude_code_zero_data_retention_disabled',
        'org_compliance_api_settings_updated', 'org_analytics_api_capability_updated', 'org_cowork_enabled',
        'org_cowork_disabled', 'org_cowork_agent_enabled', 'org_cowork_agent_disabled',
        'org_work_across_apps_enabled', 'org_work_across_apps_disabled', 'org_claude_code_desktop_enabled',
        'org_claude_code_desktop_disabled', 'inference_hooks_config_updated', 'inference_hooks_config_deleted',
        'extra_usage_spend_limit_created', 'extra_usage_spend_limit_updated', 'extra_usage_spend_limit_deleted',
        'org_deletion_requested', 'org_bulk_delete_initiated',
    ],
    'file': [
        'claude_file_uploaded', 'claude_file_viewed', 'claude_file_deleted', 'claude_file_access_failed',
        'platform_file_uploaded', 'platform_file_content_downloaded', 'platform_file_deleted',
        'claude_project_file_uploaded', 'claude_project_file_deleted', 'claude_project_document_uploaded',
        'claude_project_document_viewed', 'claude_project_document_deleted',
    ],
    'connector': [
        'mcp_server_created', 'mcp_server_updated', 'mcp_server_deleted', 'mcp_tool_policy_updated',
        'mcp_server_managed_auth_updated', 'mcp_directory_server_published', 'integration_user_connected',
        'integration_user_disconnected', 'admin_connector_request_resolved', 'org_connector_domain_guard_updated',
        'claude_gdrive_integration_created', 'claude_gdrive_integration_updated', 'claude_gdrive_integration_deleted',
        'claude_github_integration_created', 'claude_github_integration_updated', 'claude_github_integration_deleted',
        'ghe_configuration_created', 'ghe_user_connected', 'ghe_user_disconnected', 'desktop_extension_allowlisted',
        'desktop_extension_uploaded', 'desktop_extension_deleted', 'claude_plugin_created', 'claude_plugin_enabled',
        'claude_plugin_disabled', 'marketplace_created', 'claude_skill_created', 'claude_skill_enabled',
        'claude_skill_disabled',
    ],
    'sharing': [
        'claude_project_sharing_updated', 'claude_chat_snapshot_created', 'claude_chat_snapshot_viewed',
        'session_share_created', 'session_share_accessed', 'session_share_revoked', 'claude_artifact_published',
        'claude_artifact_sharing_updated',
    ],
    'export': [
        'claude_file_exported', 'org_data_export_started', 'org_data_export_completed', 'org_data_export_accessed',
        'audit_log_export_started', 'audit_log_export_accessed', 'org_members_exported',
    ],
    'other': [
        'inference_hooks_request_denied', 'inference_hooks_request_failed_open', 'claude_project_created',
        'claude_project_deleted', 'claude_project_viewed', 'claude_chat_created', 'claude_chat_viewed',
        'claude_chat_deleted', 'claude_chat_access_failed',
    ],
}) }}
{% endmacro %}

{#- Patterns for types that are not named above, in the order in which they are tried; what none fits is `other`. -#}
{% macro event_category_rules() %}
{{ return([
    ('%login%', 'login'), ('sso%', 'login'), ('session%revoked', 'login'), ('step_up%', 'login'),
    ('trusted_device%', 'login'), ('%api_key%', 'api_key'), ('%service_key%', 'api_key'), ('%signing_key%', 'api_key'),
    ('%export%', 'export'), ('%shar%', 'sharing'), ('%snapshot%', 'sharing'), ('%published%', 'sharing'),
    ('rbac%', 'role'), ('%role%', 'role'), ('%capability%', 'role'), ('%seat_tier%', 'role'),
    ('scim%', 'membership'), ('group%', 'membership'), ('%member%', 'membership'), ('org_user%', 'membership'),
    ('%invite%', 'membership'), ('org_join%', 'membership'), ('mcp%', 'connector'), ('%integration%', 'connector'),
    ('%connector%', 'connector'), ('desktop_extension%', 'connector'), ('marketplace%', 'connector'),
    ('%plugin%', 'connector'), ('%skill%', 'connector'), ('ghe%', 'connector'), ('%file%', 'file'),
    ('%document%', 'file'), ('org%', 'setting'), ('%setting%', 'setting'), ('%config%', 'setting'),
    ('%spend_limit%', 'setting'),
]) }}
{% endmacro %}

{#- What becomes of a privilege -> the types. A role's permissions are only requested: the event also comes when nothing
    changed. -#}
{% macro privilege_change_types() %}
{{ return({
    'granted': [
        'org_user_invite_accepted', 'scim_user_created', 'group_member_added', 'platform_workspace_member_added',
        'design_project_member_added', 'rbac_role_assigned', 'role_assignment_granted', 'org_capability_grant_added',
        'org_join_request_approved', 'org_join_request_instant_approved',
    ],
    'revoked': [
        'org_user_deleted', 'org_user_left', 'account_deleted', 'scim_user_deleted', 'group_member_removed',
        'group_deleted', 'platform_workspace_member_removed', 'design_project_member_removed', 'rbac_role_unassigned',
        'role_assignment_revoked', 'org_capability_grant_removed',
    ],
    'requested': ['rbac_role_permission_added', 'rbac_role_permission_removed'],
    'changed': ['platform_workspace_member_updated', 'design_project_member_role_updated'],
}) }}
{% endmacro %}

{#- Whose privilege it is where the event names nobody else -> the types. `invitee`: who acted accepted what others gave. -#}
{% macro privilege_subject_types() %}
{{ return({
    'invitee': ['org_user_invite_accepted'],
    'actor': ['org_user_left', 'account_deleted'],
    'owner': ['primary_owner_transferred'],
    'group': ['group_member_added', 'group_member_removed', 'group_deleted'],
    'role': [
        'rbac_role_created', 'rbac_role_updated', 'rbac_role_deleted', 'rbac_role_permission_added',
        'rbac_role_permission_removed',
    ],
    'organization': [
        'org_capability_grant_added', 'org_capability_grant_removed', 'org_sso_group_role_mappings_updated',
        'org_sso_seat_tier_mappings_updated', 'org_sso_provisioning_mode_changed', 'seat_tiers_purchased',
    ],
}) }}
{% endmacro %}

{#- Whether somebody left or came -> the types. -#}
{% macro membership_change_types() %}
{{ return({
    'left': ['org_user_deleted', 'org_user_left', 'account_deleted', 'scim_user_deleted'],
    'joined': [
        'scim_user_created', 'org_user_invite_accepted', 'org_join_request_approved', 'org_join_request_instant_approved',
    ],
}) }}
{% endmacro %}

{#- Signing in -> the types that say that it worked. -#}
{% macro sign_in_types() %}
{{ return({
    'succeeded': [
        'sso_login_succeeded', 'magic_link_login_succeeded', 'social_login_succeeded',
    ],
}) }}
{% endmacro %}

{#- What was done with a file -> the types. `viewed`: an app loaded it from the server, which repeats. -#}
{% macro file_action_types() %}
{{ return({
    'uploaded': [
        'claude_file_uploaded', 'platform_file_uploaded', 'claude_project_file_uploaded', 'claude_project_document_uploaded',
    ],
    'viewed': ['claude_file_viewed', 'claude_project_document_viewed'],
    'downloaded': ['platform_file_content_downloaded', 'claude_file_exported'],
    'deleted': [
        'claude_file_deleted', 'platform_file_deleted', 'claude_project_file_deleted', 'claude_project_document_deleted',
    ],
}) }}
{% endmacro %}

{#- Branches of a case that give a type the name under which it is listed. -#}
{% macro when_listed(column, lists) -%}
    {% for name, types in lists.items() %}
        when {{ column }} in ('{{ types | join("', '") }}') then '{{ name }}'
    {%- endfor %}
{%- endmacro %}

{#- The same for patterns. -#}
{% macro when_like(column, rules) -%}
    {% for pattern, name in rules %}
        when {{ column }} like '{{ pattern }}' then '{{ name }}'
    {%- endfor %}
{%- endmacro %}
