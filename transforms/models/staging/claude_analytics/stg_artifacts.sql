-- One row per UTC day, artifact type and whether it is shared.
select
    activity_date,
    artifact_type,
    is_shared,
    artifacts_created_count,
    published_artifacts_created_count,
    distinct_user_count
from {{ counting_rows('artifacts') }}
