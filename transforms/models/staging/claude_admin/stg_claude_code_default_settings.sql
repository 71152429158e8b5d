-- One row per period in which the managed settings of who is in no group were the same; texts are hashed.
select
    settings,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('claude_code_default_settings') }}
