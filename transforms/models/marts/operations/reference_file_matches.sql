-- One row per line of a reference file, or person whom no line reaches: whether it meets anybody or anything.
-- What is called otherwise today than in the file has a successor: the newest name of the same person or group.
with

people as (
    select * from {{ ref('int_people') }}
),

address_periods as (
    select * from {{ ref('int_address_periods') }}
),

group_names as (
    select * from {{ ref('int_group_names') }}
),

newest_groups as (
    select * from {{ ref('int_newest_groups') }}
),

org_chart as (
    select * from {{ ref('stg_org_chart') }}
),

org_chart_periods as (
    select * from {{ ref('int_org_chart_periods') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

cost_center_groups as (
    select * from {{ ref('stg_cost_center_groups') }}
),

settings as (
    select * from {{ ref('int_chargeback_settings') }}
),

newest_month as (
    select max(month) as month from settings
),

fixed_pools as (
    select 'metered' as cost_pool
    from settings
    inner join newest_month on settings.month = newest_month.month
    where settings.metered_policy = 'fixed'
    union all
    select 'seats' as cost_pool
    from settings
    inner join newest_month on settings.month = newest_month.month
    where settings.seats_policy = 'fixed'
    union all
    select 'shared' as cost_pool
    from settings
    inner join newest_month on settings.month = newest_month.month
    where settings.shared_policy = 'fixed'
),

-- Whose an address was last, and what theirs is today.
address_owners as (
    select
        email_key,
        user_id,
        row_number() over (partition by email_key order by last_seen_date desc, user_id asc) as owners_since
    from address_periods
),

addresses as (
    select
        address_owners.email_key,
        address_owners.user_id,
        {{ email_key('people.email') }} as newest_key
    from address_owners
    inner join people on address_owners.user_id = people.user_id
    where address_owners.owners_since = 1
),

group_keys as (
    select
        group_names.group_key,
        group_names.rbac_group_id,
        max(group_names.last_seen_date) as last_seen_date
    from group_names
    group by group_names.group_key, group_names.rbac_group_id
    union all
    select
        {{ name_key('rbac_group_id') }} as group_key,
        rbac_group_id,
        cast('9999-12-31' as date) as last_seen_date
    from newest_groups
),

group_keys_in_order as (
    select
        group_keys.group_key,
        newest_groups.name,
        row_number() over (
            partition by group_keys.group_key order by group_keys.last_seen_date desc, group_keys.rbac_group_id asc
        ) as groups_since,
        {{ name_key('newest_groups.name') }} as newest_key,
        group_keys.group_key = {{ name_key('group_keys.rbac_group_id') }} as is_id
    from group_keys
    inner join newest_groups on group_keys.rbac_group_id = newest_groups.rbac_group_id
),

departments as (
    select distinct {{ name_key('department') }} as department_key
    from department_periods
),

cost_centers as (
    select distinct {{ name_key('cost_center') }} as cost_center_key
    from department_periods
    where cost_center is not null
),

tiers as (
    select distinct seat_tier from org_chart_periods
    union distinct
    select 'default' as seat_tier
),

used_names as (
    select
        'approved_connectors' as reference_file,
        connector_name as name
    from {{ ref('connector_usage_daily') }}
    union distinct
    select
        'approved_connectors' as reference_file,
        connector_display_name as name
    from {{ ref('connector_usage_daily') }}
    union distinct
    select
        'approved_skills' as reference_file,
        skill_name as name
    from {{ ref('skill_usage_daily') }}
    union distinct
    select
        'approved_skills' as reference_file,
        skill_display_name as name
    from {{ ref('skill_usage_daily') }}
    union distinct
    select
        'approved_plugins' as reference_file,
        plugin_name as name
    from {{ ref('plugin_usage_daily') }}
    union distinct
    select
        'approved_plugins' as reference_file,
        plugin_id as name
    from {{ ref('plugin_usage_daily') }}
),

approvals as (
    select
        'approved_connectors' as reference_file,
        name
    from {{ ref('stg_approved_connectors') }}
    union all
    select
        'approved_skills' as reference_file,
        name
    from {{ ref('stg_approved_skills') }}
    union all
    select
        'approved_plugins' as reference_file,
        name
    from {{ ref('stg_approved_plugins') }}
),

approvals_in_use as (
    select distinct
        approvals.reference_file,
        approvals.name
    from approvals
    inner join used_names
        on
            approvals.reference_file = used_names.reference_file
            and {{ matches_pattern('used_names.name', 'approvals.name') }}
),

lines_of_people as (
    select
        'org_chart' as reference_file,
        email_key,
        cast(valid_from_date as {{ dbt.type_string() }}) as line_detail
    from org_chart
    union all
    select
        'exempt_seats' as reference_file,
        email_key,
        cast(null as {{ dbt.type_string() }}) as line_detail
    from {{ ref('stg_exempt_seats') }}
    union all
    select
        'access_reviews' as reference_file,
        email_key,
        cast(reviewed_date as {{ dbt.type_string() }}) as line_detail
    from {{ ref('stg_access_reviews') }}
    where email_key is not null
    union all
    select distinct
        'other_assistants' as reference_file,
        email_key,
        vendor as line_detail
    from {{ ref('stg_other_assistants') }}
    where email_key is not null
),

person_lines as (
    select
        lines_of_people.reference_file,
        'line' as line_type,
        lines_of_people.email_key as line_name,
        lines_of_people.line_detail,
        addresses.user_id is not null as is_matched,
        case when addresses.newest_key <> lines_of_people.email_key then addresses.newest_key end as likely_successor,
        case when addresses.user_id is null then 'nobody has or had this address' end as reason,
        addresses.user_id
    from lines_of_people
    left join addresses on lines_of_people.email_key = addresses.email_key
),

group_lines as (
    select
        'cost_center_groups' as reference_file,
        'line' as line_type,
        cost_center_groups.group_key as line_name,
        cast(null as {{ dbt.type_string() }}) as line_detail,
        group_keys_in_order.group_key is not null as is_matched,
        case
            when not group_keys_in_order.is_id and group_keys_in_order.newest_key <> cost_center_groups.group_key
                then group_keys_in_order.name
        end as likely_successor,
        case when group_keys_in_order.group_key is null then 'no group has or had this name or id' end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from cost_center_groups
    left join group_keys_in_order
        on
            cost_center_groups.group_key = group_keys_in_order.group_key
            and group_keys_in_order.groups_since = 1
),

price_lines as (
    select
        'seat_prices' as reference_file,
        'line' as line_type,
        seat_prices.seat_tier as line_name,
        cast(seat_prices.valid_from_date as {{ dbt.type_string() }}) as line_detail,
        tiers.seat_tier is not null as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case when tiers.seat_tier is null then 'nobody has a seat of this tier' end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from {{ ref('stg_seat_prices') }} as seat_prices
    left join tiers on seat_prices.seat_tier = tiers.seat_tier
),

share_lines as (
    select
        'fixed_shares' as reference_file,
        'line' as line_type,
        fixed_shares.department as line_name,
        fixed_shares.cost_pool || coalesce(', ' || fixed_shares.cost_center, '') as line_detail,
        departments.department_key is not null and fixed_pools.cost_pool is not null as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case
            when departments.department_key is null then 'nobody is in this department'
            when fixed_pools.cost_pool is null then 'the policy of this pool is not fixed'
        end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from {{ ref('stg_fixed_shares') }} as fixed_shares
    left join departments on {{ name_key('fixed_shares.department') }} = departments.department_key
    left join fixed_pools on fixed_shares.cost_pool = fixed_pools.cost_pool
),

policy_lines as (
    select
        'chargeback_policies' as reference_file,
        'line' as line_type,
        policies.cost_pool as line_name,
        cast(policies.valid_from_date as {{ dbt.type_string() }}) as line_detail,
        policies.valid_from_date is null or policies.valid_from_date <= newest_month.month as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case when policies.valid_from_date > newest_month.month then 'no month has begun in which it is in force' end
            as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from {{ ref('stg_chargeback_policies') }} as policies
    cross join newest_month
),

budget_lines as (
    select
        'budgets' as reference_file,
        'line' as line_type,
        budgets.cost_center as line_name,
        cast(budgets.valid_from_date as {{ dbt.type_string() }}) as line_detail,
        cost_centers.cost_center_key is not null as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case when cost_centers.cost_center_key is null then 'nobody is in this cost center' end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from {{ ref('stg_budgets') }} as budgets
    left join cost_centers on {{ name_key('budgets.cost_center') }} = cost_centers.cost_center_key
),

holiday_lines as (
    select
        'holidays' as reference_file,
        'line' as line_type,
        cast(holidays.holiday_date as {{ dbt.type_string() }}) as line_name,
        holidays.holiday_name as line_detail,
        calendar.calendar_date is not null as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case when calendar.calendar_date is null then 'the calendar does not have this day' end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from {{ ref('stg_holidays') }} as holidays
    left join {{ ref('calendar') }} as calendar on holidays.holiday_date = calendar.calendar_date
),

approval_lines as (
    select
        approvals.reference_file,
        'line' as line_type,
        approvals.name as line_name,
        cast(null as {{ dbt.type_string() }}) as line_detail,
        approvals_in_use.name is not null as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        case when approvals_in_use.name is null then 'nothing of this name was used' end as reason,
        cast(null as {{ dbt.type_string() }}) as user_id
    from approvals
    left join approvals_in_use
        on approvals.reference_file = approvals_in_use.reference_file and approvals.name = approvals_in_use.name
),

-- Where departments come from a file, everybody whom it leaves out.
files_of_people as (
    select
        'org_chart' as reference_file,
        'org_chart' as cost_centers_from
    where exists (select 1 from org_chart)
    union all
    select
        'cost_center_groups' as reference_file,
        'groups' as cost_centers_from
    where exists (select 1 from cost_center_groups)
),

unmapped_people as (
    select
        files_of_people.reference_file,
        'person' as line_type,
        coalesce({{ email_key('people.email') }}, people.user_id) as line_name,
        people.user_id as line_detail,
        false as is_matched,
        cast(null as {{ dbt.type_string() }}) as likely_successor,
        'no line is in force for this person today' as reason,
        people.user_id
    from people
    inner join department_periods
        on
            people.user_id = department_periods.user_id
            and department_periods.valid_until_date = cast('9999-12-31' as date)
            and department_periods.department = 'Unmapped'
    inner join settings on settings.month = (select newest_month.month from newest_month)
    inner join files_of_people on settings.cost_centers_from = files_of_people.cost_centers_from
),

matches as (
    select * from person_lines
    union all
    select * from group_lines
    union all
    select * from price_lines
    union all
    select * from share_lines
    union all
    select * from policy_lines
    union all
    select * from budget_lines
    union all
    select * from holiday_lines
    union all
    select * from approval_lines
    union all
    select * from unmapped_people
)

select * from matches
