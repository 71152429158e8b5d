-- One row per frozen line, billed pool or undo of a month's close. A load that broke off can have stored a row twice.
select distinct
    closing_id,
    line_number,
    action,
    record_type,
    month,
    corrected_month,
    cost_center,
    department,
    cost_pool,
    allocation_method,
    seat_count,
    active_user_count,
    covered_days,
    amount_usd,
    list_price_usd,
    is_settled,
    {{ utc_timestamp('closed_at') }} as closed_at
from {{ source('claude_raw', 'closed_months') }}
where {{ known_by(utc_timestamp('closed_at')) }}
