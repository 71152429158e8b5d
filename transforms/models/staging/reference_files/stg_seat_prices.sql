-- One row per seat tier and day from which its price is valid; no day means always. A load that broke off can
-- have stored a row twice.
select distinct
    seat_tier,
    valid_from as valid_from_date,
    usd_per_month
from {{ source('claude_raw', 'seat_prices') }}
