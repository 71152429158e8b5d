-- One row per event of the activity feed that follows from the organisation's facts (organisation.sql).
-- An event can be read from `indexed_at` on, which for some is days after it happened.
with

organization as (
    select tagged_id('org', 0) as organization_id, '5b2f7c1e-8d44-4c7a-9a53-2e6f10c4d9aa' as organization_uuid
),

everybody as (
    select
        *,
        email_on(kind, local_part, turned_on, joined_on) as email,
        '192.0.2.' || (10 + n % 200) as office_ip,
        '198.18.' || (n % 250) || '.7' as home_ip,
        ['Mozilla/5.0 (Macintosh)', 'Mozilla/5.0 (Windows NT 10.0)', 'Claude/1.0 (iPhone)'][1 + n % 3] as user_agent
    from people
),

people_as_actors as (
    select
        *,
        json_object(
            'type', 'user_actor', 'user_id', user_id, 'email_address', email,
            'ip_address', office_ip, 'user_agent', user_agent
        ) as actor
    from everybody
),

administrator as (
    select actor as administrator_actor from people_as_actors where n = 0
),

scim as (
    select json_object(
        'type', 'scim_directory_sync_actor', 'workos_event_id', 'event_' || given_seed(),
        'directory_id', tagged_id('directory', 0), 'idp_connection_type', 'OktaSCIMV2'
    ) as scim_actor
),

working_days as (
    select
        people_as_actors.*,
        used.activity_date,
        used.chat,
        dice(people_as_actors.n || '/' || used.activity_date, 'feed') as noise
    from (
        select n, activity_date, max(chat) as chat from users_facts group by n, activity_date
    ) as used
    inner join people_as_actors on used.n = people_as_actors.n
),

-- Everybody has an hour at which the day begins.
sign_ins as (
    select
        'login/' || n || '/' || activity_date as event_key,
        'sso_login_succeeded' as event_type,
        activity_date + to_minutes(420 + 45 * (n % 6) + up_to(40, noise, 3)) as created_at,
        false as has_organization,
        json_merge_patch(actor, json_object('ip_address', if(noise % 5 = 0, home_ip, office_ip))) as actor,
        json_object('auth_method', 'sso', 'mfa_method', 'totp') as extra
    from working_days
),

failed_sign_ins as (
    select
        'failed/' || n || '/' || activity_date as event_key,
        'sso_login_failed' as event_type,
        activity_date + to_minutes(418 + 45 * (n % 6)) as created_at,
        false as has_organization,
        json_object(
            'type', 'unauthenticated_user_actor', 'unauthenticated_email_address', email,
            'ip_address', office_ip, 'user_agent', user_agent
        ) as actor,
        json_object() as extra
    from working_days
    where noise % 50 = 7
),

-- Once, somebody signs in at night from a network that nobody ever used.
strange_sign_ins as (
    select
        'strange/' || n as event_key,
        'sso_login_succeeded' as event_type,
        first_day() + 140 + to_minutes(192) as created_at,
        false as has_organization,
        json_merge_patch(actor, json_object('ip_address', '203.0.113.66')) as actor,
        json_object('auth_method', 'sso', 'mfa_method', 'totp') as extra
    from people_as_actors
    where n % 200 = 2
),

-- The identity provider forgot to end the sessions of some who left.
late_sign_ins as (
    select
        'residual/' || n as event_key,
        'sso_login_succeeded' as event_type,
        left_on + 3 + to_minutes(565) as created_at,
        false as has_organization,
        actor,
        json_object('auth_method', 'sso', 'mfa_method', 'totp') as extra
    from people_as_actors
    where kind = 'leaver' and n % 40 = 14
),

uploads as (
    select
        'upload/' || n || '/' || activity_date || '/' || upload as event_key,
        'claude_file_uploaded' as event_type,
        activity_date + to_minutes(600 + upload * 7 + up_to(200, noise, 5)) as created_at,
        true as has_organization,
        actor,
        json_object(
            'claude_file_id', tagged_id('claude_file', n || '/' || activity_date || '/' || upload),
            'filename', ['forecast.xlsx', 'minutes.docx', '=SUM(A1:A9).csv', 'plan.pdf'][1 + cast(noise % 4 as integer)]
        ) as extra
    from working_days, range(3) as uploads(upload)
    where has_chat and chat > 12 and upload < (noise >> 11) % 4
),

-- Once, somebody opens far more files than ever.
mass_views as (
    select
        'view/' || n || '/' || file as event_key,
        'claude_file_viewed' as event_type,
        first_day() + 150 + to_minutes(1140 + file) as created_at,
        true as has_organization,
        actor,
        json_object('claude_file_id', tagged_id('claude_file', 'mass' || n || '/' || file)) as extra
    from people_as_actors, range(80) as files(file)
    where n % 100 = 4
),

joined as (
    select
        'invite/' || n as event_key,
        'org_user_invite_sent' as event_type,
        joined_on - 2 + to_minutes(600) as created_at,
        true as has_organization,
        administrator_actor as actor,
        json_object('invited_email', email, 'invited_role', 'user', 'invited_seat_tier', 'standard') as extra
    from people_as_actors, administrator
    where joined_on >= first_day() + 2
    union all
    select
        'created/' || n, 'scim_user_created', joined_on + to_minutes(360), true, scim_actor, json_object('user_id', user_id)
    from people_as_actors, scim
    where joined_on >= first_day() + 2
),

-- Not every list of members that the identity provider sends has one member only.
departed as (
    select
        'deleted/' || n as event_key,
        'scim_user_deleted' as event_type,
        left_on + to_minutes(1080) as created_at,
        true as has_organization,
        scim_actor as actor,
        json_object('user_id', user_id) as extra
    from people_as_actors, scim
    where left_on is not null
    union all
    select
        'left group/' || n, 'group_member_removed', left_on + to_minutes(1081), true, scim_actor,
        json_object('group_id', tagged_id('rbac_group', n % 5), 'member_ids', [user_id])
    from people_as_actors, scim
    where left_on is not null
),

group_changes as (
    select
        'group/' || activity_date as event_key,
        'group_member_added' as event_type,
        activity_date + to_minutes(540) as created_at,
        true as has_organization,
        scim_actor as actor,
        json_object(
            'group_id', tagged_id('rbac_group', dayofyear(activity_date) % 5),
            'member_ids', list(people_as_actors.user_id order by people_as_actors.n)
        ) as extra
    from days, people_as_actors, scim
    where
        share(activity_date, 'group') < 0.5
        and dice(people_as_actors.n || '/' || activity_date, 'group') % given_seats() < 2
        and people_as_actors.joined_on <= activity_date
    group by activity_date, scim_actor
),

role_changes as (
    select
        'role/' || activity_date as event_key,
        'claude_user_role_updated' as event_type,
        activity_date + to_minutes(640) as created_at,
        true as has_organization,
        administrator_actor as actor,
        json_object(
            'user_id', user_id, 'user_email', email,
            'previous_role', if(day(activity_date) % 2 = 0, 'user', 'admin'),
            'current_role', if(day(activity_date) % 2 = 0, 'admin', 'user')
        ) as extra
    from days
    inner join people_as_actors
        on people_as_actors.n = (dayofyear(activity_date) // 2) % given_seats()
    cross join administrator
    where share(cast(dayofyear(activity_date) // 2 as varchar), 'role') < 0.6
),

-- Every third key is never used; keys 1 and 2 belong to people who leave.
keys as (
    select
        key,
        tagged_id('apikey', key) as api_key_id,
        people_as_actors.actor as creator_actor,
        first_day() + cast(8 + (key * 13) % 90 as integer) as created_on,
        key % 3 <> 1 as is_used,
        if(key % 4 = 3, first_day() + cast(68 + (key * 13) % 90 as integer), null) as deleted_on
    from range(3 + given_seats() // 25) as keys(key)
    inner join people_as_actors
        on people_as_actors.n = if(key in (1, 2), 20 * key - 6, (key * 5) % greatest(given_seats(), 1))
),

key_events as (
    select
        'key created/' || key as event_key,
        'api_key_created' as event_type,
        created_on + to_minutes(670) as created_at,
        true as has_organization,
        creator_actor as actor,
        json_object(
            'api_key_id', api_key_id, 'scopes', if(key = 0, ['read:compliance_activities'], ['read:analytics']),
            'restricted_to_organization', true
        ) as extra
    from keys
    union all
    select
        'key deleted/' || key, 'scoped_api_key_deleted', deleted_on + to_minutes(700), true, administrator_actor,
        json_object('api_key_id', api_key_id, 'api_key_name', 'key ' || key, 'scopes', ['read:analytics'])
    from keys, administrator
    where deleted_on is not null
    union all
    select
        'key used/' || key || '/' || activity_date, 'compliance_api_accessed', activity_date + to_minutes(660), false,
        json_object(
            'type', 'api_actor', 'api_key_id', api_key_id, 'ip_address', '198.51.100.7', 'user_agent', 'loader/1.0'
        ),
        json_object(
            'request_id', tagged_id('req', key || '/' || activity_date), 'request_method', 'GET',
            'url', '/v1/compliance/activities?limit=5000', 'status_code', 200, 'request_body', 'never kept'
        )
    from keys
    inner join days on days.activity_date > keys.created_on and days.activity_date < coalesce(keys.deleted_on, '9999-12-31')
    where is_used and share(key || '/' || activity_date, 'key use') < 0.4
),

setting_events as (
    select
        'setting/' || plan.number as event_key,
        plan.event_type,
        first_day() + plan.day_number + to_minutes(887) as created_at,
        true as has_organization,
        administrator_actor as actor,
        cast(plan.extra as json) as extra
    from administrator, (
        values
        (1, 20, 'claude_organization_settings_updated',
            '{"updates": [{"type": "web_search_enabled", "previous_value": false, "current_value": true}]}'),
        (2, 40, 'claude_organization_settings_updated',
            '{"updates": [{"type": "data_retention_periods", "previous_value": {"chat_days": null}, "current_value": {"chat_days": 365}}, {"type": "public_projects_enabled", "previous_value": true, "current_value": false}]}'),
        (3, 50, 'org_cowork_enabled', '{}'),
        (4, 75, 'claude_organization_settings_updated',
            '{"updates": [{"type": "web_search_enabled", "previous_value": true, "current_value": false}]}'),
        (5, 100, 'org_data_export_started', '{}'),
        (6, 101, 'org_data_export_completed', '{}'),
        (7, 120, 'mcp_server_created', '{"mcp_server_id": "mcpsrv_01NorthwindLake", "mcp_server_name": "Northwind Data Lake"}'),
        (8, 125, 'org_cowork_disabled', '{}'),
        (9, 130, 'claude_chat_snapshot_created', '{"claude_chat_id": "claude_chat_01Northwind"}'),
        (10, 135, 'org_ip_restriction_created', '{"cidr": "192.0.2.0/24"}'),
        (11, 140, 'claude_organization_settings_updated',
            '{"updates": [{"type": "web_search_enabled", "previous_value": false, "current_value": true}]}')
    ) as plan (number, day_number, event_type, extra)
),

events as (
    from sign_ins
    union all from failed_sign_ins
    union all from strange_sign_ins
    union all from late_sign_ins
    union all from uploads
    union all from mass_views
    union all from joined
    union all from departed
    union all from group_changes
    union all from role_changes
    union all from key_events
    union all from setting_events
)

select
    events.created_at,
    tagged_id('activity', event_key) as event_id,
    events.created_at + if(
        share(event_key, 'late') < 0.02,
        to_minutes(up_to(2400, dice(event_key, 'lateness'), 4)),
        to_seconds(30)
    ) as indexed_at,
    event_type,
    json_extract_string(actor, '$.user_id') as user_id,
    if(has_organization, organization.organization_id, null) as organization_id,
    if(has_organization, organization.organization_uuid, null) as organization_uuid,
    cast(json_merge_patch(
        json_object(
            'id', tagged_id('activity', event_key),
            'type', event_type,
            'created_at', strftime(events.created_at, '%Y-%m-%dT%H:%M:%SZ'),
            'organization_id', if(has_organization, organization.organization_id, null),
            'organization_uuid', if(has_organization, organization.organization_uuid, null),
            'actor', actor
        ),
        extra
    ) as varchar) as activity
from events, organization
where events.created_at < given_last_day() + 1
