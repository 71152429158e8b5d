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

create macro actor_of(user_id, kind, local_part, turned_on, as_of) as {
    'type': 'user_actor',
    'user_id': user_id,
    'email_address': email_on(kind, local_part, turned_on, as_of),
    'name': person_name(local_part),
    'deleted': false
};

-- One row per limit that somebody set, grouped by what it applies to; whose own limit it is, by person.
create macro configured_spend_limits_as_of(as_of) as table
with limits as (
    select 0 as place, 0 as n, null as amount, to_json({'type': 'organization'}) as scope, date '2025-11-03' as set_on
    where given_seats() > 0
    union all
    select 1, 0, '40000', to_json({'type': 'seat_tier', 'seat_tier': 'premium'}), date '2025-11-03'
    where given_seats() > 0
    union all
    select 2, 0, '50000', to_json({'type': 'rbac_group', 'rbac_group_id': tagged_id('rbac_group', 4)}), date '2026-01-15'
    where given_seats() > 0
    union all
    select
        4, n,
        case when n % 9 != 1 then '0' when as_of >= date '2026-05-01' then '90000' else '75000' end,
        to_json({'type': 'user', 'user_id': user_id}),
        if(n % 9 = 1 and as_of >= date '2026-05-01', date '2026-05-01', joined_on)
    from people
    where is_member(joined_on, left_on, as_of) and (n % 9 = 1 or n % 10 = 9)
)
select
    tagged_id('spl', 'set' || place || '/' || n) as id,
    {
        'type': 'spend_limit',
        'id': tagged_id('spl', 'set' || place || '/' || n),
        'amount': amount,
        'currency': 'USD',
        'period': 'monthly',
        'is_enabled': true,
        'scope': scope,
        'created_at': moment(date '2025-11-03', 'limit' || place || '/' || n),
        'updated_at': moment(set_on, 'limit' || place || '/' || n)
    } as row
from limits
where set_on <= as_of
order by place, n;

-- One row per request for a higher limit: some are decided the next day, some days later, the newest not yet.
create macro spend_limit_increase_requests_as_of(as_of) as table
with requests as (
    select
        people.*,
        greatest(joined_on, date '2026-01-12') + cast(dice(n, 'asked') % 100 as integer) as asked_on,
        cast(1 + dice(n, 'decided') % 6 as integer) as days_to_wait,
        if(dice(n, 'denied') % 4 = 0, 'denied', 'approved') as decision
    from people
    where n % 5 = 3 and is_member(joined_on, left_on, as_of)
),
owner as (
    select * from people where n = 1
)
select
    tagged_id('slir', requests.n) as id,
    {
        'type': 'spend_limit_increase_request',
        'id': tagged_id('slir', requests.n),
        'actor': actor_of(requests.user_id, requests.kind, requests.local_part, requests.turned_on, as_of),
        'period': 'monthly',
        'status': if(asked_on + days_to_wait <= as_of, decision, 'pending'),
        'created_at': moment(asked_on, 'asked' || requests.n),
        'resolved_at': if(asked_on + days_to_wait <= as_of, moment(asked_on + days_to_wait, 'decided' || requests.n), null),
        'resolved_by': if(
            asked_on + days_to_wait <= as_of,
            actor_of(owner.user_id, owner.kind, owner.local_part, owner.turned_on, as_of),
            null
        ),
        'spend_summary': null
    } as row
from requests
cross join owner
where asked_on <= as_of
order by moment(asked_on, 'asked' || requests.n) desc, id;

-- One row per workspace of the Console; the first one is the default.
create table workspaces as
select tagged_id('wrkspc', w) as workspace_id, *
from (values
    (0, 'Default', date '2025-11-03', null),
    (1, 'Production', date '2025-11-10', null),
    (2, 'Research', date '2026-02-02', null),
    (3, 'Hackathon 2025', date '2025-11-20', date '2026-01-30')
) as v(w, name, created_on, archived_on)
where given_seats() > 0;

create macro workspaces_as_of(as_of) as table
select
    workspace_id as id,
    {
        'type': 'workspace',
        'id': workspace_id,
        'name': name,
        'display_color': '#6C5BB9',
        'compartment_id': md5('compartment' || w),
        'external_key_id': null,
        'user_profile_id': null,
        'tags': if(w = 1, to_json({'stage': 'production'}), to_json(map {})),
        'data_residency': {
            'workspace_geo': 'us',
            'default_inference_geo': 'global',
            'allowed_inference_geos': if(w = 1, to_json(['us', 'global']), to_json('unrestricted'))
        },
        'created_at': moment(created_on, 'workspace' || w),
        'archived_at': if(archived_on <= as_of, moment(archived_on, 'archived' || w), null)
    } as row
from workspaces
where created_on <= as_of
order by moment(created_on, 'workspace' || w) desc, id;

create macro workspace_members_as_of(as_of) as table
select
    user_id as id,
    {
        'type': 'workspace_member',
        'workspace_id': workspace_id,
        'user_id': user_id,
        'workspace_role': case when n < 3 then 'workspace_admin' when w = 1 then 'workspace_developer' else 'workspace_user' end
    } as row
from people
inner join workspaces on w = 0 or n < 3 or n % 4 = w
where (n < 3 or has_code) and is_member(joined_on, left_on, as_of) and created_on <= as_of
order by n desc;

-- One row per key of the Console: whose it is, and when it changed. Some never expire, some are never used, some outlive
-- those who made them.
create table console_keys as
with keys as (
    select * from (values
        ('legacy', 'legacy integration', 1, 'user', date '2025-11-12', null, null),
        ('nightly', 'nightly reports', 1, 'service_account', date '2026-01-08', date '2026-12-31', null),
        ('trial', 'trial 2025', 3, 'user', date '2025-11-21', null, date '2026-01-30'),
        ('notebook', 'notebook', 2, 'user', date '2026-02-10', date '2026-05-11', null)
    ) as v(key, name, w, owner_type, created_on, expires_on, archived_on)
    where given_seats() > 0
)
select
    keys.*,
    tagged_id('apikey', key) as api_key_id,
    case
        when key = 'trial' then (select user_id from people where left_on is not null order by left_on, n limit 1)
        else (select user_id from people where n = 1)
    end as creator_id
from keys;

create macro api_keys_as_of(as_of) as table
select
    api_key_id as id,
    {
        'type': 'api_key',
        'id': api_key_id,
        'name': name,
        'status': case
            when archived_on <= as_of then 'archived'
            when expires_on <= as_of then 'expired'
            else 'active'
        end,
        'partial_key_hint': 'sk-ant-api03-' || substr(md5(key), 1, 3) || '...' || substr(md5(key), 4, 4),
        'created_at': moment(created_on, 'key' || key),
        'created_by': if(creator_id is null, null, {'id': creator_id, 'type': 'user'}),
        'expires_at': if(expires_on is null, null, moment(expires_on, 'end' || key)),
        'principal': case owner_type
            when 'service_account'
                then to_json({'type': 'service_account_actor', 'service_account_id': tagged_id('svac', 'nightly reports')})
        end,
        'scope': {'type': 'workspace', 'workspace_id': tagged_id('wrkspc', w)}
    } as row
from console_keys
where created_on <= as_of
order by moment(created_on, 'key' || key) desc, id;

create table service_accounts as
select tagged_id('svac', name) as service_account_id, *
from (values
    ('nightly reports', 'developer', date '2025-12-01', null),
    ('release bot', 'admin', date '2025-12-08', null),
    ('old importer', 'developer', date '2025-11-15', date '2026-02-15')
) as v(name, organization_role, created_on, archived_on)
where given_seats() > 0;

create macro made_by(made_on, what, archived_on, as_of) as {
    'created_at': moment(made_on, what),
    'created_by_actor_id': (select user_id from people where n = 1),
    'updated_at': moment(if(archived_on <= as_of, archived_on, made_on), what),
    'updated_by_actor_id': (select user_id from people where n = 1),
    'archived_at': if(archived_on <= as_of, moment(archived_on, what), null),
    'archived_by_actor_id': if(archived_on <= as_of, (select user_id from people where n = 1), null)
};

create macro service_accounts_as_of(as_of) as table
select
    service_account_id as id,
    struct_concat(
        {'type': 'service_account', 'id': service_account_id, 'name': replace(name, ' ', '-'),
                 'description': null, 'organization_role': organization_role},
        made_by(created_on, name, archived_on, as_of)
    ) as row
from service_accounts
where created_on <= as_of
order by moment(created_on, name) desc, id;

create macro service_account_workspaces_as_of(as_of) as table
select
    service_account_id as id,
    {
        'type': 'service_account_workspace_member',
        'service_account_id': service_account_id,
        'workspace_id': workspace_id,
        'workspace_role': if(w = 1, 'workspace_developer', 'workspace_user'),
        'implicit': w = 0,
        'created_by_actor_id': if(w = 0, null, (select user_id from people where n = 1))
    } as row
from service_accounts
inner join workspaces on w = 0 or (w = 1 and service_accounts.name != 'old importer')
where coalesce(service_accounts.archived_on > as_of, true) and workspaces.created_on <= as_of
order by service_accounts.name, w;

create macro federation_issuers_as_of(as_of) as table
select
    tagged_id('fdis', name) as id,
    struct_concat(
        {
            'type': 'federation_issuer', 'id': tagged_id('fdis', name), 'name': name, 'issuer_url': url, 'check_jti': true,
            'max_jwt_lifetime_seconds': 3600, 'jwks': {'type': 'discovery'}, 'poll_status': {'consecutive_failures': 0}
        },
        made_by(created_on, name, archived_on, as_of)
    ) as row
from (values
    ('ci', 'https://token.actions.example', date '2026-01-20', null),
    ('old-ci', 'https://ci.northwind.example', date '2025-11-25', date '2026-03-01')
) as v(name, url, created_on, archived_on)
where given_seats() > 0 and created_on <= as_of
order by moment(created_on, name) desc, id;

create macro federation_rules_as_of(as_of) as table
select
    tagged_id('fdrl', 'release') as id,
    struct_concat(
        {
            'type': 'federation_rule', 'id': tagged_id('fdrl', 'release'), 'name': 'release', 'description': null,
            'issuer_id': tagged_id('fdis', 'ci'), 'issuer_name': 'ci',
            'match': {'subject_prefix': 'repo:northwind/app:*', 'claims': {'environment': 'production'}},
            'target': {'type': 'service_account', 'service_account_id': tagged_id('svac', 'release bot')},
            'oauth_scope': 'workspace:developer', 'token_lifetime_seconds': 900, 'applies_to_all_workspaces': false,
            'workspace_ids': [tagged_id('wrkspc', 1)]
        },
        made_by(date '2026-01-21', 'release', cast(null as date), as_of)
    ) as row
where given_seats() > 0 and date '2026-01-21' <= as_of;

create macro plugin_marketplaces_as_of(as_of) as table
select
    tagged_id('marketplace', name) as id,
    {
        'type': 'plugin_marketplace', 'id': tagged_id('marketplace', name), 'name': name, 'source': source,
        'owner': owner, 'default_installation_preference': preference,
        'sync_status': if(source = 'manual', null, 'success'),
        'last_sync_ended_at': if(source = 'manual', null, moment(as_of, name)),
        'last_sync_read_sha': if(source = 'manual', null, md5(name || as_of)),
        'created_at': moment(created_on, name)
    } as row
from (values
    ('library', 'manual', to_json({'type': 'organization'}), 'available', date '2025-12-10'),
    ('engineering', 'github', to_json({'type': 'organization'}), 'not_available', date '2026-01-12'),
    ('personal', 'manual',
        to_json({'type': 'user', 'user_id': (select user_id from people where n = 2)}), null, date '2026-02-02')
) as v(name, source, owner, preference, created_on)
where given_seats() > 2 and created_on <= as_of
order by moment(created_on, name) desc, id;

-- One row per plugin and version; the newest that there is on a day is the one that is served.
create table invented_plugin_versions as
select tagged_id('plugin', name) as plugin_id, tagged_id('pluginver', name || version) as version_id, *
from (values
    ('review-helper', 'engineering', '1.0.0', 'contained', 'pass', date '2026-01-12'),
    ('review-helper', 'engineering', '1.1.0', 'privileged', 'pass', date '2026-05-04'),
    ('crm-connector', 'library', '0.3.0', 'remote', 'warn', date '2026-02-20'),
    ('scratchpad', 'personal', '0.1.0', 'privileged', null, date '2026-03-09')
) as v(name, marketplace, version, reach, assessment, created_on)
where given_seats() > 2;

create macro plugin_version(p) as {
    'components': [{'type': 'skill', 'name': p.name, 'description': null}],
    'content_scan': if(
        p.assessment is null, null,
        {
            'status': 'completed', 'assessment': p.assessment,
            'reason': if(p.assessment = 'pass', null, 'credential-exposure')
        }
    ),
    'created_at': moment(p.created_on, p.name || p.version),
    'created_by': {
        'type': 'user_actor', 'user_id': (select user_id from people where n = 2), 'email_address': null
    },
    'description': null, 'display_name': p.name, 'manifest_version': p.version, 'reach': p.reach
};

create macro organization_plugins_as_of(as_of) as table
with served as (
    select *, min(created_on) over (partition by plugin_id) as first_on
    from invented_plugin_versions
    where created_on <= as_of
    qualify row_number() over (partition by plugin_id order by created_on desc) = 1
)
select
    plugin_id as id,
    struct_concat(
        {
            'type': 'plugin', 'id': plugin_id, 'name': name, 'marketplace_id': tagged_id('marketplace', marketplace),
            'owner': if(
                marketplace = 'personal',
                to_json({'type': 'user', 'user_id': (select user_id from people where n = 2)}),
                to_json({'type': 'organization'})
            ),
            'organization_installation_preference': case marketplace
                when 'library' then 'available' when 'engineering' then 'auto_install'
            end,
            'organization_installation_preference_inherited': if(marketplace = 'personal', null, marketplace = 'library'),
            'latest_version_id': version_id, 'served_version_id': version_id, 'served_version_pinned': false,
            'updated_at': moment(created_on, name)
        },
        struct_update(plugin_version(served), created_at := moment(first_on, name))
    ) as row
from served
order by moment(first_on, name) desc, id;

create macro plugin_versions_as_of(as_of) as table
select
    version_id as id,
    struct_concat(
        {'type': 'plugin_version', 'id': version_id, 'plugin_id': plugin_id, 'release_notes': null},
        plugin_version(v)
    ) as row
from invented_plugin_versions as v
where created_on <= as_of
order by created_on desc, id;

create macro plugin_installation_settings_as_of(as_of) as table
select
    tagged_id('plugin', 'review-helper') as id,
    {
        'type': 'plugin_installation_setting', 'plugin_id': tagged_id('plugin', 'review-helper'), 'target': target,
        'installation_preference': preference, 'created_at': moment(created_on, preference),
        'updated_at': moment(created_on, preference)
    } as row
from (values
    (to_json({'type': 'organization'}), 'auto_install', date '2026-01-12'),
    (to_json({'type': 'rbac_group', 'rbac_group_id': tagged_id('rbac_group', 0)}), 'required', date '2026-04-20')
) as v(target, preference, created_on)
where given_seats() > 2 and created_on <= as_of
order by created_on desc;

create macro plugin_shares_as_of(as_of) as table
select
    tagged_id('plugin', 'scratchpad') as id,
    {
        'type': 'plugin_share', 'plugin_id': tagged_id('plugin', 'scratchpad'), 'target': {'type': 'organization'},
        'granted_at': moment(date '2026-03-10', 'share')
    } as row
where given_seats() > 2 and date '2026-03-10' <= as_of;

create macro claude_code_settings_as_of(as_of) as table
select
    'claude_code' as id,
    {
        'type': 'claude_code_managed_settings_configuration', 'mode': {'type': 'rbac_groups'},
        'mode_updated_at': moment(date '2026-01-15', 'mode'), 'rbac_group_order': [tagged_id('rbac_group', 4)],
        'rbac_group_order_version': '1'
    } as row
where given_seats() > 0;

create macro claude_code_settings_groups_as_of(as_of) as table
select
    tagged_id('rbac_group', 4) as id,
    {
        'type': 'claude_code_rbac_group_managed_settings_summary', 'rbac_group_id': tagged_id('rbac_group', 4),
        'rbac_group_status': {'type': 'active'}, 'created_at': moment(date '2026-01-15', 'settings'),
        'updated_at': moment(if(as_of < date '2026-05-11', date '2026-01-15', date '2026-05-11'), 'settings')
    } as row
where given_seats() > 0 and date '2026-01-15' <= as_of;

create macro claude_code_group_settings_as_of(as_of) as table
select
    id,
    struct_concat(
        struct_update(row, type := 'claude_code_rbac_group_managed_settings'),
        {'settings': {
            'permissions': {'defaultMode': if(as_of < date '2026-05-11', 'default', 'acceptEdits'),
                            'deny': ['Bash(curl:*)']},
            'env': {'HTTPS_PROXY': 'http://proxy.northwind.example:8080'},
            'disableAllHooks': false
        }}
    ) as row
from claude_code_settings_groups_as_of(as_of);

create macro claude_code_default_settings_as_of(as_of) as table
select
    'claude_code' as id,
    {
        'type': 'claude_code_rbac_group_default_managed_settings', 'settings': {'disableAllHooks': true},
        'updated_at': moment(date '2026-01-15', 'default')
    } as row
where given_seats() > 0;

create macro compliance_settings_as_of(as_of) as table
select 'compliance' as id, {'type': 'compliance_settings', 'state': {'type': 'enabled'}} as row
where given_seats() > 0;

create macro telemetry_destinations_as_of(as_of) as table
select
    tagged_id('tdst', 'otel') as id,
    {
        'type': 'telemetry_destination', 'id': tagged_id('tdst', 'otel'), 'display_name': 'Observability',
        'endpoint_url': 'https://otel.northwind.example', 'header_names': ['authorization'], 'state': {'type': 'enabled'},
        'traces': {
            'content_mode': if(as_of < date '2026-05-20', 'metadata_only', 'content'), 'enabled': true,
            'endpoint_url': null, 'max_content_bytes': null
        },
        'workspaces': {'type': 'all'},
        'delivery_health': {
            'last_error': null, 'last_error_at': null, 'last_success_at': moment(as_of, 'delivery')
        },
        'created_at': moment(date '2026-02-03', 'otel'),
        'updated_at': moment(if(as_of < date '2026-05-20', date '2026-02-03', date '2026-05-20'), 'otel')
    } as row
where given_seats() > 0 and date '2026-02-03' <= as_of;

create macro organization_webhooks_as_of(as_of) as table
select
    tagged_id('wbhk', 'keys') as id,
    {
        'id': tagged_id('wbhk', 'keys'), 'name': 'keys', 'description': '',
        'url': 'https://hooks.northwind.example/claude', 'state': 'enabled', 'disabled_reason': '',
        'enabled_events': ['external_key.failed', 'external_key.recovered'],
        'created_at': moment(date '2026-02-03', 'webhook'), 'updated_at': moment(date '2026-02-03', 'webhook')
    } as row
where given_seats() > 0 and date '2026-02-03' <= as_of;
