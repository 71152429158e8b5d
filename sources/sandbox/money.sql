-- What the invented organisation's usage costs (analytics.md 8 and 9).
--
-- Amounts are counted in whole millionths of a cent, so that every grouping of them has the same sum. A fact of a day
-- may change, vanish, appear or pass to another person until the 30th day after it, and not any more then.

-- One row per model, with its list price in millionths of a cent per token.
create table models as
from (values ('claude-opus-5-5', 500, 2500, 50, 625, 1000), ('claude-sonnet-5', 300, 1500, 30, 375, 600),
             ('claude-haiku-5', 100, 500, 10, 125, 200)
     ) as v(model, uncached_price, output_price, cache_read_price, cache_5m_price, cache_1h_price);

-- One row per actor that is not a person, and one for a system account, which the API shows as a user without e-mail.
-- Actors without `actor` have no identity that can be shown; the API gives each of them rows of its own.
create table other_spenders as
select 'other' || row_number() over () as spender, *
from (values
    ('service_account_actor', 'messages_api', 'claude-sonnet-5', 0.9, null,
        to_json({'type': 'service_account_actor', 'service_account_id': tagged_id('svac', 'nightly reports')})),
    ('service_account_actor', 'claude_code', 'claude-opus-5-5', 0.6, null,
        to_json({'type': 'service_account_actor', 'service_account_id': tagged_id('svac', 'release bot')})),
    ('api_actor', 'messages_api', 'claude-haiku-5', 0.8, null,
        to_json({'type': 'api_actor', 'api_key_id': tagged_id('apikey', 'legacy')})),
    ('federated_actor', 'claude_code', 'claude-sonnet-5', 0.5, null, to_json({
        'type': 'federated_actor', 'subject': 'arn:aws:iam::123456789012:role/ci',
        'provider': {'type': 'aws', 'account_id': '123456789012',
                     'signed_principal': 'arn:aws:sts::123456789012:assumed-role/ci'}})),
    ('federated_actor', 'claude_code', 'claude-haiku-5', 0.4, null, to_json({
        'type': 'federated_actor', 'subject': 'principal://northwind',
        'provider': {'type': 'gcp', 'project_number': '987654321'}})),
    ('federated_actor', 'messages_api', 'claude-haiku-5', 0.3, null, to_json({
        'type': 'federated_actor', 'subject': null,
        'provider': {'type': 'azure', 'subscription_id': '0a1b2c3d-0000-4000-8000-000000000000'}})),
    ('federated_actor', 'messages_api', 'claude-sonnet-5', 0.3, null, to_json({
        'type': 'federated_actor', 'subject': 'repo:northwind/app:ref:refs/heads/main',
        'provider': {'type': 'oidc', 'issuer': 'https://token.actions.example'}})),
    -- Code Review, Claude Tag in channels, and shared automation.
    (null, 'claude_code', 'claude-opus-5-5', 0.9, null, null),
    (null, 'claude_code', 'claude-opus-5-5', 0.7, null, null),
    (null, 'claude_tag', 'claude-sonnet-5', 0.9, null, null),
    (null, 'claude_tag', 'claude-sonnet-5', 0.6, null, null),
    (null, 'other', 'claude-haiku-5', 0.5, null, null),
    (null, null, null, 0.5, null, null),
    ('user_actor', 'cc_security_autopatch', 'claude-opus-5-5', 0.4, tagged_id('user', 'security'), to_json({
        'type': 'user_actor', 'user_id': tagged_id('user', 'security'), 'email_address': null,
        'name': 'Claude Security', 'deleted': false}))
) as v(actor_type, product, model, habit, user_id, actor)
where given_seats() > 0;

create macro person_spender(n) as 'person' || n;

-- Of those who left, some accounts are deleted a few days later; the others keep their e-mail.
create macro is_account_deleted(n, left_on, as_of) as coalesce(left_on + 5 <= as_of, false) and n % 40 < 20;

-- One row per actor, as the API shows it on a day.
create macro spenders(as_of) as table
select
    person_spender(n) as spender,
    'user_actor' as actor_type,
    user_id,
    coalesce(left_on <= as_of, false) as is_deleted,
    to_json({
        'type': 'user_actor',
        'user_id': user_id,
        'email_address':
            if(is_account_deleted(n, left_on, as_of), null, email_on(kind, local_part, turned_on, as_of)),
        'name': case
            when is_account_deleted(n, left_on, as_of) then 'Deleted User'
            when n % 17 = 6 then null
            else person_name(local_part)
        end,
        'deleted': coalesce(left_on <= as_of, false)
    }) as actor
from people
union all
select spender, actor_type, user_id, false as is_deleted, actor
from other_spenders;

-- One row per UTC day: which fates its facts may have. A day may also move from person to person alone.
create table spend_days as
select
    activity_date,
    busyness,
    case
        when share(activity_date, 'spend') < 0.5 then 'revised'
        when share(activity_date, 'spend') < 0.7 then 'moved'
        else 'stable'
    end as day_fate
from days;

create macro spend_fate(noise, day_fate) as case
    when day_fate = 'revised' and noise % 100 < 8 then 'changed'
    when day_fate = 'revised' and noise % 100 < 10 then 'vanished'
    when day_fate = 'revised' and noise % 100 < 12 then 'late'
    when day_fate != 'stable' and noise % 100 between 12 and 16 then 'moved'
    else 'stable'
end;

create table spend_versions as
from versions
union all
from (values ('moved', 0, false, true), ('moved', 1, true, false));

-- One row per UTC day, actor, product and model, before anything is revised.
create table spend_plan as
with person_days as (
    select
        activity_date, n, bool_or(is_unified) as is_unified,
        max(chat) as chat, max(code) as code, max(cowork) as cowork, max(office) as office, max(design) as design,
        max(tag) as tag
    from users_facts
    group by activity_date, n
),
person_lines as (
    select
        activity_date, n, person_spender(n) as spender,
        unnest([
            {'product': if(is_unified, 'chat_cowork_unified', 'chat'), 'model': 'claude-sonnet-5', 'used': chat},
            {'product': if(is_unified, 'chat_cowork_unified', 'cowork'), 'model': 'claude-opus-5-5', 'used': cowork},
            {'product': 'claude_code', 'model': 'claude-opus-5-5', 'used': code * 4},
            {'product': 'claude_code', 'model': 'claude-haiku-5', 'used': code * 2},
            {'product': 'office_agent', 'model': 'claude-sonnet-5', 'used': office},
            {'product': 'claude_design', 'model': 'claude-opus-5-5', 'used': design},
            {'product': 'claude_in_chrome', 'model': 'claude-haiku-5', 'used': if(n % 13 = 2, chat // 2, 0)},
            {'product': 'claude_tag', 'model': 'claude-sonnet-5', 'used': tag},
            -- Code execution has neither product nor model.
            {'product': null, 'model': null, 'used': if(n % 5 = 3, chat // 6, 0)}
        ], recursive := true)
    from person_days
),
other_lines as (
    select activity_date, null as n, spender, product, model, 10 + up_to(200, dice(spender || activity_date, 'used'), 0) as used
    from other_spenders, days
    where share(spender || '/' || activity_date, 'spends') < habit * sqrt(busyness)
),
lines as (
    select activity_date, n, spender, product, model, used from person_lines where used > 0
    union all
    select * from other_lines
)
select *, dice(concat_ws('/', activity_date, spender, coalesce(product, '-'), coalesce(model, '-')), 'spend') as noise
from lines;

create macro spend_revised_on(activity_date, noise) as activity_date + cast(1 + (noise >> 7) % 30 as integer);

-- One row per UTC day, actor, product, model and version.
create table spend_facts as
with versioned as (
    select
        spend_plan.*,
        spend_versions.fate,
        spend_versions.version,
        if(is_late, spend_revised_on(activity_date, noise), activity_date) as published_on,
        if(ends, spend_revised_on(activity_date, noise), null) as withdrawn_on,
        -- A second version of what changed is a little more or less.
        case when fate = 'changed' and version = 1 then if(noise % 2 = 0, 1.03, 0.96) else 1 end as factor
    from spend_plan
    inner join spend_days using (activity_date)
    inner join spend_versions
        on spend_versions.fate = if(n is null and spend_fate(noise, day_fate) = 'moved', 'stable', spend_fate(noise, day_fate))
)
select
    activity_date,
    -- The moment from which the day's usage shows it.
    activity_date + to_hours(up_to(23, noise, 13)) as occurred_at,
    published_on,
    withdrawn_on,
    if(fate = 'moved' and version = 1, person_spender((n + 1) % given_seats()), spender) as spender,
    product,
    model,
    if(model is null, null, if(noise % 50 = 3, '200k-1M', '0-200k')) as context_window,
    if(model is null, null, if(noise % 20 = 7, 'us', 'global')) as inference_geo,
    if(model is null, null, if(product = 'claude_code' and noise % 30 = 9, 'fast', 'standard')) as speed,
    if(product = 'claude_tag' and n is null, 'C0NORTHWIND' || noise % 3, null) as slack_channel_id,
    if(product = 'claude_tag', if(n is null, if(noise % 2 = 0, 'engaged', 'monitoring'), 'dm'), null)
        as claude_tag_category,
    if(product = 'claude_tag' and n is not null, 'U0' || upper(md5(spender)[1:9]), null) as claude_tag_user_id,
    if(model is null, 0, cast(used * (4000 + up_to(9000, noise, 17)) * factor as bigint)) as uncached_input_tokens,
    if(model is null, 0, cast(used * (1500 + up_to(3000, noise, 23)) * factor as bigint)) as output_tokens,
    if(model is null, 0, cast(used * up_to(60000, noise, 29) * factor as bigint)) as cache_read_input_tokens,
    if(model is null, 0, cast(used * up_to(6000, noise, 35) * factor as bigint)) as cache_5m_input_tokens,
    if(model is null or noise % 4 != 0, 0, cast(used * up_to(900, noise, 41) * factor as bigint)) as cache_1h_input_tokens,
    if(product in ('chat', 'chat_cowork_unified'), used // 5, 0) as web_searches,
    if(model is null, used, 0) as code_executions,
    cast(used * 2 + up_to(5, noise, 45) as bigint) as requests,
    case product when 'claude_code' then 20 when 'cowork' then 12 when 'messages_api' then 7 else 0 end as discount,
    cast(0 as bigint) as credit
from versioned
union all
-- Credits: one a month that belongs to nobody, and one to a person.
select
    activity_date, activity_date as occurred_at, activity_date + 3 as published_on, null as withdrawn_on,
    if(day(activity_date) = 20, 'other8', person_spender(1)) as spender,
    if(day(activity_date) = 20, null, 'claude_code') as product, null as model,
    null, null, null, null, null, null, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    if(day(activity_date) = 20, -1234567891, -25000001) as credit
from days
where day(activity_date) in (5, 20) and given_seats() > 0
order by activity_date, spender;

create macro cents_of(millionths) as cast(cast(millionths as decimal(20, 0)) * 0.000001 as decimal(38, 12));

-- At least six decimals, as the API writes them.
create macro cents_text(amount) as regexp_replace(cast(cast(amount as decimal(38, 12)) as varchar), '0{1,6}$', '');

-- One row per fact and part of its cost that is billed apart. The requests stand on the first part.
create view cost_lines as
with parts as (
    select
        spend_facts.* exclude (requests),
        unnest([
            {'cost_type': 'tokens', 'token_type': 'uncached_input_tokens', 'requests': requests,
             'millionths': uncached_input_tokens * uncached_price},
            {'cost_type': 'tokens', 'token_type': 'output_tokens', 'requests': 0,
             'millionths': output_tokens * output_price},
            {'cost_type': 'tokens', 'token_type': 'cache_read_input_tokens', 'requests': 0,
             'millionths': cache_read_input_tokens * cache_read_price},
            {'cost_type': 'tokens', 'token_type': 'cache_creation.ephemeral_5m_input_tokens', 'requests': 0,
             'millionths': cache_5m_input_tokens * cache_5m_price},
            {'cost_type': 'tokens', 'token_type': 'cache_creation.ephemeral_1h_input_tokens', 'requests': 0,
             'millionths': cache_1h_input_tokens * cache_1h_price},
            {'cost_type': 'web_search', 'token_type': null, 'requests': 0, 'millionths': web_searches * 1000000},
            {'cost_type': 'code_execution', 'token_type': null, 'requests': 0, 'millionths': code_executions * 83333},
            {'cost_type': 'tokens', 'token_type': null, 'requests': 0, 'millionths': credit}
        ], recursive := true)
    from spend_facts
    left join models using (model)
)
select
    activity_date, occurred_at, published_on, withdrawn_on, spender, product, model, context_window, inference_geo, speed,
    slack_channel_id, claude_tag_category, claude_tag_user_id, cost_type, token_type,
    cents_of(if(cost_type = 'tokens' and millionths > 0, millionths - millionths * discount // 100, millionths)) as amount,
    cents_of(millionths) as list_amount,
    'USD' as currency,
    requests,
    user_id
from parts
inner join (select spender, user_id from spenders(date '2026-01-01')) as spenders using (spender)
where millionths != 0 or requests != 0;

-- One row per published row of `costs`; such rows stand for their whole day.
create table published_costs (
    activity_date date, spender varchar, actor_type varchar, user_id varchar, is_deleted boolean, actor json,
    product varchar, model varchar, context_window varchar, inference_geo varchar, speed varchar,
    slack_channel_id varchar, claude_tag_category varchar, claude_tag_user_id varchar, cost_type varchar,
    token_type varchar, amount decimal(38, 12), list_amount decimal(38, 12), currency varchar, requests bigint
);

-- One row per published row of `usage`.
create table published_usage (
    activity_date date, spender varchar, actor_type varchar, user_id varchar, is_deleted boolean, actor json,
    product varchar, model varchar, context_window varchar, inference_geo varchar, speed varchar,
    slack_channel_id varchar, claude_tag_category varchar, claude_tag_user_id varchar, uncached_input_tokens bigint,
    output_tokens bigint, cache_read_input_tokens bigint, cache_5m_input_tokens bigint, cache_1h_input_tokens bigint,
    web_searches bigint, requests bigint
);

-- One row per family (cost, usage) and day whose rows were published, be they none.
create table published_days (family varchar, activity_date date);

create macro cost_seen(first_at, end_at, as_of) as table
select
    activity_date, spender, actor_type, spenders.user_id, is_deleted, actor, product, model, context_window,
    inference_geo, speed, slack_channel_id, claude_tag_category, claude_tag_user_id, cost_type, token_type, amount,
    list_amount, currency, requests, date_trunc('hour', cast(occurred_at as timestamp)) as hour
from cost_lines
inner join spenders(as_of) as spenders using (spender)
where occurred_at >= first_at and occurred_at < end_at and is_visible(published_on, withdrawn_on, as_of)
    and activity_date not in (select activity_date from published_days where family = 'cost')
union all
select *, cast(activity_date as timestamp) as hour
from published_costs
where activity_date >= first_at and activity_date < end_at;

create macro usage_seen(first_at, end_at, as_of) as table
select
    activity_date, spender, actor_type, spenders.user_id, is_deleted, actor, product, model, context_window,
    inference_geo, speed, slack_channel_id, claude_tag_category, claude_tag_user_id, uncached_input_tokens,
    output_tokens, cache_read_input_tokens, cache_5m_input_tokens, cache_1h_input_tokens, web_searches, requests,
    date_trunc('hour', cast(occurred_at as timestamp)) as hour
from spend_facts
inner join spenders(as_of) as spenders using (spender)
where occurred_at >= first_at and occurred_at < end_at and is_visible(published_on, withdrawn_on, as_of)
    and credit = 0
    and activity_date not in (select activity_date from published_days where family = 'usage')
union all
select *, cast(activity_date as timestamp) as hour
from published_usage
where activity_date >= first_at and activity_date < end_at;
