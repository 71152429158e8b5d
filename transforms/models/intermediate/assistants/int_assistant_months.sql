-- One row per month and assistant vendor: how much of the month is known.
select
    month,
    vendor,
    covered_days,
    month_days,
    coverage
from {{ ref('int_assistant_activity') }}
where account_key is null
