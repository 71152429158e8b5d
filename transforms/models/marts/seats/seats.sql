-- One row per person who holds, held or is invited to a seat; without a roster, per person seen in activity.
with

days as (
    select * from {{ ref('int_days') }}
),

people as (
    select * from {{ ref('int_people') }}
),

user_activity as (
    select * from {{ ref('user_activity_daily') }}
),

spend as (
    select * from {{ ref('spend_daily') }}
    where user_id is not null and (spend_usd > 0 or request_count > 0)
),

member_periods as (
    select * from {{ ref('int_member_periods') }}
),

snapshots as (
    select * from {{ ref('int_roster_snapshots') }}
),

invites as (
    select * from {{ ref('stg_invites') }}
),

department_periods as (
    select * from {{ ref('int_department_periods') }}
),

org_chart as (
    select * from {{ ref('stg_org_chart') }}
),

price_periods as (
    select * from {{ ref('int_seat_price_periods') }}
),

newest_day as (
    select
        min(activity_date) as history_start_date,
        max(activity_date) as as_of_date,
        cast({{ var('dormant_after_days') }} as bigint) as dormant_after_days,
        cast({{ var('grace_days') }} as bigint) as grace_days
    from days
    where is_users_loaded
),

coverage as (
    select
        newest_day.history_start_date,
        newest_day.as_of_date,
        newest_day.dormant_after_days,
        newest_day.grace_days,
        count(
            case
                when {{ days_from('days.activity_date', 'newest_day.as_of_date') }} < newest_day.dormant_after_days
                    then 1
            end
        ) as covered_days_until_dormant,
        count(
            case when {{ days_from('days.activity_date', 'newest_day.as_of_date') }} < 28 then 1 end
        ) as covered_days_in_28
    from newest_day
    inner join days on newest_day.as_of_date >= days.activity_date and days.is_users_loaded
    group by
        newest_day.history_start_date,
        newest_day.as_of_date,
        newest_day.dormant_after_days,
        newest_day.grace_days
),

-- Days of people that the API has and that are not known: nobody is idle by what came before them.
newer_days as (
    select count(*) as newer_day_count
    from newest_day
    inner join days on newest_day.as_of_date < days.activity_date
),

spend_by_person as (
    select
        spend.user_id,
        max(spend.activity_date) as last_spend_date,
        count(
            distinct case
                when
                    spend.activity_date <= coverage.as_of_date
                    and {{ days_from('spend.activity_date', 'coverage.as_of_date') }} < 28
                    then spend.activity_date
            end
        ) as spend_days_in_28
    from spend
    cross join coverage
    group by spend.user_id
),

activity_by_person as (
    select
        user_activity.user_id,
        min(case when user_activity.is_active then user_activity.activity_date end) as first_active_date,
        max(case when user_activity.is_active then user_activity.activity_date end) as last_active_date,
        count(
            case
                when
                    user_activity.is_active
                    and {{ days_from('user_activity.activity_date', 'coverage.as_of_date') }} < 28
                    then 1
            end
        ) as active_days_in_28
    from user_activity
    inner join coverage on user_activity.activity_date <= coverage.as_of_date
    group by user_activity.user_id
),

newest_rosters as (
    select
        max(case when roster_table = 'members' then newest_snapshot_at end) as members_at,
        max(case when roster_table = 'invites' then newest_snapshot_at end) as invites_at
    from snapshots
),

member_periods_in_order as (
    select
        member_periods.*,
        row_number() over (partition by user_id order by valid_from_date desc) as periods_since
    from member_periods
),

newest_members as (
    select
        user_id,
        role,
        joined_date,
        {{ email_key('email') }} as email_key,
        nullif(valid_until_date, cast('9999-12-31' as date)) as left_date,
        valid_until_date = cast('9999-12-31' as date) as is_member
    from member_periods_in_order
    where periods_since = 1
),

seat_holders as (
    select user_id from activity_by_person
    union distinct
    select user_id from newest_members
),

-- Who was active after the newest snapshot has a seat that it does not know yet.
holders as (
    select
        seat_holders.user_id,
        people.email,
        people.name,
        {{ email_key('people.email') }} as email_key,
        newest_members.email_key as roster_email_key,
        newest_members.role,
        newest_members.joined_date,
        newest_members.left_date,
        coalesce(
            newest_members.is_member
            or activity_by_person.last_active_date > cast(newest_rosters.members_at as date),
            false
        ) as is_member,
        newest_rosters.members_at is not null as has_roster
    from seat_holders
    inner join people on seat_holders.user_id = people.user_id
    cross join newest_rosters
    left join newest_members on seat_holders.user_id = newest_members.user_id
    left join activity_by_person on seat_holders.user_id = activity_by_person.user_id
),

member_emails as (
    select email_key from holders
    where is_member and email_key is not null
    union distinct
    select roster_email_key as email_key from holders
    where is_member and roster_email_key is not null
),

-- An invitation that was accepted, expired or deleted, or that went to somebody who is a member, is none any more.
open_invites as (
    select
        invites.email,
        {{ email_key('invites.email') }} as email_key,
        invites.role,
        cast(invites.invited_at as date) as invited_date,
        row_number() over (
            partition by {{ email_key('invites.email') }}
            order by invites.invited_at desc, invites.invite_id asc
        ) as invites_since
    from invites
    inner join newest_rosters
        on
            newest_rosters.members_at is not null
            and invites.valid_from_at <= newest_rosters.invites_at
            and (invites.valid_until_at is null or invites.valid_until_at > newest_rosters.invites_at)
            and (invites.expires_at is null or invites.expires_at > newest_rosters.invites_at)
    where
        invites.status = 'pending'
        and invites.email is not null
        and {{ email_key('invites.email') }} not in (select member_emails.email_key from member_emails)
),

newest_invites as (
    select * from open_invites
    where invites_since = 1
),

-- Several ids can share an address, such as those of somebody who came back: the invitation is one.
invited_holders as (
    select
        newest_invites.email_key,
        max(holders.user_id) as user_id
    from newest_invites
    inner join holders on newest_invites.email_key = holders.email_key
    group by newest_invites.email_key
),

invite_departments as (
    select
        newest_invites.email_key,
        org_chart.department,
        org_chart.cost_center,
        org_chart.seat_tier,
        row_number() over (
            partition by newest_invites.email_key
            order by coalesce(org_chart.valid_from_date, cast('0001-01-01' as date)) desc
        ) as rows_since
    from newest_invites
    inner join org_chart on newest_invites.email_key = org_chart.email_key
    cross join coverage
    where org_chart.valid_from_date is null or org_chart.valid_from_date <= coverage.as_of_date
),

seat_people as (
    select
        holders.user_id,
        holders.email,
        holders.name,
        coalesce(newest_invites.role, holders.role) as role,
        department_periods.department,
        department_periods.cost_center,
        department_periods.seat_tier,
        holders.joined_date,
        newest_invites.invited_date,
        holders.left_date,
        holders.has_roster,
        holders.is_member,
        newest_invites.email_key is not null as is_invited
    from holders
    cross join coverage
    left join invited_holders on holders.user_id = invited_holders.user_id
    left join newest_invites on invited_holders.email_key = newest_invites.email_key
    left join department_periods
        on
            holders.user_id = department_periods.user_id
            and coverage.as_of_date >= department_periods.valid_from_date
            and coverage.as_of_date < department_periods.valid_until_date
    union all
    select
        cast(null as {{ dbt.type_string() }}) as user_id,
        newest_invites.email,
        cast(null as {{ dbt.type_string() }}) as name,
        newest_invites.role,
        invite_departments.department,
        invite_departments.cost_center,
        invite_departments.seat_tier,
        cast(null as date) as joined_date,
        newest_invites.invited_date,
        cast(null as date) as left_date,
        true as has_roster,
        false as is_member,
        true as is_invited
    from newest_invites
    left join invited_holders on newest_invites.email_key = invited_holders.email_key
    left join invite_departments
        on newest_invites.email_key = invite_departments.email_key and invite_departments.rows_since = 1
    where invited_holders.email_key is null
),

-- A person whose rows show no activity has 0 active days; who has no row that day was not active either.
with_activity as (
    select
        seat_people.*,
        coverage.as_of_date,
        coverage.history_start_date,
        activity_by_person.first_active_date,
        activity_by_person.last_active_date,
        {{ days_from('activity_by_person.last_active_date', 'coverage.as_of_date') }} as days_since_active,
        {{ days_from('seat_people.joined_date', 'coverage.as_of_date') }} as days_since_joined,
        spend_by_person.last_spend_date,
        case
            when seat_people.user_id is not null then coalesce(spend_by_person.spend_days_in_28, 0)
        end as spend_days_in_28,
        {{ days_from('spend_by_person.last_spend_date', 'coverage.as_of_date') }} as days_since_spend,
        case
            when coverage.covered_days_in_28 = 28 and seat_people.user_id is not null
                then coalesce(activity_by_person.active_days_in_28, 0)
        end as active_days_in_28,
        coverage.dormant_after_days,
        coverage.grace_days,
        coverage.covered_days_until_dormant,
        newer_days.newer_day_count
    from seat_people
    cross join coverage
    cross join newer_days
    left join activity_by_person on seat_people.user_id = activity_by_person.user_id
    left join spend_by_person on seat_people.user_id = spend_by_person.user_id
),

with_status as (
    select
        with_activity.*,
        case
            when has_roster and not is_member and is_invited then 'invited'
            when has_roster and not is_member then 'removed'
            when days_since_active < dormant_after_days then 'active'
            -- Who spent is not idle, whatever the days of people say.
            when days_since_spend < dormant_after_days then 'active'
            when
                days_since_joined < grace_days
                and (last_active_date is null or last_active_date < joined_date)
                then 'new'
            when covered_days_until_dormant < dormant_after_days or newer_day_count > 0 then 'unknown'
            when last_active_date is null and has_roster then 'never_active'
            else 'dormant'
        end as seat_status
    from with_activity
),

-- A tier without a price of its own costs the default price. Who holds no seat costs none.
with_price as (
    select
        with_status.user_id,
        with_status.as_of_date,
        with_status.email,
        with_status.name,
        with_status.role,
        coalesce(with_status.department, 'Unmapped') as department,
        with_status.cost_center,
        coalesce(with_status.seat_tier, 'default') as seat_tier,
        with_status.joined_date,
        with_status.invited_date,
        case when with_status.seat_status in ('invited', 'removed') then with_status.left_date end as left_date,
        with_status.first_active_date,
        with_status.last_active_date,
        with_status.last_spend_date,
        with_status.seat_status,
        with_status.days_since_active,
        with_status.active_days_in_28,
        with_status.spend_days_in_28,
        cast(
            case
                when with_status.seat_status not in ('invited', 'removed')
                    then coalesce(tier_prices.usd_per_month, default_prices.usd_per_month)
            end as decimal(38, 8)
        ) as seat_cost_usd_per_month,
        with_status.history_start_date
    from with_status
    left join price_periods as tier_prices
        on
            with_status.seat_tier = tier_prices.seat_tier
            and with_status.as_of_date >= tier_prices.valid_from_date
            and with_status.as_of_date < tier_prices.valid_until_date
    left join price_periods as default_prices
        on
            default_prices.seat_tier = 'default'
            and with_status.as_of_date >= default_prices.valid_from_date
            and with_status.as_of_date < default_prices.valid_until_date
)

select * from with_price
