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

product_activity as (
    select * from {{ ref('user_product_activity_daily') }}
    where is_active
),

access_reviews as (
    select * from {{ ref('stg_access_reviews') }}
),

rosters as (
    select
        min(case when roster_table = 'members' then cast(first_snapshot_at as date) end) as first_roster_date,
        max(case when roster_table = 'members' then cast(newest_snapshot_at as date) end) as roster_date,
        min(case when roster_table = 'spend_limits' then cast(first_snapshot_at as date) end) as first_limits_date,
        max(case when roster_table = 'spend_limits' then newest_snapshot_at end) as limits_at
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

-- A review without an e-mail is one of everybody.
reviews_of_seats as (
    select
        coalesce(seats.user_id, seats.email) as person_key,
        access_reviews.reviewed_date,
        access_reviews.reviewer,
        row_number() over (
            partition by coalesce(seats.user_id, seats.email)
            order by access_reviews.reviewed_date desc, access_reviews.email_key asc, access_reviews.reviewer asc
        ) as reviews_since
    from seats
    inner join access_reviews
        on access_reviews.email_key is null or {{ email_key('seats.email') }} = access_reviews.email_key
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
        limits_at_review_in_order.limit_usd as reviewed_limit_usd
    from seats
    cross join rosters
    left join last_uses on seats.user_id = last_uses.user_id
    left join last_reviews on coalesce(seats.user_id, seats.email) = last_reviews.person_key
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
                    )
                ]) }}
        end as changes_since_review,
        rbac_group_count,
        spend_limit_usd,
        case when has_limit_row then spend_limit_usd is null end as is_spend_unlimited,
        case when role is not null then role not in ('user', 'managed', 'developer', 'claude_code_user') end
            as is_privileged,
        coalesce(is_change_known, false) as is_change_known
    from with_texts
)

select * from with_changes
