-- One row per assistant of the file of other assistants, month and account, and one per month without an account: how
-- much of it is known. A line of a month tells all of it; lines of days tell all from the vendor's first to its last.
with

lines as (
    select * from {{ ref('stg_other_assistants') }}
),

spans as (
    select
        vendor,
        min(activity_date) as first_date,
        max(activity_date) as last_date
    from lines
    group by vendor
),

months as (
    select
        vendor,
        month,
        cast({{ dbt.last_day('month', 'month') }} as date) as month_end_date,
        max(case when activity_date is null then 1 else 0 end) as is_whole
    from lines
    group by vendor, month
),

known_parts as (
    select
        months.*,
        case when spans.first_date > months.month then spans.first_date else months.month end as known_from_date,
        case when spans.last_date < months.month_end_date then spans.last_date else months.month_end_date end
            as known_until_date
    from months
    inner join spans on months.vendor = spans.vendor
),

with_days as (
    select
        vendor,
        month,
        cast({{ days_from('month', 'month_end_date') }} + 1 as bigint) as month_days,
        case
            when is_whole = 1 then cast({{ days_from('month', 'month_end_date') }} + 1 as bigint)
            else cast({{ days_from('known_from_date', 'known_until_date') }} + 1 as bigint)
        end as covered_days
    from known_parts
),

activity as (
    select
        vendor,
        month,
        account_key,
        cast({{ sum_of_known('message_count') }} as bigint) as message_count,
        case
            when max(message_count) > 0 then 1
            when count(message_count) = count(*) then 0
        end as was_active,
        cast(null as bigint) as covered_days,
        cast(null as bigint) as month_days,
        cast(null as {{ dbt.type_string() }}) as coverage
    from lines
    group by vendor, month, account_key
    union all
    select
        vendor,
        month,
        cast(null as {{ dbt.type_string() }}) as account_key,
        cast(null as bigint) as message_count,
        cast(null as integer) as was_active,
        covered_days,
        month_days,
        case when covered_days = month_days then 'full' else 'partial' end as coverage
    from with_days
)

select * from activity
