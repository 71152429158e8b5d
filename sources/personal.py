"""What of each raw column tells of a person: declared here, for every text that is stored.

A column is found by its own name, by `table.column` where it means something else in one table, or
by its last part (`actor__email_address`). A text that stands nowhere here fails a test: whoever
declares a field says whether it tells of a person. Numbers, flags, dates and moments do not.
"""

from enum import Enum


class Kind(Enum):
    """What a text is, and so what becomes of it where people are not to be named."""

    EMAIL = "an e-mail address"
    PERSON = "the id of a person"
    ACTOR = "the id of a person or of a machine; a machine's stays"
    NAME = "the name of a person"
    NETWORK = "an IP address, of which the network stays"
    DEVICE = "what a device says of itself"
    WORDS = "free text about a person, of which nothing stays"
    EVENT = "JSON of an event of the activity feed"
    FIELDS = "JSON of fields that nobody declared, of which the names stay"
    ROW = "JSON or text of a row that could not be read, of which a mark stays"
    REASON = "a message, without what it quotes"
    THING = "about no person; addresses and ids of people that stand in it are replaced"


_OF_PEOPLE = {
    Kind.EMAIL: """
        email email_address unauthenticated_email_address manager_email assistant_owner_email
        project_owner_email workflow_owner_email
    """,
    Kind.PERSON: """
        user_id claude_tag_user_id user_profile_id assistant_owner_id project_owner_id
        workflow_owner_id console_usage_reports.account_id users.user__id members.id
        chat_projects.created_by__id subject
        signed_principal kid_hash external_client_id other_assistants.account_id
    """,
    Kind.ACTOR: """
        actor_id created_by_actor_id updated_by_actor_id archived_by_actor_id
        api_keys.created_by__id
    """,
    Kind.NAME: """
        reviewer owner members.name langdock_users.name actor__name group__actor__name
        resolved_by__name
    """,
    Kind.NETWORK: "ip_address",
    Kind.DEVICE: "user_agent",
    Kind.WORDS: "exempt_seats.reason assistant_description",
    Kind.EVENT: "activities.attributes",
    Kind.FIELDS: "undeclared_fields",
    Kind.ROW: "row_json",
    Kind.REASON: "reason message skipped_reasons sentence",
    # The names of such fields alone.
    Kind.THING: """
        loaded_days.undeclared_fields langdock_exports.undeclared_fields content_scan__reason
    """,
}
OF_PEOPLE = {name: kind for kind, names in _OF_PEOPLE.items() for name in names.split()}
"""Column -> what it tells of a person."""

_THINGS = """
    account_id action action_to_messages activities.id actor_type admin_api_key_id agent_id
    allocation_method allowed_inference_geos api_key_id api_key_name api_keys.id api_keys.name
    approval approved_connectors.name approved_plugins.name approved_skills.name artifact_type
    assistant_id assistant_name assistant_url assistants_to_messages audience ca_cert_pem
    charge_category claim claims claude_tag_category closing_id columns_present command
    company_name compartment_id condition configured_spend_limits.id connector_display_name
    connector_id connector_name context_window cost_center cost_pool cost_type currency
    default_inference_geo department deployment deployment_id description directory_id
    discovery_base display_color display_name endpoint entity entity_type environment_id export_id
    external_key_id federation_issuers.id federation_issuers.name federation_rules.id
    federation_rules.name file_hash first_id group_by header_id identity idp_connection_type
    inference_geo invalid_json_fields invites.id invoice_detail_id invoice_id issuer issuer_id
    issuer_name issuer_url key_fingerprint keys kind known_by holidays.name langdock_models.name
    name_keys.name used_settings.name
    vendor last_id
    license_type match__audience match__claims model model_to_messages_total name_key note
    oauth_scope org_id organization_id organization_name organization_role organization_uuid
    organizations.id organizations.name origin outcome period plugin_id plugin_name policy product
    project_id project_name project_number projects_to_messages provider rbac_group rbac_group_id
    rbac_group_ids rbac_group_name rbac_groups.id rbac_groups.name rbac_role_id rbac_roles.id
    record_type rejected_hash replaced_id request_ids role role_ids roster_table row_hash
    rows_hash rule run_id salt scope scoped_api_key_id seat_tier service service_account_id
    service_account_name service_accounts.id service_accounts.name service_tier session_id setting
    setting_name setting_value share_status skill_display_name skill_name slack_channel_id slot
    source source_name source_type speed spend_limit_id spend_limit_increase_requests.id
    stands_for state status subject_prefix subscription_id tags token_type tool_name totals_hash
    type url version what workflow_id workflow_name workos_event_id workspace_geo workspace_id
    workspace_ids workspace_role workspaces.id workspaces.name
    plugin_marketplaces.id plugin_marketplaces.name organization_plugins.id
    organization_plugins.name plugin_versions.id telemetry_destinations.id
    organization_webhooks.id organization_webhooks.name assessment components content_mode
    default_installation_preference disabled_reason enabled_events endpoint_url header_names
    installation_preference latest_version_id manifest_version marketplace_id
    organization_installation_preference rbac_group_order rbac_group_order_version reach
    release_notes served_version_id settings sync_status
    customer_type model_breakdown reported_organization_id subscription_type terminal_type
"""
THINGS = frozenset(_THINGS.split())
"""Columns that tell of no person, by their last part; an `id` or `name` by its table."""


_ROWS_OF_PEOPLE = """
    users user_cost_reports user_usage_reports members invites rbac_group_members spend_limits
    spend_limit_increase_requests workspace_members activities langdock_users org_chart exempt_seats
    access_reviews other_assistants claude_code_reports
"""
ROWS_OF_PEOPLE = frozenset(_ROWS_OF_PEOPLE.split())
"""Raw tables in which each row is one of a person: not even asked for where there are no people."""
SUMMED = frozenset(
    {"costs", "usage", "workspace_costs", "workspace_usage", "console_usage_reports"}
)
"""Those in which rows that only a person told apart are one, with their sums."""


def kind_of(table: str, column: str) -> Kind:
    """What the text of a raw column is.

    Raises:
        KeyError: Nobody has said it.
    """
    last = column.rpartition("__")[2]
    for name in (f"{table}.{column}", column, last):
        if name in OF_PEOPLE:
            return OF_PEOPLE[name]
    if last in THINGS or column in THINGS or f"{table}.{column}" in THINGS:
        return Kind.THING
    raise KeyError(f"{table}.{column}")


def kind_of_stored(table: str, column: str) -> Kind:
    """The same of a column that may be dlt's own, or an earlier release's, of which nobody knows
    any more what it tells."""
    if column.startswith("_dlt_"):
        return Kind.THING
    try:
        return kind_of(table, column)
    except KeyError:
        return Kind.WORDS


EMAIL_KEYS = frozenset({"email", "emails", "email_address", "email_addresses"})
PERSON_KEYS = frozenset(
    {
        "user_id", "user_ids", "member_id", "member_ids", "principal_id", "target_id", "owner_id",
        "owner_ids", "account_id", "account_uuid", "user_uuid", "creator_id", "created_by",
        "updated_by", "deleted_by", "invited_by", "approved_by", "requested_by", "assignee_id",
        "subject", "actor_id",
    }
)  # fmt: skip
"""Keys of events that hold the id of a person, or of whatever else; also behind another word and a
`_` (`deleted_user_id`)."""
SHOWN_KEYS = frozenset(
    {
        "action", "actor", "api_key_name", "auth_method", "capability", "cidr", "cidrs", "country",
        "country_code", "current_value", "decision", "domain", "domain_name", "domains",
        "export_destination", "integration_type", "max_permission", "mcp_server_name", "method",
        "mfa_method", "mode", "new_mode", "new_value", "permission", "permissions", "previous_mode",
        "previous_value", "provider", "reason", "request_method", "resource", "resource_type",
        "role", "role_name", "scope", "scopes", "seat_tier", "setting", "state", "status",
        "tool_name", "type", "update", "updates", "value", "visibility",
    }
)  # fmt: skip
SHOWN_ENDS = ("_id", "_ids", "_type", "_at", "_role", "_roles", "_tier", "_uuid", "_mode", "_count")
"""Keys of events whose texts are shown (addresses and ids of people in them replaced). The text of
any other key, such as a file's name, is withheld where people are not to be named."""
