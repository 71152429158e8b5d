-- One row per person and period in one department by the org chart; a person's periods cover all days.
-- The end is not in the period.
with

people as (
    select * from {{ ref('int_people') }}
),

org_chart as (
    select * from {{ ref('stg_org_chart') }}
),

starts as (
    select
        email_key,
        coalesce(department, 'Unmapped') as department,
        cost_center,
        seat_tier,
        coalesce(valid_from_date, cast('0001-01-01' as date)) as valid_from_date
    from org_chart
),

first_starts as (
    select
        email_key,
        min(valid_from_date) as valid_from_date
    from starts
    group by email_key
),

starts_and_time_before as (
    select * from starts
    union all
    select
        email_key,
        'Unmapped' as department,
        cast(null as text) as cost_center,
        cast(null as text) as seat_tier,
        cast('0001-01-01' as date) as valid_from_date
    from first_starts
    where valid_from_date > cast('0001-01-01' as date)
),

periods as (
    select
        starts_and_time_before.*,
        lead(valid_from_date) over (partition by email_key order by valid_from_date) as next_valid_from_date
    from starts_and_time_before
),

person_periods as (
    select
        people.user_id,
        coalesce(periods.valid_from_date, cast('0001-01-01' as date)) as valid_from_date,
        coalesce(periods.next_valid_from_date, cast('9999-12-31' as date)) as valid_until_date,
        coalesce(periods.department, 'Unmapped') as department,
        periods.cost_center,
        coalesce(periods.seat_tier, 'default') as seat_tier
    from people
    left join periods on {{ email_key('people.email') }} = periods.email_key
)

select * from person_periods
where valid_from_date < valid_until_date
