-- One row per person and period in one department; a person's periods cover all days. The end is not in the period.
with

org_chart_periods as (
    select * from {{ ref('int_org_chart_periods') }}
),

group_periods as (
    select * from {{ ref('int_group_periods') }}
),

-- Groups say where somebody is; their seat and manager stand in the org chart, whoever names the departments.
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
        org_chart_periods.manager_email,
        org_chart_periods.seat_tier
    from group_periods
    inner join org_chart_periods
        on
            group_periods.user_id = org_chart_periods.user_id
            and group_periods.valid_from_date < org_chart_periods.valid_until_date
            and group_periods.valid_until_date > org_chart_periods.valid_from_date
),

sources as (
    select * from {{ ref('int_cost_center_sources') }}
),

all_periods as (
    select
        'org_chart' as cost_centers_from,
        user_id,
        valid_from_date,
        valid_until_date,
        department,
        cost_center,
        manager_email,
        seat_tier
    from org_chart_periods
    union all
    select
        'groups' as cost_centers_from,
        user_id,
        valid_from_date,
        valid_until_date,
        department,
        cost_center,
        manager_email,
        seat_tier
    from group_periods_with_tier
),

-- In each period the one that counts then.
person_periods as (
    select
        all_periods.user_id,
        case
            when all_periods.valid_from_date < sources.valid_from_date then sources.valid_from_date
            else all_periods.valid_from_date
        end as valid_from_date,
        case
            when all_periods.valid_until_date > sources.valid_until_date then sources.valid_until_date
            else all_periods.valid_until_date
        end as valid_until_date,
        all_periods.department,
        all_periods.cost_center,
        all_periods.manager_email,
        all_periods.seat_tier
    from all_periods
    inner join sources
        on
            all_periods.cost_centers_from = sources.cost_centers_from
            and all_periods.valid_from_date < sources.valid_until_date
            and all_periods.valid_until_date > sources.valid_from_date
)

select * from person_periods
