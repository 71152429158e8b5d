-- One row per limit that somebody set and period in which it was the same. A null amount is no limit.
select
    id as spend_limit_id,
    scope__type as scope_type,
    coalesce(
        scope__user_id, scope__rbac_group_id, scope__workspace_id, scope__seat_tier, scope__service
    ) as scope_id,
    period,
    {{ cents_to_usd('amount') }} as limit_usd,
    currency,
    is_enabled,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('configured_spend_limits') }}
