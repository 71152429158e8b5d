-- One row per rule by which a token becomes a service account and period in which it was the same.
select
    id as rule_id,
    name as rule_name,
    issuer_id,
    target__service_account_id as service_account_id,
    oauth_scope,
    match__subject_prefix as subject_prefix,
    match__condition as condition,
    match__claims as claims,
    token_lifetime_seconds,
    workspace_ids,
    applies_to_all_workspaces,
    created_by_actor_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('archived_at') }} as archived_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('federation_rules') }}
