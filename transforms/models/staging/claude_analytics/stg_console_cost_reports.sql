-- One row per UTC day, organisation of the Console, workspace and line of the bill, by the older report. It has one
-- amount, which is the list price as well.
select
    activity_date,
    organization_id,
    workspace_id,
    model,
    service_tier,
    context_window,
    cost_type,
    token_type,
    description as bill_line,
    currency,
    {{ cents_to_usd('amount') }} as spend_usd
from {{ counting_rows('console_cost_reports') }}
