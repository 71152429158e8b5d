-- One row per open month and cost center: spent so far, and expected at the month's end.
-- The days after the newest one with cost are expected to cost what the last 28 did on average, working days and others
-- apart; the range holds 90 of 100 ends, if days go on to vary as they did.
with

lines as (
    select * from {{ ref('chargeback_monthly') }}
    where not is_closed
),

cost_days as (
    select * from {{ ref('int_spend_totals_daily') }}
    where is_cost_loaded
),

calendar as (
    select * from {{ ref('calendar') }}
),

budgets as (
    select * from {{ ref('stg_budgets') }}
),

newest as (
    select max(activity_date) as as_of_date
    from cost_days
),

months as (
    select
        lines.month,
        newest.as_of_date,
        cast(count(distinct cost_days.activity_date) as bigint) as covered_days
    from lines
    cross join newest
    left join cost_days on lines.month = cost_days.month
    group by lines.month, newest.as_of_date
),

usual_days as (
    select
        cost_days.activity_date,
        calendar.is_working_day
    from cost_days
    inner join calendar on cost_days.activity_date = calendar.calendar_date
    cross join newest
    where {{ days_from('cost_days.activity_date', 'newest.as_of_date') }} < 28
),

days_to_come as (
    select
        months.month,
        calendar.is_working_day,
        count(*) as day_count
    from months
    inner join calendar on months.month = calendar.month and months.as_of_date < calendar.calendar_date
    group by months.month, calendar.is_working_day
),

spent as (
    select
        month,
        cost_center,
        sum(case when cost_pool <> 'seats' or corrected_month is not null then amount_usd else 0 end) as spent_usd,
        sum(case when cost_pool = 'seats' and corrected_month is null then amount_usd else 0 end) as seat_fees_usd,
        count(case when amount_usd is null then 1 end) as unknown_count
    from lines
    group by month, cost_center
),

budgets_in_order as (
    select
        months.month,
        budgets.cost_center,
        budgets.usd_per_month,
        row_number() over (
            partition by months.month, budgets.cost_center
            order by coalesce(budgets.valid_from_date, cast('1970-01-01' as date)) desc
        ) as lines_since
    from months
    inner join budgets on coalesce(budgets.valid_from_date, cast('1970-01-01' as date)) <= months.month
),

places as (
    select
        month,
        cost_center
    from spent
    union distinct
    select
        month,
        cost_center
    from budgets_in_order
),

-- What is not each person's own is borne in the days to come as it was in the month of the newest day.
parts as (
    select
        lines.cost_center,
        cast(sum(lines.amount_usd) as double precision)
        / nullif(cast(sum(sum(lines.amount_usd)) over () as double precision), 0) as part
    from lines
    cross join newest
    where
        lines.month = cast({{ dbt.date_trunc('month', 'newest.as_of_date') }} as date)
        and lines.cost_pool in ('metered', 'shared')
        and lines.allocation_method not in ('direct', 'Correction')
    group by lines.cost_center
),

direct_months as (
    select distinct month from lines
    where cost_pool = 'metered' and allocation_method = 'direct'
),

spend as (
    select
        spend_daily.activity_date,
        spend_daily.cost_center,
        spend_daily.user_id is not null and direct_months.month is not null as is_own,
        spend_daily.spend_usd
    from {{ ref('spend_daily') }} as spend_daily
    cross join newest
    left join direct_months on direct_months.month = cast({{ dbt.date_trunc('month', 'newest.as_of_date') }} as date)
    where
        spend_daily.spend_usd is not null
        and {{ days_from('spend_daily.activity_date', 'newest.as_of_date') }} between 0 and 27
),

amounts as (
    select
        activity_date,
        cost_center,
        cast(sum(spend_usd) as double precision) as amount
    from spend
    where is_own
    group by activity_date, cost_center
    union all
    select
        spend.activity_date,
        parts.cost_center,
        cast(sum(spend.spend_usd) as double precision) * parts.part as amount
    from spend
    cross join parts
    where not spend.is_own
    group by spend.activity_date, parts.cost_center, parts.part
),

-- A day on which a cost center spent nothing counts as 0.
usual_amounts as (
    select
        centers.cost_center,
        usual_days.activity_date,
        usual_days.is_working_day,
        coalesce(sum(amounts.amount), 0) as amount
    from (select distinct places.cost_center from places) as centers
    cross join usual_days
    left join amounts
        on
            usual_days.activity_date = amounts.activity_date
            and centers.cost_center is not distinct from amounts.cost_center
    group by centers.cost_center, usual_days.activity_date, usual_days.is_working_day
),

usual as (
    select
        cost_center,
        is_working_day,
        avg(amount) as mean_amount,
        coalesce(stddev_samp(amount), 0) as deviation
    from usual_amounts
    group by cost_center, is_working_day
),

-- Without a day of each kind among the last 28, or a week of them, nothing can be expected.
rests as (
    select
        places.month,
        places.cost_center,
        sum(days_to_come.day_count) as day_count,
        case
            when (select count(*) from usual_days) >= 7 and count(usual.mean_amount) = count(days_to_come.day_count)
                then coalesce(sum(days_to_come.day_count * usual.mean_amount), 0)
        end as rest,
        coalesce(sqrt(sum(days_to_come.day_count * usual.deviation * usual.deviation)), 0) * 1.645 as band
    from places
    left join days_to_come on places.month = days_to_come.month
    left join usual
        on
            places.cost_center is not distinct from usual.cost_center
            and days_to_come.is_working_day = usual.is_working_day
    group by places.month, places.cost_center
),

with_budget as (
    select
        places.month,
        places.cost_center,
        months.as_of_date,
        case when coalesce(spent.unknown_count, 0) = 0 then coalesce(spent.spent_usd, 0) end as spent_usd,
        case when coalesce(spent.unknown_count, 0) = 0 then coalesce(spent.seat_fees_usd, 0) end as seat_fees_usd,
        -- To the cent: the digits behind it depend on the order in which doubles are added.
        cast(case when rests.day_count is null then 0 else rests.rest end as decimal(38, 2)) as rest,
        cast(case when rests.day_count is null then 0 else rests.band end as decimal(38, 2)) as band,
        budgets_in_order.usd_per_month as budget_usd,
        months.covered_days,
        cast({{ days_from('places.month', dbt.last_day('places.month', 'month')) }} + 1 as bigint) as month_days
    from places
    inner join months on places.month = months.month
    left join spent
        on places.month = spent.month and places.cost_center is not distinct from spent.cost_center
    left join rests
        on places.month = rests.month and places.cost_center is not distinct from rests.cost_center
    left join budgets_in_order
        on
            places.month = budgets_in_order.month
            and places.cost_center = budgets_in_order.cost_center
            and budgets_in_order.lines_since = 1
),

forecast as (
    select
        month,
        cost_center,
        as_of_date,
        cast(spent_usd as decimal(38, 8)) as spent_usd,
        cast(seat_fees_usd as decimal(38, 8)) as seat_fees_usd,
        cast(spent_usd + seat_fees_usd + rest as decimal(38, 8)) as expected_usd,
        cast(
            spent_usd + seat_fees_usd
            + case when rest > band then rest - band when rest > 0 then 0 else rest end
            as decimal(38, 8)
        ) as expected_low_usd,
        cast(spent_usd + seat_fees_usd + rest + band as decimal(38, 8)) as expected_high_usd,
        cast(budget_usd as decimal(38, 8)) as budget_usd,
        covered_days,
        month_days
    from with_budget
)

select * from forecast
