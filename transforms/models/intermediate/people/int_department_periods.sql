-- One row per person and period in one department; a person's periods cover all days. The end is not in the period.
with

org_chart_periods as (
    select * from {{ ref('int_org_chart_periods') }}
),

group_periods as (
    select * from {{ ref('int_group_periods') }}
),

person_periods as (
    select
        user_id,
        valid_from_date,
        valid_until_date,
        department,
        cost_center,
        seat_tier
    from org_chart_periods
    where '{{ var("chargeback_cost_centers_from") }}' = 'org_chart'
    union all
    select
        user_id,
        valid_from_date,
        valid_until_date,
        department,
        cost_center,
        seat_tier
    from group_periods
    where '{{ var("chargeback_cost_centers_from") }}' = 'groups'
)

select * from person_periods
