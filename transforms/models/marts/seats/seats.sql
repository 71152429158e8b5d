-- One row per person seen in activity; rosters will add the people who never used their seat.
with

days as (
    select * from {{ ref('int_days') }}
),

people as (
    select * from {{ ref('int_people') }}
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

price_periods as (
    select * from {{ ref('int_seat_price_periods') }}
),

newest_day as (
    select
        max(activity_date) as as_of_date,
        cast({{ var('dormant_after_days') }} as bigint) as dormant_after_days
    from days
    where is_users_loaded
),

coverage as (
    select
        newest_day.as_of_date,
        newest_day.dormant_after_days,
        count(
            case
                when {{ days_from('days.activity_date', 'newest_day.as_of_date') }} < newest_day.dormant_after_days
                    then 1
            end
        ) as covered_days_until_dormant,
        count(
            case when {{ days_from('days.activity_date', 'newest_day.as_of_date') }} < 28 then 1 end
        ) as covered_days_in_28
    from newest_day
    inner join days on newest_day.as_of_date >= days.activity_date and days.is_users_loaded
    group by newest_day.as_of_date, newest_day.dormant_after_days
),

activity_by_person as (
    select
        user_activity.user_id,
        min(user_activity.activity_date) as first_active_date,
        max(user_activity.activity_date) as last_active_date,
        count(
            case
                when {{ days_from('user_activity.activity_date', 'coverage.as_of_date') }} < 28 then 1
            end
        ) as active_days_in_28
    from user_activity
    inner join coverage on user_activity.activity_date <= coverage.as_of_date
    where user_activity.is_active
    group by user_activity.user_id
),

-- A person whose rows show no activity has 0 active days; who has no row that day was not active either.
with_activity as (
    select
        people.user_id,
        people.email,
        coverage.as_of_date,
        activity_by_person.first_active_date,
        activity_by_person.last_active_date,
        {{ days_from('activity_by_person.last_active_date', 'coverage.as_of_date') }} as days_since_active,
        case
            when coverage.covered_days_in_28 = 28 then coalesce(activity_by_person.active_days_in_28, 0)
        end as active_days_in_28,
        coverage.dormant_after_days,
        coverage.covered_days_until_dormant
    from people
    cross join coverage
    left join activity_by_person on people.user_id = activity_by_person.user_id
),

with_department as (
    select
        with_activity.*,
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier
    from with_activity
    inner join department_periods
        on
            with_activity.user_id = department_periods.user_id
            and with_activity.as_of_date >= department_periods.valid_from_date
            and with_activity.as_of_date < department_periods.valid_until_date
),

-- A tier without a price of its own costs the default price.
with_status_and_price as (
    select
        with_department.user_id,
        with_department.as_of_date,
        with_department.email,
        cast(null as {{ dbt.type_string() }}) as name,
        cast(null as {{ dbt.type_string() }}) as role,
        with_department.department,
        with_department.cost_center,
        cast(null as date) as joined_date,
        with_department.first_active_date,
        with_department.last_active_date,
        case
            when with_department.days_since_active < with_department.dormant_after_days then 'active'
            when with_department.covered_days_until_dormant < with_department.dormant_after_days then 'unknown'
            else 'dormant'
        end as seat_status,
        with_department.days_since_active,
        with_department.active_days_in_28,
        coalesce(tier_prices.usd_per_month, default_prices.usd_per_month) as seat_cost_usd_per_month
    from with_department
    left join price_periods as tier_prices
        on
            with_department.seat_tier = tier_prices.seat_tier
            and with_department.as_of_date >= tier_prices.valid_from_date
            and with_department.as_of_date < tier_prices.valid_until_date
    left join price_periods as default_prices
        on
            default_prices.seat_tier = 'default'
            and with_department.as_of_date >= default_prices.valid_from_date
            and with_department.as_of_date < default_prices.valid_until_date
)

select * from with_status_and_price
