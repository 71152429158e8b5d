-- One row per person and period in one department; a person's periods cover all days. The end is not in the period.
with

org_chart_periods as (
    select * from {{ ref('int_org_chart_periods') }}
),

group_periods as (
    select * from {{ ref('int_group_periods') }}
),

-- Groups say where somebody is; what seat they have stands in the org chart, whoever names the departments.
group_periods_with_tier as (
    select
        group_periods.user_id,
        case
            when group_periods.valid_from_date < org_chart_periods.valid_from_date
                then org_chart_periods.valid_from_date
            else group_periods.valid_from_date
        end as valid_from_date,
        case
            when group_periods.valid_until_date > org_chart_periods.valid_until_date
                then org_chart_periods.valid_until_date
            else group_periods.valid_until_date
        end as valid_until_date,
        group_periods.department,
        group_periods.cost_center,
        org_chart_periods.seat_tier
    from group_periods
    inner join org_chart_periods
        on
            group_periods.user_id = org_chart_periods.user_id
            and group_periods.valid_from_date < org_chart_periods.valid_until_date
            and group_periods.valid_until_date > org_chart_periods.valid_from_date
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
    from group_periods_with_tier
    where '{{ var("chargeback_cost_centers_from") }}' = 'groups'
)

select * from person_periods
