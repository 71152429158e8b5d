-- One row per period in which departments and cost centers come from the org chart, or from groups. The end is not in
-- the period; the periods cover all days.
with

settings as (
    select * from {{ ref('int_chargeback_settings') }}
),

configured as (
    select '{{ var("chargeback_cost_centers_from") }}' as cost_centers_from
),

in_order as (
    select
        month,
        cost_centers_from,
        row_number() over (order by month) as months_before
    from settings
),

-- What holds in the first month holds before it, and what is set in a warehouse without months.
months as (
    select
        case when months_before = 1 then cast('0001-01-01' as date) else month end as month,
        cost_centers_from
    from in_order
    union all
    select
        cast('0001-01-01' as date) as month,
        cost_centers_from
    from configured
    where not exists (select 1 from settings)
),

with_previous as (
    select
        month,
        cost_centers_from,
        lag(cost_centers_from) over (order by month) as previous
    from months
),

changes as (
    select
        month,
        cost_centers_from
    from with_previous
    where previous is null or previous <> cost_centers_from
),

periods as (
    select
        month as valid_from_date,
        coalesce(lead(month) over (order by month), cast('9999-12-31' as date)) as valid_until_date,
        cost_centers_from
    from changes
)

select * from periods
