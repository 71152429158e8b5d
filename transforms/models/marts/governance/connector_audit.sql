-- One row per connector ever used in our data.
with

usage_days as (
    select * from {{ ref('connector_usage_daily') }}
    where connector_name is not null
),

labels_in_order as (
    select
        connector_name,
        connector_display_name,
        row_number() over (partition by connector_name order by activity_date desc) as labels_since
    from usage_days
    where connector_display_name is not null
),

{{ audited('connector', 'usage_days', ['read_call_count', 'write_call_count', 'unclassified_call_count']) }},

with_reasons as (
    select
        audited.connector_name,
        labels_in_order.connector_display_name,
        audited.first_seen_date,
        audited.last_seen_date,
        audited.approval,
        audited.approval_owner,
        audited.reviewed_date,
        {{ audit_reasons([
            ("audited.approval <> 'approved' and audited.write_call_count > 0", "'writes without approval'"),
            (
                "audited.approval <> 'approved' and audited.unclassified_call_count > 0",
                "'calls of which nobody knows what they do'"
            )
        ]) }} as risk_reasons,
        audited.used_days,
        audited.distinct_user_days,
        audited.max_daily_users,
        audited.read_call_count,
        audited.write_call_count,
        audited.unclassified_call_count,
        audited.history_start_date,
        audited.as_of_date,
        audited.covered_days,
        audited.missing_days
    from audited
    left join labels_in_order
        on audited.connector_name = labels_in_order.connector_name and labels_in_order.labels_since = 1
)

select * from with_reasons
