-- One row per person who has access or is invited to it: what they may do, what they do, and what changed since the
-- last review.
with

seats as (
    select * from {{ ref('seats') }}
    where seat_status <> 'removed'
),

roster_periods as (
    select * from {{ ref('roster_periods') }}
),

spend_limits as (
    select * from {{ ref('stg_spend_limits') }}
    where user_id is not null and period = 'monthly'
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
),

permission_periods as (
    select * from {{ ref('int_permission_periods') }}
),

api_keys as (
    select * from {{ ref('stg_api_keys') }}
    where status = 'active'
),

workspace_members as (
    select * from {{ ref('stg_workspace_members') }}
),

product_activity as (
    select * from {{ ref('user_product_activity_daily') }}
    where is_active
),

access_reviews as (
    select * from {{ ref('stg_access_reviews') }}
),

address_periods as (
    select * from {{ ref('int_address_periods') }}
),

rosters as (
    select
        min(case when roster_table = 'members' then cast(first_snapshot_at as date) end) as first_roster_date,
        max(case when roster_table = 'members' then cast(newest_snapshot_at as date) end) as roster_date,
        min(case when roster_table = 'spend_limits' then cast(first_snapshot_at as date) end) as first_limits_date,
        max(case when roster_table = 'spend_limits' then newest_snapshot_at end) as limits_at,
        min(case when roster_table = 'rbac_role_permissions' then cast(first_snapshot_at as date) end)
            as first_permissions_date,
        max(case when roster_table = 'api_keys' then newest_snapshot_at end) as api_keys_at,
        max(case when roster_table = 'workspace_members' then newest_snapshot_at end) as workspace_members_at
    from snapshots
),

last_uses as (
    select
        user_id,
        max(case when product = 'chat' then activity_date end) as last_chat_date,
        max(case when product = 'claude_code' then activity_date end) as last_claude_code_date,
        max(case when product = 'cowork' then activity_date end) as last_cowork_date,
        max(case when product = 'office_agent' then activity_date end) as last_office_agent_date,
        max(case when product = 'claude_design' then activity_date end) as last_claude_design_date,
        max(case when product = 'science' then activity_date end) as last_science_date,
        max(case when product = 'claude_tag' then activity_date end) as last_claude_tag_date
    from product_activity
    group by user_id
),

-- A review is one of who had the address on its day, or else of who had it nearest to that day.
reviewed_people as (
    select
        access_reviews.email_key,
        access_reviews.reviewed_date,
        access_reviews.reviewer,
        address_periods.user_id,
        rank() over (
            partition by access_reviews.email_key, access_reviews.reviewed_date
            order by
                case
                    when
                        access_reviews.reviewed_date >= address_periods.valid_from_date
                        and access_reviews.reviewed_date < address_periods.valid_until_date
                        and coalesce(access_reviews.reviewed_date > address_periods.received_date, true)
                        and coalesce(access_reviews.reviewed_date < address_periods.passed_on_date, true)
                        then 1
                    else 2
                end asc,
                case
                    when access_reviews.reviewed_date < address_periods.first_seen_date
                        then {{ days_from('access_reviews.reviewed_date', 'address_periods.first_seen_date') }}
                    when access_reviews.reviewed_date > address_periods.last_seen_date
                        then {{ days_from('address_periods.last_seen_date', 'access_reviews.reviewed_date') }}
                    else 0
                end asc
        ) as place
    from access_reviews
    inner join address_periods on access_reviews.email_key = address_periods.email_key
),

-- A review without an e-mail is one of everybody. Who is only invited has no id yet.
reviews as (
    select
        coalesce(seats.user_id, seats.email) as person_key,
        access_reviews.email_key,
        access_reviews.reviewed_date,
        access_reviews.reviewer
    from seats
    inner join access_reviews
        on
            access_reviews.email_key is null
            or (seats.user_id is null and {{ email_key('seats.email') }} = access_reviews.email_key)
    union all
    select
        user_id as person_key,
        email_key,
        reviewed_date,
        reviewer
    from reviewed_people
    where place = 1
),

reviews_of_seats as (
    select
        reviews.*,
        row_number() over (
            partition by person_key order by reviewed_date desc, email_key asc, reviewer asc
        ) as reviews_since
    from reviews
),

last_reviews as (
    select
        person_key,
        reviewed_date,
        reviewer
    from reviews_of_seats
    where reviews_since = 1
),

limits_in_order as (
    select
        spend_limits.user_id,
        spend_limits.limit_usd,
        row_number() over (
            partition by spend_limits.user_id order by spend_limits.valid_from_at desc, spend_limits.limit_usd desc
        ) as limits_since
    from spend_limits
    inner join rosters
        on
            spend_limits.valid_from_at <= rosters.limits_at
            and (spend_limits.valid_until_at is null or spend_limits.valid_until_at > rosters.limits_at)
),

limits_at_review_in_order as (
    select
        seats.user_id,
        spend_limits.limit_usd,
        row_number() over (
            partition by seats.user_id order by spend_limits.valid_from_at desc, spend_limits.limit_usd desc
        ) as limits_since
    from seats
    inner join last_reviews on coalesce(seats.user_id, seats.email) = last_reviews.person_key
    inner join spend_limits
        on
            seats.user_id = spend_limits.user_id
            and last_reviews.reviewed_date >= cast(spend_limits.valid_from_at as date)
            and (
                spend_limits.valid_until_at is null
                or last_reviews.reviewed_date < cast(spend_limits.valid_until_at as date)
            )
),

permissions_now as (
    select distinct
        user_id,
        role_name,
        permission
    from permission_periods
    where valid_until_date = cast('9999-12-31' as date)
),

roles_now as (
    select distinct
        user_id,
        role_name
    from permissions_now
),

roles_by_person as (
    select
        roles_now.user_id,
        {{ dbt.listagg('roles_now.role_name', "', '", 'order by roles_now.role_name') }} as rbac_role_names
    from roles_now
    group by roles_now.user_id
),

held_now as (
    select distinct
        user_id,
        permission
    from permissions_now
),

permissions_by_person as (
    select
        held_now.user_id,
        {{ dbt.listagg('held_now.permission', "'; '", 'order by held_now.permission') }} as permissions,
        count(*) as permission_count
    from held_now
    group by held_now.user_id
),

permissions_at_review_by_person as (
    select
        held.person_key,
        {{ dbt.listagg('held.permission', "'; '", 'order by held.permission') }} as permissions
    from (
        select distinct
            last_reviews.person_key,
            permission_periods.permission
        from last_reviews
        inner join permission_periods
            on
                last_reviews.person_key = permission_periods.user_id
                and last_reviews.reviewed_date >= permission_periods.valid_from_date
                and last_reviews.reviewed_date < permission_periods.valid_until_date
    ) as held
    group by held.person_key
),

-- A key acts as its principal, where it has one, and else is whose who made it.
keys_by_person as (
    select
        coalesce(api_keys.principal_user_id, api_keys.creator_user_id) as user_id,
        count(*) as api_key_count
    from api_keys
    inner join rosters
        on
            api_keys.valid_from_at <= rosters.api_keys_at
            and (api_keys.valid_until_at is null or api_keys.valid_until_at > rosters.api_keys_at)
    where api_keys.service_account_id is null
    group by coalesce(api_keys.principal_user_id, api_keys.creator_user_id)
),

workspaces_by_person as (
    select
        workspace_members.user_id,
        count(*) as workspace_count,
        count(case when workspace_members.workspace_role = 'workspace_admin' then 1 end) as workspace_admin_count
    from workspace_members
    inner join rosters
        on
            workspace_members.valid_from_at <= rosters.workspace_members_at
            and (
                workspace_members.valid_until_at is null
                or workspace_members.valid_until_at > rosters.workspace_members_at
            )
    group by workspace_members.user_id
),

compared as (
    select
        seats.user_id,
        seats.as_of_date,
        rosters.roster_date,
        seats.email,
        seats.name,
        seats.department,
        seats.seat_status,
        seats.role,
        now_periods.rbac_group_names,
        now_periods.rbac_group_count,
        limits_in_order.limit_usd as spend_limit_usd,
        limits_in_order.user_id is not null as has_limit_row,
        seats.joined_date,
        seats.last_active_date,
        last_uses.last_chat_date,
        last_uses.last_claude_code_date,
        last_uses.last_cowork_date,
        last_uses.last_office_agent_date,
        last_uses.last_claude_design_date,
        last_uses.last_science_date,
        last_uses.last_claude_tag_date,
        last_reviews.reviewed_date as last_review_date,
        last_reviews.reviewer,
        last_reviews.reviewed_date >= rosters.first_roster_date
        and seats.user_id is not null as is_change_known,
        then_periods.user_id is not null as had_seat,
        then_periods.role as reviewed_role,
        then_periods.rbac_group_names as reviewed_rbac_group_names,
        then_periods.rbac_group_count as reviewed_rbac_group_count,
        last_reviews.reviewed_date >= rosters.first_limits_date as is_limit_change_known,
        limits_at_review_in_order.user_id is not null as had_limit_row,
        limits_at_review_in_order.limit_usd as reviewed_limit_usd,
        roles_by_person.rbac_role_names,
        permissions_by_person.permissions,
        case
            when rosters.first_permissions_date is not null
                then cast(coalesce(permissions_by_person.permission_count, 0) as bigint)
        end as permission_count,
        last_reviews.reviewed_date >= rosters.first_permissions_date as is_permission_change_known,
        permissions_at_review_by_person.permissions as reviewed_permissions,
        case
            when rosters.api_keys_at is not null then cast(coalesce(keys_by_person.api_key_count, 0) as bigint)
        end as api_key_count,
        case
            when rosters.workspace_members_at is not null
                then cast(coalesce(workspaces_by_person.workspace_count, 0) as bigint)
        end as workspace_count,
        case
            when rosters.workspace_members_at is not null
                then cast(coalesce(workspaces_by_person.workspace_admin_count, 0) as bigint)
        end as workspace_admin_count
    from seats
    cross join rosters
    left join roles_by_person on seats.user_id = roles_by_person.user_id
    left join permissions_by_person on seats.user_id = permissions_by_person.user_id
    left join keys_by_person on seats.user_id = keys_by_person.user_id
    left join workspaces_by_person on seats.user_id = workspaces_by_person.user_id
    left join last_uses on seats.user_id = last_uses.user_id
    left join last_reviews on coalesce(seats.user_id, seats.email) = last_reviews.person_key
    left join permissions_at_review_by_person
        on last_reviews.person_key = permissions_at_review_by_person.person_key
    left join roster_periods as now_periods
        on seats.user_id = now_periods.user_id and now_periods.valid_until_date is null
    left join roster_periods as then_periods
        on
            seats.user_id = then_periods.user_id
            and last_reviews.reviewed_date >= then_periods.valid_from_date
            and (
                then_periods.valid_until_date is null
                or last_reviews.reviewed_date < then_periods.valid_until_date
            )
    left join limits_in_order on seats.user_id = limits_in_order.user_id and limits_in_order.limits_since = 1
    left join limits_at_review_in_order
        on seats.user_id = limits_at_review_in_order.user_id and limits_at_review_in_order.limits_since = 1
),

with_texts as (
    select
        compared.*,
        case
            when has_limit_row then coalesce(cast(spend_limit_usd as {{ dbt.type_string() }}), 'unlimited')
            else 'none'
        end as limit_text,
        case
            when had_limit_row then coalesce(cast(reviewed_limit_usd as {{ dbt.type_string() }}), 'unlimited')
            else 'none'
        end as reviewed_limit_text
    from compared
),

with_changes as (
    select
        user_id,
        as_of_date,
        roster_date,
        email,
        name,
        department,
        seat_status,
        role,
        rbac_group_names,
        joined_date,
        last_active_date,
        last_chat_date,
        last_claude_code_date,
        last_cowork_date,
        last_office_agent_date,
        last_claude_design_date,
        last_science_date,
        last_claude_tag_date,
        last_review_date,
        reviewer,
        case
            when is_change_known
                then {{ reasons([
                    ("not had_seat", "'seat since'"),
                    ("had_seat and role <> reviewed_role", "'role ' || reviewed_role || ' to ' || role"),
                    (
                        "had_seat and rbac_group_count is not null and reviewed_rbac_group_count is not null"
                        ~ " and coalesce(rbac_group_names, '') <> coalesce(reviewed_rbac_group_names, '')",
                        "'groups ' || coalesce(reviewed_rbac_group_names, 'none')"
                        ~ " || ' to ' || coalesce(rbac_group_names, 'none')"
                    ),
                    (
                        "is_limit_change_known and limit_text <> reviewed_limit_text",
                        "'spend limit ' || reviewed_limit_text || ' to ' || limit_text"
                    ),
                    (
                        "is_permission_change_known"
                        ~ " and coalesce(permissions, '') <> coalesce(reviewed_permissions, '')",
                        "'permissions ' || coalesce(reviewed_permissions, 'none')"
                        ~ " || ' to ' || coalesce(permissions, 'none')"
                    )
                ]) }}
        end as changes_since_review,
        rbac_group_count,
        rbac_role_names,
        permissions,
        permission_count,
        api_key_count,
        workspace_count,
        workspace_admin_count,
        spend_limit_usd,
        case when has_limit_row then spend_limit_usd is null end as is_spend_unlimited,
        case when role is not null then role not in ('user', 'managed', 'developer', 'claude_code_user') end
            as is_privileged,
        coalesce(is_change_known, false) as is_change_known
    from with_texts
)

select * from with_changes
