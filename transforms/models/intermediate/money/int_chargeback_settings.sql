-- One row per month: what its bill is made with. A closed month keeps what its close was made with, where that was
-- kept; in other months the newest line of a pool that is in force on the first of the month counts, else the setting.
-- What a key of a Console organisation costs is charged where its owner was, but in a month whose close did not say so.
with

cost_days as (
    select activity_date from {{ ref('int_spend_days') }}
),

use_days as (
    select activity_date from {{ ref('int_days') }}
),

policies as (
    select * from {{ ref('stg_chargeback_policies') }}
),

closed_settings as (
    select * from {{ ref('stg_closed_settings') }}
),

closed_months as (
    select distinct
        closing_id,
        month
    from {{ ref('int_closed_months') }}
),

months as (
    select cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from cost_days
    union distinct
    select cast({{ dbt.date_trunc('month', 'activity_date') }} as date) as month
    from use_days
    union distinct
    select month from closed_months
    union distinct
    select cast({{ dbt.dateadd('month', 1, 'month') }} as date) as month
    from closed_months
),

months_closed as (
    select distinct month from closed_months
),

frozen as (
    select
        closed_months.month,
        max(case when closed_settings.setting = 'chargeback_metered_policy' then closed_settings.setting_value end)
            as metered_policy,
        max(case when closed_settings.setting = 'chargeback_policy' then closed_settings.setting_value end)
            as seats_policy,
        max(case when closed_settings.setting = 'chargeback_shared_policy' then closed_settings.setting_value end)
            as shared_policy,
        max(case when closed_settings.setting = 'chargeback_cost_centers_from' then closed_settings.setting_value end)
            as cost_centers_from,
        max(
            case when closed_settings.setting = 'chargeback_monthly_amount_usd' then closed_settings.setting_value end
        ) as monthly_amount_usd,
        max(case when closed_settings.setting = 'chargeback_console_keys' then closed_settings.setting_value end)
            as console_keys
    from closed_months
    inner join closed_settings on closed_months.closing_id = closed_settings.closing_id
    group by closed_months.month
),

policies_in_order as (
    select
        months.month,
        policies.cost_pool,
        policies.policy,
        policies.usd_per_month,
        row_number() over (
            partition by months.month, policies.cost_pool
            order by coalesce(policies.valid_from_date, cast('0001-01-01' as date)) desc
        ) as lines_since
    from months
    inner join policies on coalesce(policies.valid_from_date, cast('0001-01-01' as date)) <= months.month
),

dated as (
    select
        month,
        max(case when cost_pool = 'metered' then policy end) as metered_policy,
        max(case when cost_pool = 'seats' then policy end) as seats_policy,
        max(case when cost_pool = 'shared' then policy end) as shared_policy,
        max(case when cost_pool = 'seats' then usd_per_month end) as monthly_amount_usd
    from policies_in_order
    where lines_since = 1
    group by month
),

configured as (
    select
        '{{ var("chargeback_metered_policy") }}' as metered_policy,
        '{{ var("chargeback_policy") }}' as seats_policy,
        '{{ var("chargeback_shared_policy") }}' as shared_policy,
        '{{ var("chargeback_cost_centers_from") }}' as cost_centers_from,
        cast(
            nullif(
                '{{ var("chargeback_monthly_amount_usd") }}', ''
            ) as decimal(38, 8)
        ) as monthly_amount_usd
),

-- A line says all of its pool: with one for seats, the configured amount does not count.
in_force as (
    select
        months.month,
        coalesce(frozen.metered_policy, dated.metered_policy, configured.metered_policy) as metered_policy,
        coalesce(frozen.seats_policy, dated.seats_policy, configured.seats_policy) as seats_policy,
        coalesce(frozen.shared_policy, dated.shared_policy, configured.shared_policy) as shared_policy,
        coalesce(frozen.cost_centers_from, configured.cost_centers_from) as cost_centers_from,
        case
            when frozen.seats_policy is not null then cast(nullif(frozen.monthly_amount_usd, '') as decimal(38, 8))
            when dated.seats_policy is not null then cast(dated.monthly_amount_usd as decimal(38, 8))
            else configured.monthly_amount_usd
        end as monthly_amount_usd,
        months_closed.month is null or coalesce(frozen.console_keys, '') = 'owner'
            as is_console_key_charged,
        frozen.seats_policy is not null as is_frozen
    from months
    cross join configured
    left join frozen on months.month = frozen.month
    left join months_closed on months.month = months_closed.month
    left join dated on months.month = dated.month
)

select * from in_force
