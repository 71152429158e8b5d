-- One row per month whose invoice is known: the one that was named last.
with

named as (
    select * from {{ ref('stg_month_invoices') }}
),

in_order as (
    select
        named.*,
        row_number() over (
            partition by month order by named_at desc, invoice_id asc, invoice_detail_id asc
        ) as named_since
    from named
),

newest as (
    select
        month,
        invoice_id,
        invoice_detail_id,
        named_at
    from in_order
    where named_since = 1
)

select * from newest
