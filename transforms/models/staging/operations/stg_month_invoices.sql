-- One row per month and time at which somebody named its invoice.
select distinct
    month,
    invoice_id,
    invoice_detail_id,
    {{ utc_timestamp('named_at') }} as named_at
from {{ source('claude_raw', 'month_invoices') }}
