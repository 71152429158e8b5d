-- One row per seat held: keep it, reclaim it, or make it a cheaper one. Nothing acts on it but people.
with

seats as (
    select * from {{ ref('seats') }}
    where seat_status not in ('invited', 'removed')
),

exempt_seats as (
    select * from {{ ref('stg_exempt_seats') }}
),

address_periods as (
    select * from {{ ref('int_address_periods') }}
),

price_periods as (
    select * from {{ ref('int_seat_price_periods') }}
    where seat_tier = 'default'
),

-- The line of the day's address counts, and without one that of the person's other address nearest in time.
exemptions_in_order as (
    select
        seats.user_id,
        exempt_seats.reason,
        row_number() over (
            partition by seats.user_id
            order by
                case
                    when
                        seats.as_of_date >= address_periods.valid_from_date
                        and seats.as_of_date < address_periods.valid_until_date
                        then 0
                    when seats.as_of_date > address_periods.last_seen_date
                        then {{ days_from('address_periods.last_seen_date', 'seats.as_of_date') }} + 1
                    when seats.as_of_date < address_periods.first_seen_date
                        then {{ days_from('seats.as_of_date', 'address_periods.first_seen_date') }} + 1
                    else 1
                end asc,
                address_periods.first_seen_date asc,
                address_periods.email_key asc
        ) as nearer_exemptions
    from seats
    inner join address_periods on seats.user_id = address_periods.user_id
    inner join exempt_seats
        on
            address_periods.email_key = exempt_seats.email_key
            and (exempt_seats.exempt_until_date is null or seats.as_of_date <= exempt_seats.exempt_until_date)
),

with_exemption as (
    select
        seats.*,
        exemptions_in_order.reason as exempt_reason,
        exemptions_in_order.user_id is not null as is_exempt,
        price_periods.usd_per_month as default_usd_per_month
    from seats
    left join exemptions_in_order
        on seats.user_id = exemptions_in_order.user_id and exemptions_in_order.nearer_exemptions = 1
    left join price_periods
        on
            seats.as_of_date >= price_periods.valid_from_date
            and seats.as_of_date < price_periods.valid_until_date
),

recommended as (
    select
        with_exemption.*,
        case
            when is_exempt then 'keep'
            when seat_status in ('dormant', 'never_active') then 'reclaim'
            when
                seat_status = 'active'
                -- Days of spend on which nobody saw them contradict a count of active days.
                and spend_days_in_28 <= {{ var('downgrade_active_days') }}
                and seat_cost_usd_per_month > default_usd_per_month
                and active_days_in_28 <= {{ var('downgrade_active_days') }}
                then 'downgrade'
            else 'keep'
        end as recommendation
    from with_exemption
),

with_saving_and_reason as (
    select
        user_id,
        as_of_date,
        email,
        name,
        department,
        cost_center,
        seat_status,
        seat_tier,
        recommendation,
        case
            when is_exempt then 'exempt' || coalesce(': ' || exempt_reason, '')
            when recommendation = 'reclaim' and last_active_date is null
                then
                    'no activity in any loaded day since '
                    || cast(history_start_date as {{ dbt.type_string() }})
            when recommendation = 'reclaim'
                then
                    'not active for ' || cast(days_since_active as {{ dbt.type_string() }}) || ' days, last on '
                    || cast(last_active_date as {{ dbt.type_string() }})
            when recommendation = 'downgrade'
                then
                    'active on ' || cast(active_days_in_28 as {{ dbt.type_string() }})
                    || ' of 28 days in a seat dearer than the default tier'
            when
                seat_status = 'active'
                and last_spend_date > coalesce(last_active_date, cast('0001-01-01' as date))
                then 'in use: spent on ' || cast(last_spend_date as {{ dbt.type_string() }})
            when seat_status = 'new' then 'joined on ' || cast(joined_date as {{ dbt.type_string() }})
            when seat_status = 'unknown' then 'not all days are loaded that would show whether it is in use'
            else 'in use'
        end as reason,
        last_active_date,
        days_since_active,
        active_days_in_28,
        seat_cost_usd_per_month,
        cast(
            case
                when recommendation = 'reclaim' then seat_cost_usd_per_month
                when recommendation = 'downgrade' then seat_cost_usd_per_month - default_usd_per_month
                when seat_cost_usd_per_month is not null then cast(0 as decimal(38, 8))
            end as decimal(38, 8)
        ) as monthly_saving_usd,
        is_exempt
    from recommended
)

select * from with_saving_and_reason
