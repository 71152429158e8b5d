-- One row per month, cost center, department and cost pool.
-- Amounts are split in whole units of 0.00000001 USD by largest remainder, so that the parts are the whole.
with

billed as (
    select * from {{ ref('int_seat_fees_monthly') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_daily') }}
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

seat_fees_of_month as (
    select
        seat_fees.*,
        sum(fee_parts) over (partition by month) as month_fee_parts
    from seat_fees
),

-- Where no price is known, as beside a configured amount, every seat weighs the same.
seat_weights as (
    select
        month,
        department,
        cost_center,
        'seats' as allocation_method,
        sum(case when month_fee_parts is null then seat_parts else fee_parts end) as weight
    from seat_fees_of_month
    group by month, department, cost_center
),

-- A product whose messages nobody reports adds none to the weights.
department_activity as (
    select
        cast({{ dbt.date_trunc('month', 'user_activity.activity_date') }} as date) as month,
        department_periods.department,
        department_periods.cost_center,
        count(distinct case when user_activity.is_active then user_activity.user_id end) as active_user_count,
        count(case when user_activity.is_active then 1 end) as active_days,
        sum(
            coalesce(user_activity.chat_message_count, 0)
            + coalesce(user_activity.cowork_message_count, 0)
            + coalesce(user_activity.office_message_count, 0)
            + coalesce(user_activity.design_message_count, 0)
            + coalesce(user_activity.science_message_count, 0)
            + coalesce(user_activity.claude_tag_message_count, 0)
        ) as messages
    from user_activity
    inner join department_periods
        on
            user_activity.user_id = department_periods.user_id
            and user_activity.activity_date >= department_periods.valid_from_date
            and user_activity.activity_date < department_periods.valid_until_date
    group by
        cast({{ dbt.date_trunc('month', 'user_activity.activity_date') }} as date),
        department_periods.department,
        department_periods.cost_center
),

activity_weights as (
    select
        month,
        department,
        cost_center,
        'active_days' as allocation_method,
        {{ exact_integer('active_days') }} as weight
    from department_activity
    union all
    select
        month,
        department,
        cost_center,
        'messages' as allocation_method,
        {{ exact_integer('messages') }} as weight
    from department_activity
),

all_weights as (
    select * from seat_weights
    union all
    select * from activity_weights
),

-- Unknown weights, such as messages that no product reports, weigh nothing: the money must go somewhere.
policy_weights as (
    select
        month,
        department,
        cost_center,
        allocation_method,
        coalesce(weight, 0) as weight
    from all_weights
    where allocation_method = '{{ var("chargeback_policy") }}'
),

weighted_months as (
    select distinct month from policy_weights
    where weight > 0
),

unallocated_months as (
    select
        billed.month,
        'Unattributed' as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        'unallocated' as allocation_method,
        {{ exact_integer('1') }} as weight
    from billed
    left join weighted_months on billed.month = weighted_months.month
    where weighted_months.month is null
),

weights as (
    select
        policy_weights.month,
        policy_weights.department,
        policy_weights.cost_center,
        policy_weights.allocation_method,
        policy_weights.weight
    from policy_weights
    inner join weighted_months on policy_weights.month = weighted_months.month
    union all
    select * from unallocated_months
),

with_total as (
    select
        weights.*,
        sum(weights.weight) over (partition by weights.month) as total_weight,
        {{ usd_to_units('abs(billed.billed_usd)') }} as billed_units,
        sign(billed.billed_usd) as billed_sign,
        billed.is_settled,
        billed.covered_days
    from weights
    inner join billed on weights.month = billed.month
),

with_whole_units as (
    select
        with_total.*,
        {{ quotient('billed_units * weight', 'total_weight') }} as whole_units
    from with_total
),

with_rank as (
    select
        with_whole_units.*,
        row_number() over (
            partition by month
            order by billed_units * weight - whole_units * total_weight desc, department asc, cost_center asc
        ) as remainder_rank,
        billed_units - sum(whole_units) over (partition by month) as units_left
    from with_whole_units
),

split as (
    select
        month,
        cost_center,
        department,
        allocation_method,
        {{ units_to_usd('billed_sign * (whole_units + case when remainder_rank <= units_left then 1 else 0 end)') }}
            as amount_usd,
        covered_days,
        is_settled
    from with_rank
),

-- Seats are a level: the month's number is that of its last day.
seats_at_month_end as (
    select
        month,
        department,
        cost_center,
        cast(sum(seat_count) as bigint) as seat_count
    from seat_fees
    where activity_date = {{ dbt.last_day('month', 'month') }}
    group by month, department, cost_center
),

months_with_seats as (
    select distinct month from seat_fees
),

-- In a month whose seats are known, a department without any has 0; nobody active there is 0 active users.
with_people as (
    select
        split.month,
        split.cost_center,
        split.department,
        'seats' as cost_pool,
        split.amount_usd,
        split.amount_usd as list_price_usd,
        case
            when months_with_seats.month is not null then coalesce(seats_at_month_end.seat_count, 0)
        end as seat_count,
        coalesce(department_activity.active_user_count, 0) as active_user_count,
        split.allocation_method,
        split.covered_days,
        split.is_settled
    from split
    left join months_with_seats on split.month = months_with_seats.month
    left join seats_at_month_end
        on
            split.month = seats_at_month_end.month
            and split.department = seats_at_month_end.department
            and split.cost_center is not distinct from seats_at_month_end.cost_center
    left join department_activity
        on
            split.month = department_activity.month
            and split.department = department_activity.department
            and split.cost_center is not distinct from department_activity.cost_center
)

select * from with_people
