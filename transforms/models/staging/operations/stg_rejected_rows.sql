-- One row per row, event or line that could not be read and is still not mended.
with

rejected_rows as (
    select * from {{ source('claude_raw', 'rejected_rows') }}
),

counting_versions as (
    select * from {{ ref('counting_versions') }}
),

windows as (
    {{ fetches_that_count('stg_activity_windows') }}
),

exports as (
    select * from {{ ref('stg_langdock_exports') }}
    where outcome in ('loaded', 'rejected')
),

-- What a later reading of the same days tells stands for them.
read_again as (
    select distinct
        rejected_rows.version,
        rejected_rows.activity_date
    from rejected_rows
    inner join windows
        on
            rejected_rows.version < windows.version
            and windows.outcome <> 'broken_off'
            and cast(windows.from_at as date) <= rejected_rows.activity_date
            and windows.to_at > cast(rejected_rows.activity_date as timestamp)
    where rejected_rows.endpoint = 'activities'
),

counting_rows as (
    select distinct
        rejected_rows.endpoint,
        rejected_rows.activity_date,
        rejected_rows.source_name,
        rejected_rows.line_number,
        rejected_rows.reason,
        rejected_rows.row_json,
        {{ utc_timestamp('rejected_rows.fetched_at') }} as fetched_at
    from rejected_rows
    left join read_again
        on rejected_rows.version = read_again.version and rejected_rows.activity_date = read_again.activity_date
    where
        read_again.version is null
        and (
            rejected_rows.version in (select counting_versions.version from counting_versions)
            or rejected_rows.version in (select windows.version from windows)
            or rejected_rows.version in (select exports.version from exports)
        )
)

select * from counting_rows
