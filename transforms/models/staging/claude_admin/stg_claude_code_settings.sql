-- One row per period in which managed settings were given out in one way.
select
    mode__type as settings_mode,
    {{ utc_timestamp('mode_updated_at') }} as mode_updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('claude_code_settings') }}
