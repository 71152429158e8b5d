-- The roster of the invented organisation as of a day: members, groups, roles and limits (admin.md); after money.sql.
-- `<table>_as_of`: the rows of one list, in the order in which the API gives them.

create macro organization_uuid() as '5b2f7c1e-8d44-4c7a-9a53-2e6f10c4d9aa';

create macro moment(day, who) as strftime(day + to_seconds(up_to(86399, dice(who, 'moment'), 0)), '%Y-%m-%dT%H:%M:%SZ');

create macro is_member(joined_on, left_on, as_of) as joined_on <= as_of and coalesce(left_on > as_of, true);

create macro role_on(n, turned_on, activity_date) as case
    when n = 0 then 'primary_owner'
    when n = 1 then 'owner'
    when n = 2 then 'membership_admin'
    when n % 11 = 5 and activity_date >= turned_on then 'managed'
    when n % 6 = 4 then 'managed'
    else 'user'
end;

create macro members_as_of(as_of) as table
select
    user_id as id,
    {
        'type': 'user',
        'id': user_id,
        'email': email_on(kind, local_part, turned_on, as_of),
        'name': person_name(local_part),
        'role': role_on(n, turned_on, as_of),
        'added_at': moment(joined_on, 'joined' || n)
    } as row
from people
where is_member(joined_on, left_on, as_of)
order by moment(joined_on, 'joined' || n) desc, id;

create macro invites_as_of(as_of) as table
select
    invite_id as id,
    {
        'type': 'invite',
        'id': invite_id,
        'email': email,
        'role': if(coalesce(n % 6 = 4, false), 'managed', 'user'),
        'status': invite_status(accepted_on, expires_on, as_of),
        'invited_at': moment(invited_on, invite_id),
        'expires_at': moment(expires_on, invite_id),
        'accepted_at': if(accepted_on <= as_of, moment(accepted_on, 'joined' || n), null),
        'rbac_group_ids': if(n is null or n % 15 = 14, [], [tagged_id('rbac_group', n % 4)])
    } as row
from invites
where invited_on <= as_of
order by moment(invited_on, invite_id) desc, id;

-- One row per group: when it is there, and what it is called from a day on. Two have one name.
create table groups as
select tagged_id('rbac_group', g) as group_id, *
from (values
    (0, 'Engineering', null, null, 'scim', date '2025-11-03', null),
    (1, 'Sales', 'Sales EMEA', date '2026-05-10', 'scim', date '2025-11-03', null),
    (2, 'Finance', null, null, 'scim', date '2025-11-03', null),
    (3, 'Forschung & Entwicklung', null, null, 'scim', date '2025-11-03', null),
    (4, 'Claude Code', null, null, 'direct', date '2026-01-15', null),
    (5, 'Managers', null, null, 'direct', date '2025-12-01', null),
    (6, 'AI pilots', null, null, 'direct', date '2025-12-15', date '2026-05-20'),
    (7, 'Finance', null, null, 'direct', date '2026-05-04', null),
    (8, 'Contractors', null, null, 'direct', date '2026-02-01', null)
) as v(g, name, new_name, renamed_on, source_type, created_on, deleted_on)
where given_seats() > 0;

-- One row per group and stay of a person in it; the last day is not in it.
create table memberships as
with wanted as (
    select
        n, n % 4 as g, date '2025-11-03' as from_on,
        case n % 15 when 7 then date '2026-04-10' when 3 then date '2026-05-14' end as until_on
    from people where n % 15 != 14
    union all
    select n, (n + 1) % 4, date '2026-04-10', null from people where n % 15 = 7
    union all
    select n, (n + 1) % 4, date '2026-05-14', null from people where n % 15 = 3
    union all
    select n, 4, date '2026-01-15', null from people where has_code
    union all
    select n, 5, date '2025-12-01', null from people where n % 10 = 0
    union all
    select n, 6, date '2025-12-15', date '2026-05-20' from people where n % 7 = 0
    union all
    select n, 7, date '2026-05-04', null from people where n % 8 = 6
)
select
    group_id, user_id, n,
    greatest(from_on, joined_on) as from_on,
    least(until_on, left_on) as until_on
from wanted
inner join groups using (g)
inner join people using (n)
where coalesce(greatest(from_on, joined_on) < least(until_on, left_on), true);

-- One row per person, group and UTC day on which they were in it.
create macro groups_held(first_date, last_date) as table
select user_id, group_id as rbac_group_id, days.activity_date
from memberships
inner join days
    on days.activity_date >= memberships.from_on
    and coalesce(days.activity_date <= memberships.until_on, true)
where days.activity_date between first_date and last_date;

create macro rbac_groups_as_of(as_of) as table
select
    group_id as id,
    {
        'type': 'rbac_group',
        'id': group_id,
        'name': if(renamed_on <= as_of, new_name, name),
        'source_type': source_type,
        -- Now and then the roles cannot be told.
        'role_ids': if(
            dice(g || '/' || as_of, 'roles') % 6 = 0,
            null,
            [tagged_id('rbac_role', 0), tagged_id('rbac_role', 1 + g % 2)]
        ),
        'created_at': moment(created_on, 'group' || g),
        'updated_at': moment(if(renamed_on <= as_of, renamed_on, created_on), 'group' || g)
    } as row
from groups
where created_on <= as_of and coalesce(deleted_on > as_of, true)
order by moment(created_on, 'group' || g), id;

create macro rbac_group_members_as_of(as_of) as table
select
    group_id as id,
    {
        'type': 'rbac_group_member',
        'rbac_group_id': group_id,
        'user_id': people.user_id,
        'email': email_on(kind, local_part, turned_on, as_of),
        'created_at': moment(from_on, group_id || people.n)
    } as row
from memberships
inner join people using (n)
where from_on <= as_of and coalesce(until_on > as_of, true)
order by moment(from_on, group_id || people.n), people.user_id;

create macro rbac_roles_as_of(as_of) as table
select
    tagged_id('rbac_role', r) as id,
    {
        'type': 'rbac_role',
        'id': tagged_id('rbac_role', r),
        'display_name': name,
        'source': {'type': source_type},
        'created_at': '2025-11-01T00:00:00Z',
        'updated_at': '2025-11-01T00:00:00Z'
    } as row
from (values (0, 'Base access', 'built_in'), (1, 'Code tools', 'custom'), (2, 'Connectors', 'custom')) as v(r, name, source_type)
where given_seats() > 0
order by r;

create macro rbac_role_permissions_as_of(as_of) as table
select
    tagged_id('rbac_role', r) as id,
    {
        'type': 'rbac_role_permission',
        'action': action,
        'resource': case resource_type
            when 'organization' then to_json({'type': resource_type, 'organization_id': organization_uuid()})
            else to_json({'type': resource_type, 'connector_id': resource_id})
        end
    } as row
from (values
    (0, 'capability_access_all_ga', 'organization', null), (1, 'claude_code', 'organization', null),
    (2, 'use', 'connector', 'github'), (2, 'use', 'connector', 'atlassian')
) as v(r, action, resource_type, resource_id)
where given_seats() > 0
order by r, action, resource_id;

create macro has_premium_seat(n) as n % 7 = 2;

-- One row per member, period and limit: the member's own, else that of a group, else of the seat tier, else none.
create macro spend_limits_as_of(as_of) as table
with month_to_date as (
    select user_id, sum(amount) as cents
    from cost_lines
    where is_visible(published_on, withdrawn_on, as_of)
        and activity_date >= date_trunc('month', cast(as_of as date)) and activity_date < as_of
    group by user_id
),
limits as (
    select
        people.*,
        case
            when n % 9 = 1 then {'type': 'user', 'amount': if(as_of >= date '2026-05-01', '90000', '75000')}
            when n % 10 = 9 then {'type': 'user', 'amount': '0'}
            when has_code and as_of >= date '2026-01-15' then {'type': 'rbac_group', 'amount': '50000'}
            when has_premium_seat(n) then {'type': 'seat_tier', 'amount': '40000'}
            else {'type': 'organization', 'amount': cast(null as varchar)}
        end as found
    from people
    where is_member(joined_on, left_on, as_of)
),
periods as (
    select *, 'monthly' as period, found.type as source_type, found.amount as amount from limits
    union all
    select *, 'daily' as period, 'user' as source_type, '5000' as amount from limits where n % 25 = 3
)
select
    user_id as id,
    {
        'scope': {'type': 'user', 'user_id': user_id},
        'actor': {
            'type': 'user_actor',
            'user_id': user_id,
            'email_address': email_on(kind, local_part, turned_on, as_of),
            'name': person_name(local_part),
            'deleted': false
        },
        'amount': amount,
        'currency': 'USD',
        'period': period,
        'period_to_date_spend':
            if(period = 'monthly', cast(cast(greatest(coalesce(cents, 0), 0) as decimal(18, 3)) as varchar), '0'),
        'source': case source_type
            when 'user' then to_json({'type': 'user', 'user_id': user_id})
            when 'rbac_group' then to_json({'type': 'rbac_group', 'rbac_group_id': tagged_id('rbac_group', 4)})
            when 'seat_tier' then to_json({'type': 'seat_tier', 'seat_tier': 'premium'})
            else to_json({'type': source_type})
        end,
        'spend_limit_id': tagged_id('spl', n || period)
    } as row
from periods
left join month_to_date using (user_id)
order by n, period desc;
