-- One row per place that traces are sent to and period in which it was the same.
select
    id as destination_id,
    display_name,
    endpoint_url,
    header_names,
    state__type as state,
    traces__enabled as is_sending_traces,
    traces__content_mode as content_mode,
    workspaces__type as covered_workspaces,
    {{ utc_timestamp('created_at') }} as created_at,
    {{ utc_timestamp('updated_at') }} as updated_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('telemetry_destinations') }}
