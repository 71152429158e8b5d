"""Where the raw tables name people."""

OF_CLAUDE = {
    "users": ("user__id", "user__email_address", None),
    "chat_projects": ("created_by__id", "created_by__email_address", None),
    "costs": ("group__actor__user_id", "group__actor__email_address", "group__actor__name"),
    "usage": ("group__actor__user_id", "group__actor__email_address", "group__actor__name"),
    "user_cost_reports": ("actor__user_id", "actor__email_address", "actor__name"),
    "user_usage_reports": ("actor__user_id", "actor__email_address", "actor__name"),
    "members": ("id", "email", "name"),
    "rbac_group_members": ("user_id", "email", None),
    "spend_limits": ("actor__user_id", "actor__email_address", "actor__name"),
    "activities": ("actor__user_id", "actor__email_address", None),
    "known_addresses": ("user_id", "email", None),
}
"""Raw table -> its columns of a person's id, address and name, as Claude's APIs have them."""
OF_OTHERS = {
    "langdock_users": ("user_id", "email", "name"),
    "langdock_agents": ("assistant_owner_id", "assistant_owner_email", None),
    "langdock_projects": ("project_owner_id", "project_owner_email", None),
    "langdock_workflows": ("workflow_owner_id", "workflow_owner_email", None),
    "other_assistants": ("account_id", "email", None),
}
"""The same of other vendors, whose ids are their own."""
DAILY = ("users", "chat_projects", "costs", "usage", "user_cost_reports", "user_usage_reports")
"""Those of Claude's raw tables that have days."""
