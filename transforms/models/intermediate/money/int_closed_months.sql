-- One row per closed month and frozen line, or cost pool of its bill. A close that was undone is none.
with

closed_months as (
    select * from {{ ref('stg_closed_months') }}
),

undone as (
    select distinct closing_id from closed_months
    where action = 'undone'
),

still_closed as (
    select closed_months.*
    from closed_months
    left join undone on closed_months.closing_id = undone.closing_id
    where undone.closing_id is null
)

select * from still_closed
