-- One row per month with charges, in the columns of the dataset BillingPeriod of FOCUS 1.4.
with

charges as (
    select * from {{ ref('int_billed_charges') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

invoices as (
    select * from {{ ref('int_month_invoices') }}
),

days_loaded as (
    select * from {{ ref('int_days_loaded') }}
),

months as (
    select distinct month from charges
),

closes as (
    select
        month,
        max(closed_at) as closed_at
    from closed_months
    group by month
),

-- A month is known from the first fetch of one of its days, and an open one changes with each.
fetches as (
    select
        cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month,
        min(fetched_at) as first_fetched_at,
        max(fetched_at) as last_fetched_at
    from days_loaded
    group by cast({{ dbt.date_trunc('month', 'activity_date') }} as date)
),

with_moments as (
    select
        months.month,
        closes.closed_at is not null as is_closed,
        coalesce(fetches.first_fetched_at, closes.closed_at, cast(months.month as timestamp)) as created_at,
        coalesce(closes.closed_at, fetches.last_fetched_at, cast(months.month as timestamp)) as updated_at,
        invoices.named_at
    from months
    left join closes on months.month = closes.month
    left join fetches on months.month = fetches.month
    left join invoices on months.month = invoices.month
),

-- noqa: disable=RF06
periods as (
    select
        created_at as "BillingPeriodCreated",
        cast({{ dbt.dateadd('month', 1, 'month') }} as timestamp) as "BillingPeriodEnd",
        case when named_at > updated_at then named_at else updated_at end as "BillingPeriodLastUpdated",
        cast(month as timestamp) as "BillingPeriodStart",
        case when is_closed then 'Closed' else 'Open' end as "BillingPeriodStatus",
        'Anthropic' as "InvoiceIssuerName"
    from with_moments
)
-- noqa: enable=RF06

select * from periods
