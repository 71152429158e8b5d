-- One row per charge in the month that bills it: those of an open month as they are known now, those of a closed month
-- as its close froze them, and what has moved in closed months since, in the open month after them.
with

charges as (
    select * from {{ ref('int_charges') }}
),

closed_charges as (
    select * from {{ ref('int_closed_charges') }}
),

corrections as (
    select * from {{ ref('int_charge_corrections') }}
),

closed_months as (
    select * from {{ ref('int_closed_months') }}
),

billed_charges as (
    select
        month,
        cast(null as date) as corrected_month,
        {{ charge_columns() }}
    from charges
    where month not in (select closed_months.month from closed_months)
    union all
    select
        month,
        corrected_month,
        {{ charge_columns() }}
    from closed_charges
    union all
    select
        month,
        corrected_month,
        {{ charge_columns() }}
    from corrections
)

select * from billed_charges
