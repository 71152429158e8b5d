-- One row per date, from the first day of the oldest month that anything is known of to the end of next year.
{%- set months = [
    'January', 'February', 'March', 'April', 'May', 'June',
    'July', 'August', 'September', 'October', 'November', 'December'
] %}
{%- set weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
with

firsts as (
    select min(activity_date) as first_date from {{ ref('int_days') }}
    union all
    select min(activity_date) as first_date from {{ ref('int_spend_days') }}
    union all
    select min(event_date) as first_date from {{ ref('security_events') }}
    union all
    select min(joined_date) as first_date from {{ ref('int_member_periods') }}
    union all
    select min(month) as first_date from {{ ref('int_assistant_months') }}
    union all
    select min(period_start_date) as first_date from {{ ref('stg_langdock_exports') }}
),

known_span as (
    select
        cast({{ dbt.date_trunc('month', 'min(firsts.first_date)') }} as date) as first_date,
        cast({{ dbt.date_trunc('year', 'max(today.today_date)') }} as date) as year_start_date
    from firsts
    cross join {{ ref('int_today') }} as today
),

span as (
    select
        first_date,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('year', 2, 'year_start_date')) }} as date) as last_date
    from known_span
),

dates as (
    select {{ days_between('span.first_date', 'span.last_date') }} as calendar_date
    from span
    where span.first_date is not null
),

holidays as (
    select * from {{ ref('stg_holidays') }}
),

-- 1970-01-05 was a Monday.
with_weekday as (
    select
        dates.calendar_date,
        cast({{ dbt.date_trunc('month', 'dates.calendar_date') }} as date) as month,
        cast(extract(year from dates.calendar_date) as bigint) as calendar_year,
        cast(extract(month from dates.calendar_date) as bigint) as month_number,
        cast(extract(quarter from dates.calendar_date) as bigint) as quarter,
        cast({{ days_from("cast('1970-01-05' as date)", 'dates.calendar_date') }} % 7 + 1 as bigint) as weekday,
        holidays.holiday_name
    from dates
    left join holidays on dates.calendar_date = holidays.holiday_date
),

with_week as (
    select
        with_weekday.*,
        cast({{ dbt.dateadd('day', '1 - weekday', 'calendar_date') }} as date) as week_start_date,
        -- An ISO week is one of the year of its Thursday.
        cast({{ dbt.dateadd('day', '4 - weekday', 'calendar_date') }} as date) as thursday
    from with_weekday
),

with_names as (
    select
        calendar_date,
        week_start_date,
        month,
        case month_number
            {% for name in months -%}
                when {{ loop.index }} then '{{ name }}'
            {% endfor -%}
        end as month_name,
        case weekday
            {% for name in weekdays -%}
                when {{ loop.index }} then '{{ name }}'
            {% endfor -%}
        end as weekday_name,
        holiday_name,
        calendar_year,
        quarter,
        month_number,
        cast(extract(year from thursday) as bigint) as iso_year,
        cast(
            {{ quotient(days_from('cast(' ~ dbt.date_trunc('year', 'thursday') ~ ' as date)', 'thursday'), '7') }} + 1
            as bigint
        ) as iso_week,
        cast((month_number - {{ var('fiscal_year_start_month') }} + 12) % 12 + 1 as bigint) as fiscal_month,
        -- A fiscal year has the number of the year in which it ends.
        calendar_year
        + case
            when {{ var('fiscal_year_start_month') }} = 1 then 0
            when month_number >= {{ var('fiscal_year_start_month') }} then 1
            else 0
        end as fiscal_year,
        weekday,
        weekday > 5 as is_weekend,
        weekday <= 5 and holiday_name is null as is_working_day
    from with_week
)

select * from with_names
