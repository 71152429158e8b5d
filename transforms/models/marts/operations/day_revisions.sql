-- One row per organisation, endpoint, UTC day and revision after its first fetch.
with

revisions as (
    select * from {{ ref('int_day_revisions') }}
),

revision_rows as (
    select * from {{ ref('int_day_revision_rows') }}
),

organization as (
    select max(organization_id) as organization_id from {{ ref('int_organization') }}
),

-- What is not stored any more of a version, or never was, is unknown. A version without a row has nothing to store.
compared as (
    select
        revisions.endpoint,
        coalesce(revisions.organization_id, organization.organization_id) as organization_id,
        revisions.activity_date,
        revisions.fetch_number,
        revisions.revised_at,
        (
            coalesce(revision_rows.new_count, 0) = revisions.row_count
            and coalesce(revision_rows.old_count, 0) = revisions.previous_row_count
        ) as is_known,
        revision_rows.rows_added,
        revision_rows.rows_removed,
        revision_rows.rows_changed,
        revision_rows.active_users_change,
        revision_rows.message_count_change,
        revision_rows.spend_usd_change
    from revisions
    cross join organization
    left join revision_rows on revisions.fetch_number = revision_rows.fetch_number
),

day_revisions as (
    select
        endpoint,
        organization_id,
        activity_date,
        fetch_number,
        case when is_known then rows_added end as rows_added,
        case when is_known then rows_removed end as rows_removed,
        case when is_known then rows_changed end as rows_changed,
        case when is_known then active_users_change end as active_users_change,
        case when is_known then message_count_change end as message_count_change,
        cast(case when is_known then spend_usd_change end as decimal(38, 8)) as spend_usd_change,
        revised_at
    from compared
)

select * from day_revisions
