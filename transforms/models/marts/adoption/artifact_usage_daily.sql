-- One row per UTC day, artifact type and whether it was ever shared.
with

artifacts as (
    select * from {{ ref('stg_artifacts') }}
),

by_type as (
    select
        activity_date,
        artifact_type,
        cast({{ sum_of_known('artifacts_created_count') }} as bigint) as artifacts_created_count,
        cast({{ sum_of_known('published_artifacts_created_count') }} as bigint) as published_artifacts_created_count,
        {{ unless_repeated('distinct_user_count') }} as distinct_user_count,
        is_shared
    from artifacts
    group by activity_date, artifact_type, is_shared
)

select * from by_type
