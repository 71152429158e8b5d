-- One row per person and period with one line of the org chart; a person's periods cover all days. The end is not in
-- the period. The line is that of the address which the person had on the day, as the macro `lines_in_force` says.
with

people as (
    select * from {{ ref('int_people') }}
),

names as (
    select
        user_id as id,
        email_key as key,
        valid_from_date,
        valid_until_date,
        first_seen_date,
        last_seen_date,
        received_date,
        passed_on_date
    from {{ ref('int_address_periods') }}
),

lines as (
    select
        email_key as key,
        coalesce(valid_from_date, cast('0001-01-01' as date)) as valid_from_date,
        coalesce(department, 'Unmapped') as department,
        cost_center,
        manager_email,
        seat_tier,
        end_date
    from {{ ref('stg_org_chart') }}
),

{{ lines_in_force(['department', 'cost_center', 'manager_email', 'seat_tier', 'end_date']) }},

person_periods as (
    select
        people.user_id,
        coalesce(lines_in_force.valid_from_date, cast('0001-01-01' as date)) as valid_from_date,
        coalesce(lines_in_force.valid_until_date, cast('9999-12-31' as date)) as valid_until_date,
        coalesce(lines_in_force.department, 'Unmapped') as department,
        lines_in_force.cost_center,
        lines_in_force.manager_email,
        coalesce(lines_in_force.seat_tier, 'default') as seat_tier,
        lines_in_force.end_date
    from people
    left join lines_in_force on people.user_id = lines_in_force.id
)

select * from person_periods
