-- One row per seat to reclaim: nobody used it for dormant_after_days days, and it is not exempt.
with

recommendations as (
    select * from {{ ref('seat_recommendations') }}
    where recommendation = 'reclaim'
),

seats as (
    select * from {{ ref('seats') }}
),

accounts as (
    select
        recommendations.user_id,
        recommendations.as_of_date,
        recommendations.email,
        recommendations.name,
        seats.role,
        recommendations.department,
        recommendations.cost_center,
        recommendations.seat_status,
        seats.joined_date,
        recommendations.last_active_date,
        coalesce(recommendations.last_active_date, seats.joined_date, seats.history_start_date) as dormant_since_date,
        recommendations.reason as evidence,
        recommendations.days_since_active,
        recommendations.monthly_saving_usd,
        seats.history_start_date
    from recommendations
    inner join seats on recommendations.user_id = seats.user_id
)

select * from accounts
