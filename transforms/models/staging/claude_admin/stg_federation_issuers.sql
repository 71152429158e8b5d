-- One row per identity provider whose tokens are taken and period in which it was the same.
select
    id as issuer_id,
    name as issuer_name,
    issuer_url,
    max_jwt_lifetime_seconds,
    check_jti as is_replay_refused,
    created_by_actor_id,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('archived_at') }} as archived_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('federation_issuers') }}
