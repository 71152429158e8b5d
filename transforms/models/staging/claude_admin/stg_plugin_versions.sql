-- One row per version of a plugin of the organisation and period in which it was the same.
select
    id as version_id,
    plugin_id,
    display_name,
    manifest_version,
    reach,
    content_scan__status as scan_status,
    content_scan__assessment as scan_assessment,
    content_scan__reason as scan_reason,
    components,
    created_by__user_id as creator_user_id,
    created_by__api_key_id as creator_api_key_id,
    {{ utc_timestamp('created_at') }} as created_at,
    valid_from_at,
    valid_until_at
from {{ roster_rows('plugin_versions') }}
