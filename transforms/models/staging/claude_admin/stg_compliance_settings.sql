-- One row per period in which the Compliance API was on or off.
select
    state__type as compliance_api_state,
    access_transparency__type as access_transparency_state,
    valid_from_at,
    valid_until_at
from {{ roster_rows('compliance_settings') }}
