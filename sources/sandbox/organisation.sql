-- An invented organisation: who holds a seat, what they did, and when each fact became known.
-- Given: seed, seats, lag_days, last_day, absent, each as a macro given_<name>(). Nothing else is random, so the same values give the same bytes.
--
-- Every fact has `published_on` and `withdrawn_on`: seen on a day D, the organisation consists of the facts
-- with published_on <= D < withdrawn_on (null: for ever). A revised fact is two rows; a vanished one ends.

create macro first_day() as date '2026-01-01';
create macro dice(who, what) as md5_number_lower(concat_ws('/', given_seed(), what, who));
create macro share(who, what) as (dice(who, what) % 10000) / 10000.0;
create macro tagged_id(tag, who) as
    tag || '_01' || upper(substr(md5(concat_ws('/', given_seed(), tag, who)), 1, 22));
create macro is_absent(part) as list_contains(given_absent(), part);
create macro is_visible(published_on, withdrawn_on, as_of) as
    published_on <= as_of and coalesce(withdrawn_on > as_of, true);

-- One row per day: how busy it is, and what the API later learns about it.
create table days as
select
    activity_date,
    case
        when strftime(activity_date, '%m-%d') in ('01-01', '05-01', '12-25') then 0
        when isodow(activity_date) >= 6 then 0.15
        else 1
    end as busyness,
    share(activity_date, 'revised') < 0.8 as is_revised,
    -- The first Sunday of every other month is revised to nothing.
    case
        when isodow(activity_date) = 7 and day(activity_date) <= 7 and month(activity_date) % 2 = 0
            then activity_date + given_lag_days() + 2
    end as emptied_on
from (select first_day() + cast(range as integer) as activity_date
      from range(given_last_day() - first_day() + 1));

-- One row per fate of a fact and version of it. `is_late`, `ends`: it starts, ends with the revision.
create table versions as
from (values ('stable', 0, false, false), ('changed', 0, false, true), ('changed', 1, true, false),
             ('vanished', 0, false, true), ('late', 0, true, false)) as v(fate, version, is_late, ends);

create macro fate(noise, is_revised) as case
    when not is_revised then 'stable'
    when noise % 100 < 10 then 'changed'
    when noise % 100 < 13 then 'vanished'
    when noise % 100 < 16 then 'late'
    else 'stable'
end;
create macro revised_on(activity_date, noise) as
    activity_date + given_lag_days() + cast(1 + (noise >> 7) % 7 as integer);
create macro published_on(activity_date, noise, is_late) as
    if(is_late, revised_on(activity_date, noise), activity_date);
create macro withdrawn_on(activity_date, noise, ends, emptied_on) as
    least(if(ends, revised_on(activity_date, noise), null), emptied_on);
-- A second version is a few percent higher; what was not used stays unused.
create macro revised(amount, version) as
    cast(amount + if(amount > 0, version * (1 + amount // 20), 0) as integer);
create macro up_to(most, noise, bit) as cast((noise >> bit) % (most + 1) as integer);

-- One row per kind of person; twenty in all, so that twenty seats already show each kind.
create table kinds as
select kinds.kind, kinds.habit, unnest(range(kinds.first_place, kinds.last_place + 1)) as place
from (values ('regular', 0.8, 0, 9), ('occasional', 0.15, 10, 11), ('dormant', 0.7, 12, 12),
             ('never_active', 0.0, 13, 13), ('leaver', 0.8, 14, 14), ('joiner', 0.7, 15, 15),
             ('switcher', 0.85, 16, 17), ('renamed', 0.75, 18, 18), ('case_mixer', 0.6, 19, 19)
     ) as kinds(kind, habit, first_place, last_place);

-- One row per person who ever holds a seat; `turned_on`: when the kind's own event happens.
create table people as
with first_names as (
    select [
        'zoë', 'łukasz', '李雷', 'ada', 'józef', 'amélie', 'björn', 'søren', 'नेहा', 'marta', 'noor', 'дмитрий',
        'chiara', 'ángel', 'fatima', '芽衣', 'grace', 'jürgen', 'o''neil', 'inês', 'tomáš', 'yasmin', 'kofi', 'leïla'
    ] as names
),
last_names as (
    select [
        'lovelace', 'müller', 'nowak', 'o''brien', 'garcía', 'de-vries', 'sato', 'håkansson', 'petrov', 'silva',
        'okafor', 'brontë', 'rossi', 'dvořák', 'haddad', 'kim', 'jensen', 'moreau', 'weiß', 'horvat', 'ünal',
        'lindqvist', 'mensah'
    ] as names
),
holders as (
    select range as n, kind, habit, first_day() + 20 + cast(floor(share(range, 'turn') * 330) as integer) as turned_on
    from range(given_seats()) inner join kinds on kinds.place = range % 20
),
with_successors as (
    from holders
    union all
    select n + given_seats(), 'joiner', 0.75, turned_on + 5 from holders where kind = 'leaver'
)
select
    n, kind, habit, turned_on,
    tagged_id('user', n) as user_id,
    first_names.names[1 + n % 24] || '.' || last_names.names[1 + (n * 7) % 23]
        || if(n >= 552, '.' || n, '') as local_part,
    if(kind = 'joiner', turned_on, first_day() - 1 - up_to(300, dice(n, 'joined'), 0)) as joined_on,
    if(kind = 'leaver', turned_on, null) as left_on,
    if(kind in ('leaver', 'dormant'), turned_on, null) as stops_on,
    share(n, 'chat') < 0.95 as has_chat,
    share(n, 'code') < 0.4 as has_code,
    share(n, 'cowork') < 0.3 as has_cowork,
    share(n, 'office') < 0.3 as has_office,
    share(n, 'design') < 0.1 as has_design,
    share(n, 'science') < 0.06 as has_science,
    share(n, 'tag') < 0.15 and not is_absent('claude_tag') as has_tag
from with_successors, first_names, last_names;

create macro person_name(local_part) as
    array_to_string([upper(word[1]) || word[2:] for word in string_split(local_part, '.')], ' ');

create macro email_on(kind, local_part, turned_on, activity_date) as case
    when kind = 'case_mixer' then upper(local_part[1]) || local_part[2:] || '@Northwind.Example'
    when kind = 'renamed' and activity_date >= turned_on then local_part || '.new@northwind.example'
    else local_part || '@northwind.example'
end;

-- One row per invitation. A person's is accepted on the day they join; some others never are and expire.
create table invites as
select
    tagged_id('invite', n) as invite_id,
    email_on(kind, local_part, turned_on, joined_on) as email,
    joined_on - 7 as invited_on,
    joined_on + 14 as expires_on,
    joined_on as accepted_on,
    n
from people
union all
select
    tagged_id('invite', 'lost' || range) as invite_id,
    'candidate.' || range || '@northwind.example' as email,
    first_day() - 30 + up_to(300, dice(range, 'lost invite'), 0) as invited_on,
    invited_on + 21 as expires_on,
    null as accepted_on,
    null as n
from range((given_seats() + 9) // 10);

create macro invite_status(accepted_on, expires_on, activity_date) as case
    when accepted_on <= activity_date then 'accepted'
    when expires_on <= activity_date then 'expired'
    else 'pending'
end;

-- One row per person, UTC day with activity, and version: amounts from which the API's fields follow.
create table users_facts as
with candidates as (
    select people.*, days.*, dice(n || '/' || activity_date, 'use') as used
    from people
    inner join days
        on days.activity_date >= people.joined_on
        and days.activity_date < coalesce(people.stops_on, date '9999-12-31')
),
present as (
    select *, dice(n || '/' || activity_date, 'fate') as noise
    from candidates
    where (used % 1000) / 1000.0 < habit * busyness
),
amounts as (
    select
        *,
        if(has_chat and (used >> 10) % 100 < 85, 1 + up_to(24, used, 17), 0) as chat,
        if(has_code and (used >> 22) % 100 < 70, 1 + up_to(6, used, 29), 0) as code,
        if(has_cowork and (used >> 32) % 100 < 40, 1 + up_to(14, used, 39), 0) as cowork,
        if(has_office and (used >> 43) % 100 < 35, 1 + up_to(9, used, 47), 0) as office,
        if(has_design and (used >> 51) % 100 < 30, 1 + up_to(5, used, 54), 0) as design,
        if(has_science and (used >> 55) % 100 < 40, 1 + up_to(7, used, 57), 0) as science,
        if(has_tag and (used >> 58) % 10 < 3, 1 + up_to(3, used, 60), 0) as tag
    from present
)
select
    amounts.activity_date,
    n,
    published_on(activity_date, noise, is_late) as published_on,
    withdrawn_on(activity_date, noise, ends, emptied_on) as withdrawn_on,
    kind = 'switcher' and activity_date >= turned_on and not is_absent('chat_cowork_unified') as is_unified,
    revised(chat, version) as chat,
    revised(code, version) as code,
    revised(cowork, version) as cowork,
    revised(office, version) as office,
    revised(design, version) as design,
    revised(science, version) as science,
    revised(tag, version) as tag,
    up_to(99, noise, 20) as noise
from amounts
inner join versions on versions.fate = fate(amounts.noise, amounts.is_revised)
where coalesce(published_on(activity_date, noise, is_late) < emptied_on, true)
order by activity_date, n;

-- One row per UTC day and Slack user without a Claude account who used Claude Tag.
create table unlinked_facts as
select activity_date, range as n
from range(1 + given_seats() // 12), days
where share(range || '/' || activity_date, 'unlinked') < 0.2 * busyness and given_seats() > 0;

-- One row per chat project.
create table projects as
select
    range as n,
    tagged_id('claude_proj', range) as project_id,
    ['Roadmap', 'Sales playbook', 'Budżet', 'Archived experiments', '市場調査', 'Support', 'Hiring'][1 + range % 7]
        || if(range < 7, '', ' ' || range) as project_name,
    first_day() - 100 + up_to(350, dice(range, 'project'), 0) as created_on,
    up_to(86399, dice(range, 'project'), 10) as created_second,
    up_to(given_seats() - 1, dice(range, 'creator'), 0) as creator,
    range % 9 = 4 as is_creator_deleted,
    range % 13 = 6 as is_unattributed
from range(given_seats() // 4);

-- One row per chat project, UTC day with activity, and version.
create table chat_projects_facts as
with used as (
    select projects.n, days.*, dice(n || '/' || activity_date, 'project use') as noise
    from projects inner join days on days.activity_date >= projects.created_on
    where share(n || '/' || activity_date, 'project day') < 0.5 * busyness
)
select
    activity_date, n,
    published_on(activity_date, noise, is_late) as published_on,
    withdrawn_on(activity_date, noise, ends, emptied_on) as withdrawn_on,
    1 + up_to(least(4, given_seats() // 10), noise, 12) as users,
    revised(4 + up_to(40, noise, 20), version) as messages
from used
inner join versions on versions.fate = fate(used.noise, used.is_revised)
where coalesce(published_on(activity_date, noise, is_late) < emptied_on, true)
order by activity_date, n;

-- One row per skill; the private ones have opaque names.
create table skills as
from (values
    (0, 'pdf', null, null, 0.95), (1, 'xlsx', null, null, 0.8), (2, 'docx', null, null, 0.7),
    (3, 'brand-guidelines', null, 'organization', 0.6), (4, 'データ整理', null, 'organization', 0.3),
    (5, 'release-notes', null, 'public', 0.4), (6, 'unknown', null, null, 0.2)
) as v(n, skill_name, skill_display_name, share_status, popularity)
union all
select
    7 + range, tagged_id('skill', range), if(range % 3 = 2, null, 'Quarter close checklist ' || range), 'private', 0.25
from range(given_seats() // 20);

-- One row per connector; two share one display name.
create table connectors as
from (values
    (0, 'atlassian', null, 0.9), (1, 'github', null, 0.85), (2, 'google-drive', null, 0.8), (3, 'slack', null, 0.7),
    (4, 'notion', null, 0.3), (5, tagged_id('mcpsrv', 'lake'), 'Northwind Data Lake', 0.5),
    (6, tagged_id('mcpsrv', 'jira'), 'Atlassian', 0.2), (7, tagged_id('mcpsrv', 'crm'), 'Łódź CRM', 0.3)
) as v(n, connector_name, connector_display_name, popularity);

-- One row per plugin; two share one name, and one row collects what has none.
create table plugins as
from (values
    (0, 'code-review', 'code-review@claude-plugins-official', 0.8),
    (1, 'finance-pack', 'finance-pack@northwind-marketplace', 0.5),
    (2, 'release-tools', 'release-tools@northwind-marketplace', 0.4),
    (3, 'release-tools', 'release-tools@claude-plugins-official', 0.3), (4, 'third-party', null, 0.6),
    (5, 'żargon', 'żargon@northwind-marketplace', 0.2)
) as v(n, plugin_name, plugin_id, popularity);

-- One row per artifact type, shared or not, of which artifacts are made.
create table artifacts as
select row_number() over (order by artifact_type, is_shared) - 1 as n, artifact_type, is_shared, popularity
from (values ('application/vnd.ant.react', 0.5), ('image/svg+xml', 0.3), ('other', 0.1), ('text/html', 0.8),
             ('text/markdown', 0.9)) as types(artifact_type, popularity),
    (values (false), (true)) as sharing(is_shared)
where artifact_type != 'other' or not is_shared;

-- One row per skill, connector, plugin or kind of artifact (`thing`), UTC day on which it was used, and version.
create table uses_facts as
with things as (
    select 'skill' as thing, n, popularity from skills
    union all
    select 'connector' as thing, n, popularity from connectors
    union all
    select 'plugin' as thing, n, popularity from plugins
    union all
    select 'artifact' as thing, n, popularity from artifacts
),
used as (
    select things.*, days.*, dice(thing || n || '/' || activity_date, 'thing use') as noise
    from things, days
    where share(thing || n || '/' || activity_date, 'thing day') < popularity * sqrt(busyness)
        and given_seats() > 0
)
select
    thing, activity_date, n,
    published_on(activity_date, noise, is_late) as published_on,
    withdrawn_on(activity_date, noise, ends, emptied_on) as withdrawn_on,
    1 + cast(floor(popularity * busyness * given_seats() * ((noise >> 12) % 100) / 400) as integer) as users,
    revised(up_to(12, noise, 20), version) as chat,
    revised(up_to(6, noise, 26), version) as code,
    revised(up_to(4, noise, 32), version) as cowork,
    revised(up_to(2, noise, 36), version) as office,
    revised(up_to(2, noise, 40), version) as unified,
    up_to(99999, noise, 44) as noise
from used
inner join versions on versions.fate = fate(used.noise, used.is_revised)
where coalesce(published_on(activity_date, noise, is_late) < emptied_on, true)
order by thing, activity_date, n;
