-- One row per close and setting, price or share that its bill was made with. A load that broke off can have stored a
-- row twice.
select distinct
    closing_id,
    month,
    setting,
    setting_name,
    department,
    cost_center,
    valid_from as valid_from_date,
    setting_value
from {{ source('claude_raw', 'closed_settings') }}
where closing_id in (select closed_months.closing_id from {{ ref('stg_closed_months') }} as closed_months)
