-- One row per seat tier and day from which its price is valid: a seat price file for this organisation.
from (values
    ('default', cast(40 as decimal(38, 8)), cast(null as date)), ('default', 45, date '2026-05-01'),
    ('premium', 99.99, null), ('premium', 105.5, date '2026-05-18')
) as v(seat_tier, usd_per_month, valid_from)
