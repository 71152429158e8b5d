-- One row per seat tier and day from which its price is valid; no day means always.
select
    seat_tier,
    valid_from as valid_from_date,
    usd_per_month
from {{ source('claude_raw', 'seat_prices') }}
