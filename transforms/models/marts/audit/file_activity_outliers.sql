-- One row per UTC day and person with far more file activity than on their own days before.
with

events as (
    select * from {{ ref('security_events') }}
),

event_types as (
    select * from {{ ref('int_event_types') }}
    where file_action is not null
),

person_days as (
    select
        events.event_date,
        events.user_id,
        cast({{ dbt.date_trunc('month', 'events.event_date') }} as date) as month,
        max(events.actor_email) as email,
        count(*) as file_event_count,
        count(case when event_types.file_action = 'uploaded' then 1 end) as upload_count,
        count(case when event_types.file_action = 'viewed' then 1 end) as view_count,
        count(case when event_types.file_action = 'downloaded' then 1 end) as download_count,
        count(case when event_types.file_action = 'deleted' then 1 end) as delete_count
    from events
    inner join event_types on events.event_type = event_types.event_type
    where events.user_id is not null
    group by events.event_date, events.user_id
),

months as (
    select distinct
        user_id,
        month
    from person_days
),

-- The days with file activity in the 90 days before the month: a baseline that the month itself cannot move.
baseline_days as (
    select
        months.user_id,
        months.month,
        person_days.file_event_count
    from months
    inner join person_days
        on
            months.user_id = person_days.user_id
            and months.month > person_days.event_date
            and {{ dbt.dateadd('day', -90, 'months.month') }} <= person_days.event_date
),

medians as (
    select
        user_id,
        month,
        count(*) as baseline_day_count,
        max(file_event_count) as baseline_max,
        {{ median_of('file_event_count') }} as baseline_median
    from baseline_days
    group by user_id, month
),

-- Where more than half of the days are alike the median deviation is 0, and the mean one says how wide they spread.
spreads as (
    select
        baseline_days.user_id,
        baseline_days.month,
        {{ median_of('abs(baseline_days.file_event_count - medians.baseline_median)') }} as median_deviation,
        avg(abs(baseline_days.file_event_count - medians.baseline_median)) as mean_deviation
    from baseline_days
    inner join medians on baseline_days.user_id = medians.user_id and baseline_days.month = medians.month
    group by baseline_days.user_id, baseline_days.month
),

with_score as (
    select
        person_days.event_date,
        person_days.user_id,
        person_days.email,
        person_days.file_event_count,
        person_days.upload_count,
        person_days.view_count,
        person_days.download_count,
        person_days.delete_count,
        medians.baseline_day_count,
        medians.baseline_median,
        medians.baseline_max,
        spreads.median_deviation as baseline_median_deviation,
        (person_days.file_event_count - medians.baseline_median) / nullif(
            case
                when spreads.median_deviation > 0 then 1.4826 * spreads.median_deviation
                else 1.2533 * spreads.mean_deviation
            end, 0
        ) as score,
        {{ chance_of_a_new_value(0, 'medians.baseline_day_count') }} as chance
    from person_days
    inner join medians on person_days.user_id = medians.user_id and person_days.month = medians.month
    inner join spreads on person_days.user_id = spreads.user_id and person_days.month = spreads.month
),

-- Without any spread there is no score, and more than ever is enough.
outliers as (
    select * from with_score
    where
        chance <= {{ var('audit_significance') }}
        and file_event_count > baseline_max
        and coalesce(score > {{ var('audit_outlier_score') }}, true)
)

select * from outliers
