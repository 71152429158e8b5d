-- One row per actor, limit period and period in which the limit was the same. A null amount is no limit.
select
    actor__type as actor_type,
    actor__user_id as user_id,
    actor__scoped_api_key_id as scoped_api_key_id,
    actor__email_address as email,
    actor__name as name,
    source__type as source_type,
    source__seat_tier as seat_tier,
    source__rbac_group_id as rbac_group_id,
    period,
    {{ cents_to_usd('amount') }} as limit_usd,
    currency,
    actor__deleted as is_deleted,
    valid_from_at,
    valid_until_at
from {{ roster_rows('spend_limits') }}
