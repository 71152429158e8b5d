-- One row per month, cost pool, department and cost center that bears a part of the pool, and how heavy a part.
-- A pool whose policy finds nobody to bear it is Unattributed; metered spend by policy `direct` is not split at all.
with

pools as (
    select * from {{ ref('int_chargeback_pools') }}
),

seat_fees as (
    select * from {{ ref('int_seat_fees_daily') }}
),

department_activity as (
    select * from {{ ref('int_department_activity') }}
),

spend_by_department as (
    select * from {{ ref('int_spend_by_department') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

todays_shares as (
    select * from {{ ref('stg_fixed_shares') }}
),

closed_settings as (
    select * from {{ ref('stg_closed_settings') }}
    where setting = 'fixed_share'
),

closed_months as (
    select distinct closing_id from {{ ref('int_closed_months') }}
),

settings as (
    select * from {{ ref('int_chargeback_settings') }}
),

policies as (
    select
        month,
        'metered' as cost_pool,
        metered_policy as allocation_method
    from settings
    union all
    select
        month,
        'seats' as cost_pool,
        seats_policy as allocation_method
    from settings
    union all
    select
        month,
        'shared' as cost_pool,
        shared_policy as allocation_method
    from settings
    union all
    select
        month,
        'unexplained' as cost_pool,
        'none' as allocation_method
    from settings
),

pool_policies as (
    select
        pools.month,
        pools.cost_pool,
        policies.allocation_method
    from pools
    inner join policies on pools.month = policies.month and pools.cost_pool = policies.cost_pool
    where not (pools.cost_pool = 'metered' and policies.allocation_method = 'direct')
),

frozen_shares as (
    select
        month,
        setting_name as cost_pool,
        department,
        cost_center,
        cast(setting_value as decimal(38, 8)) as percentage
    from closed_settings
    where closing_id in (select closed_months.closing_id from closed_months)
),

-- A close that split a pool by shares keeps them.
fixed_shares as (
    select * from frozen_shares
    union all
    select
        pool_policies.month,
        todays_shares.cost_pool,
        todays_shares.department,
        todays_shares.cost_center,
        todays_shares.percentage
    from pool_policies
    inner join todays_shares on pool_policies.cost_pool = todays_shares.cost_pool
    left join frozen_shares
        on pool_policies.month = frozen_shares.month and pool_policies.cost_pool = frozen_shares.cost_pool
    where frozen_shares.month is null
),

seat_weights as (
    select
        month,
        'seats' as cost_pool,
        'seats' as allocation_method,
        department,
        cost_center,
        sum(fee_parts) as weight
    from seat_fees
    group by month, department, cost_center
),

activity_weights as (
    select
        month,
        'seats' as cost_pool,
        'active_days' as allocation_method,
        department,
        cost_center,
        {{ exact_integer('active_days') }} as weight
    from department_activity
    union all
    select
        month,
        'seats' as cost_pool,
        'messages' as allocation_method,
        department,
        cost_center,
        {{ exact_integer('messages') }} as weight
    from department_activity
),

-- Seats and shared spend follow what a department's people spent; metered spend, what they used at list price.
proportional_weights as (
    select
        spend_by_department.month,
        pool_policies.cost_pool,
        'proportional' as allocation_method,
        spend_by_department.department,
        spend_by_department.cost_center,
        case
            when pool_policies.cost_pool = 'metered' then {{ usd_to_units('spend_by_department.list_price_usd') }}
            else {{ usd_to_units('spend_by_department.spend_usd') }}
        end as weight
    from spend_by_department
    inner join pool_policies on spend_by_department.month = pool_policies.month
),

even_weights as (
    select distinct
        pool_policies.month,
        pool_policies.cost_pool,
        'even' as allocation_method,
        department_periods.department,
        department_periods.cost_center,
        {{ exact_integer('1') }} as weight
    from pool_policies
    inner join department_periods
        on
            pool_policies.month < department_periods.valid_until_date
            and {{ dbt.last_day('pool_policies.month', 'month') }} >= department_periods.valid_from_date
    where pool_policies.allocation_method = 'even' and department_periods.department <> 'Unmapped'
),

fixed_weights as (
    select
        pool_policies.month,
        pool_policies.cost_pool,
        'fixed' as allocation_method,
        fixed_shares.department,
        fixed_shares.cost_center,
        {{ usd_to_units('fixed_shares.percentage') }} as weight
    from pool_policies
    inner join fixed_shares
        on pool_policies.month = fixed_shares.month and pool_policies.cost_pool = fixed_shares.cost_pool
),

no_weights as (
    select
        month,
        cost_pool,
        'none' as allocation_method,
        'Unattributed' as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        {{ exact_integer('1') }} as weight
    from pool_policies
),

all_weights as (
    select * from seat_weights
    union all
    select * from activity_weights
    union all
    select * from proportional_weights
    union all
    select * from even_weights
    union all
    select * from fixed_weights
    union all
    select * from no_weights
),

-- What weighs nothing, is unknown, or is a credit, bears no part: the money must go somewhere, and only once.
policy_weights as (
    select
        all_weights.month,
        all_weights.cost_pool,
        all_weights.allocation_method,
        all_weights.department,
        all_weights.cost_center,
        case when all_weights.weight > 0 then all_weights.weight else 0 end as weight
    from all_weights
    inner join pool_policies
        on
            all_weights.month = pool_policies.month
            and all_weights.cost_pool = pool_policies.cost_pool
            and all_weights.allocation_method = pool_policies.allocation_method
),

weighted_pools as (
    select distinct
        month,
        cost_pool
    from policy_weights
    where weight > 0
),

weights as (
    select policy_weights.*
    from policy_weights
    inner join weighted_pools
        on policy_weights.month = weighted_pools.month and policy_weights.cost_pool = weighted_pools.cost_pool
    union all
    select
        pool_policies.month,
        pool_policies.cost_pool,
        'unallocated' as allocation_method,
        'Unattributed' as department,
        cast(null as {{ dbt.type_string() }}) as cost_center,
        {{ exact_integer('1') }} as weight
    from pool_policies
    left join weighted_pools
        on pool_policies.month = weighted_pools.month and pool_policies.cost_pool = weighted_pools.cost_pool
    where weighted_pools.month is null
)

select * from weights
