-- One row per person and period in which department, cost center and manager were the same; a person's periods cover
-- all days since 1970-01-01. The end is not in the period.
with

periods as (
    select
        user_id,
        department,
        cost_center,
        manager_email,
        case
            when valid_from_date < cast('1970-01-01' as date) then cast('1970-01-01' as date) else valid_from_date
        end as valid_from_date,
        valid_until_date
    from {{ ref('int_department_periods') }}
    where valid_until_date > cast('1970-01-01' as date)
),

-- Nothing says where those are whom Claude does not know.
with_everybody as (
    select
        everybody.user_id,
        coalesce(periods.department, 'Unmapped') as department,
        periods.cost_center,
        periods.manager_email,
        coalesce(periods.valid_from_date, cast('1970-01-01' as date)) as valid_from_date,
        coalesce(periods.valid_until_date, cast('9999-12-31' as date)) as valid_until_date
    from {{ ref('int_everybody') }} as everybody
    left join periods on everybody.user_id = periods.user_id
),

with_previous as (
    select
        with_everybody.*,
        lag(department) over (partition by user_id order by valid_from_date) as previous_department,
        lag(cost_center) over (partition by user_id order by valid_from_date) as previous_cost_center,
        lag(manager_email) over (partition by user_id order by valid_from_date) as previous_manager_email
    from with_everybody
),

changes as (
    select *
    from with_previous
    where
        previous_department is distinct from department
        or previous_cost_center is distinct from cost_center
        or previous_manager_email is distinct from manager_email
),

joined_periods as (
    select
        user_id,
        valid_from_date as valid_from,
        lead(valid_from_date) over (partition by user_id order by valid_from_date) as valid_until,
        department,
        cost_center,
        manager_email
    from changes
)

select * from joined_periods
