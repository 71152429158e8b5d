-- What each endpoint answers: one struct per row, shaped as the API's JSON, over the facts seen on a day.
-- `<table>_row`: one row of the endpoint; called with its key alone, a row without activity.
-- `<table>_rows`: all rows of a span of days, as of a day.

create macro chat_block(used, unified := false) as {
    'connectors_used_count': used // 6,
    'distinct_artifacts_created_count': used // 9,
    'distinct_connectors_used_count': least(3, used // 6),
    'distinct_conversation_count': (used + 3) // 4,
    'distinct_files_uploaded_count': used // 7,
    'distinct_projects_created_count': used // 25,
    'distinct_projects_used_count': least(2, used // 10),
    'distinct_shared_artifacts_viewed_count': if(unified, null, used // 20),
    'distinct_skills_used_count': least(2, used // 8),
    'message_count': used,
    'shared_conversations_viewed_count': used // 15,
    'thinking_message_count': used // 5
};

create macro tool_block(accepted, rejected) as {'accepted_count': accepted, 'rejected_count': rejected};

create macro cowork_block(used) as {
    'action_count': used * 3,
    'artifacts_created_count': 0,
    'connectors_used_count': used // 4,
    'dispatch_turn_count': used // 9,
    'distinct_connectors_used_count': least(2, used // 4),
    'distinct_plugins_used_count': least(1, used // 6),
    'distinct_session_count': (used + 5) // 6,
    'distinct_skills_used_count': least(2, used // 3),
    'edit_tool_count': used // 2,
    'file_edit_count': used // 2 + used // 5,
    'message_count': used,
    'multi_edit_tool_count': 0,
    'notebook_edit_tool_count': 0,
    'plugins_used_count': used // 6,
    'sessions_with_file_edits_count': least(1, used // 2),
    'skills_used_count': used // 3,
    'write_tool_count': used // 5
};

create macro office_block(used) as {
    'connectors_used_count': used // 5,
    'distinct_connectors_used_count': least(1, used // 5),
    'distinct_session_count': (used + 4) // 5,
    'distinct_skills_used_count': least(1, used // 6),
    'message_count': used,
    'skills_used_count': used // 6
};

create macro users_row(
    id, email, activity_date, chat := 0, code := 0, cowork := 0, excel := 0, outlook := 0, powerpoint := 0, word := 0,
    design := 0, science := 0, unified_chat := 0, unified_cowork := 0, tag := 0, web_searches := 0
) as {
    'user': {'id': id, 'email_address': email, 'type': 'user'},
    'distinct_user_count': cast(null as integer),
    'chat_metrics': chat_block(chat),
    'claude_code_metrics': {
        'core_metrics': {
            'artifacts_created_count': if(activity_date >= date '2026-08-17', code // 6, 0),
            'commit_count': code * 2 // 3,
            'distinct_session_count': code,
            'lines_of_code': {'added_count': code * 137, 'removed_count': code * 41},
            'pull_request_count': code // 3
        },
        'tool_actions': {
            'edit_tool': tool_block(code * 9, code),
            'multi_edit_tool': tool_block(0, 0),
            'notebook_edit_tool': tool_block(code // 5, 0),
            'write_tool': tool_block(code * 2, code // 4)
        }
    },
    'cowork_metrics': cowork_block(cowork),
    'design_metrics': {
        'distinct_projects_created_count': design // 5,
        'distinct_projects_used_count': least(2, design),
        'distinct_session_count': (design + 2) // 3,
        'message_count': design
    },
    'office_metrics': {
        'excel': office_block(excel),
        'outlook': office_block(outlook),
        'powerpoint': office_block(powerpoint),
        'word': office_block(word)
    },
    'science_metrics': {
        'delegation_count': science // 3,
        'distinct_session_count': (science + 4) // 5,
        'message_count': science,
        'remote_compute_job_count': science // 4,
        'skills_used_count': science // 2
    },
    'web_search_count': web_searches,
    'last_activity_date': activity_date,
    'chat_cowork_unified_metrics': {
        'chat': chat_block(unified_chat, unified := true),
        'sessions': cowork_block(unified_cowork)
    },
    'claude_tag_metrics': {'active_day_count': least(tag, 1), 'active_message_count': tag}
};

create macro users_rows(first_date, last_date, as_of) as table
select
    activity_date,
    lower(email_on(kind, local_part, turned_on, activity_date)) || user_id as sort_key,
    users_row(
        user_id, email_on(kind, local_part, turned_on, activity_date), activity_date,
        chat := if(is_unified, 0, chat),
        code := code,
        cowork := if(is_unified, 0, cowork),
        excel := if(n % 4 = 0, office, 0),
        outlook := if(n % 4 = 1, office, 0),
        powerpoint := if(n % 4 = 2, office, 0),
        word := if(n % 4 = 3, office, 0),
        design := design,
        science := science,
        unified_chat := if(is_unified, chat, 0),
        unified_cowork := if(is_unified, cowork, 0),
        tag := tag,
        web_searches := noise // 20 + if(chat + code + cowork + office + design + science + tag = 0, 1, 0)
    ) as row
from users_facts
inner join people using (n)
where activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

create macro chat_projects_row(
    id, name, created_at := cast(null as varchar), creator := null, users := 0, messages := 0
) as {
    'project_id': id,
    'project_name': name,
    'created_at': created_at,
    'created_by': creator,
    'distinct_user_count': users,
    'distinct_conversation_count': (messages + 3) // 4,
    'message_count': messages
};

create macro chat_projects_rows(first_date, last_date, as_of) as table
select
    activity_date,
    project_id as sort_key,
    chat_projects_row(
        project_id,
        -- Some projects are renamed.
        project_name || if(projects.n % 6 = 5 and activity_date >= date '2026-05-15', ' (new)', ''),
        created_at := if(is_unattributed, null,
            strftime(created_on + to_seconds(created_second), '%Y-%m-%dT%H:%M:%SZ')),
        creator := if(
            is_unattributed or is_creator_deleted or coalesce(left_on <= activity_date, false),
            null,
            {
                'id': user_id,
                'email_address': email_on(kind, local_part, turned_on, activity_date),
                'type': 'user'
            }
        ),
        users := users,
        messages := messages
    ) as row
from chat_projects_facts
inner join projects using (n)
inner join people on people.n = projects.creator
where activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

create macro cents(amount) as cast(cast(amount as decimal(18, 6)) as varchar);

create macro skill_use(used) as {'distinct_session_skill_used_count': used};

create macro skills_row(
    name, display_name := cast(null as varchar), share_status := cast(null as varchar), users := 0,
    invocations := 0, enabled := 0, chat := 0, code := 0, cowork := 0, office := 0, unified := 0,
    overage := cast(null as varchar), list_price := cast(null as varchar)
) as {
    'skill_name': name,
    'skill_display_name': display_name,
    'share_status': share_status,
    'distinct_user_count': users,
    'invocation_count': invocations,
    'enable_count': enabled,
    'chat_metrics': {'distinct_conversation_skill_used_count': chat},
    'claude_code_metrics': skill_use(code),
    'cowork_metrics': skill_use(cowork),
    'office_metrics': {
        'excel': skill_use(office),
        'outlook': skill_use(0),
        'powerpoint': skill_use(0),
        'word': skill_use(0)
    },
    'chat_cowork_unified_metrics': {
        'chat': {'distinct_conversation_skill_used_count': unified}, 'sessions': skill_use(unified // 2)
    },
    'estimated_overage_spend': overage,
    'attributed_list_price': list_price,
    'currency': if(coalesce(overage, list_price) is null, null, 'USD')
};

create macro skills_rows(first_date, last_date, as_of) as table
select
    activity_date,
    skill_name as sort_key,
    skills_row(
        skill_name,
        display_name := skill_display_name,
        share_status := share_status,
        users := users,
        invocations := (chat + code + cowork + office + unified) * 2,
        enabled := noise % 3,
        chat := chat, code := code, cowork := cowork, office := office, unified := unified,
        overage := if(noise % 5 = 0, null, if(noise % 5 = 1, '0', cents(noise / 64))),
        list_price := if(code + cowork = 0, null, cents((code + cowork) * 1.5 + noise / 8))
    ) as row
from uses_facts
inner join skills using (n)
where thing = 'skill'
    and activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

create macro connector_use(used) as {'distinct_session_connector_used_count': used};

create macro connectors_row(
    name, display_name := cast(null as varchar), users := 0, individual_users := 0, managed_users := 0,
    reads := 0, writes := 0, unclassified := 0, chat := 0, code := 0, cowork := 0, office := 0, unified := 0
) as {
    'connector_name': name,
    'connector_display_name': display_name,
    'distinct_user_count': users,
    'individual_auth_distinct_user_count': individual_users,
    'managed_auth_distinct_user_count': managed_users,
    'read_call_count': reads,
    'write_call_count': writes,
    'unclassified_call_count': unclassified,
    'chat_metrics': {'distinct_conversation_connector_used_count': chat},
    'claude_code_metrics': connector_use(code),
    'cowork_metrics': connector_use(cowork),
    'office_metrics': {
        'excel': connector_use(office),
        'outlook': connector_use(0),
        'powerpoint': connector_use(0),
        'word': connector_use(0)
    },
    'chat_cowork_unified_metrics': {
        'chat': {'distinct_conversation_connector_used_count': unified}, 'sessions': connector_use(unified // 2)
    }
};

create macro connectors_rows(first_date, last_date, as_of) as table
select
    activity_date,
    connector_name as sort_key,
    connectors_row(
        connector_name,
        display_name := connector_display_name,
        users := users,
        individual_users := if(n % 3 = 1, null, users),
        managed_users := if(n % 3 = 1 or activity_date < date '2026-07-01', null, users // 3),
        reads := if(activity_date < date '2026-05-29', null, chat * 7 + code * 3),
        writes := if(activity_date < date '2026-05-29', null, code),
        unclassified := if(activity_date < date '2026-05-29', null, chat + cowork),
        chat := chat, code := code, cowork := cowork, office := office, unified := unified
    ) as row
from uses_facts
inner join connectors using (n)
where thing = 'connector'
    and activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

create macro plugin_use(used) as {'distinct_session_plugin_used_count': used};

create macro plugins_row(
    name, plugin_id := cast(null as varchar), users := 0, installs := 0, invocations := 0, code := 0, cowork := 0,
    unified := 0
) as {
    'plugin_name': name,
    'plugin_id': plugin_id,
    'distinct_user_count': users,
    'install_count': installs,
    'invocation_count': invocations,
    'claude_code_metrics': plugin_use(code),
    'cowork_metrics': plugin_use(cowork),
    'chat_cowork_unified_metrics': plugin_use(unified)
};

create macro plugins_rows(first_date, last_date, as_of) as table
select
    activity_date,
    plugin_name || coalesce(plugin_id, '') as sort_key,
    plugins_row(
        plugin_name,
        plugin_id := plugin_id,
        users := users,
        installs := if(plugin_id is null, null, noise % 3),
        invocations := (code + cowork + unified) * 3 + users,
        code := code, cowork := cowork, unified := unified
    ) as row
from uses_facts
inner join plugins using (n)
where thing = 'plugin'
    and activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

create macro artifacts_row(artifact_type, is_shared := false, created := 0, published := 0, users := 0) as {
    'artifact_type': artifact_type,
    'is_shared': is_shared,
    'artifacts_created_count': created,
    'published_artifacts_created_count': published,
    'distinct_user_count': users
};

create macro artifacts_rows(first_date, last_date, as_of) as table
select
    activity_date,
    artifact_type || is_shared as sort_key,
    artifacts_row(
        artifact_type,
        is_shared := is_shared,
        created := users + chat,
        published := if(is_shared, code, 0) * (users + chat) // 12,
        users := users
    ) as row
from uses_facts
inner join artifacts using (n)
where thing = 'artifact'
    and activity_date between first_date and last_date and is_visible(published_on, withdrawn_on, as_of);

-- One row per product of the summaries; `any` is all products together. `prefix`: of its columns there.
create table products as
select
    product,
    if(product = 'any', '', product || '_') as prefix,
    if(product in ('chat_cowork_unified', 'claude_tag'), 28, 30) as monthly_window_days
from (select unnest(['any', 'chat', 'chat_cowork_unified', 'claude_code', 'claude_design', 'claude_tag', 'cowork',
                     'office_agent', 'science']) as product);

-- One row per UTC day, person and product used. As reported, a person in unified chat and Cowork counts there
-- alone; in our marts also in chat or cowork.
create macro product_days(as_of, as_reported) as table
with used as (
    select
        activity_date,
        n,
        unnest([
            if(chat > 0 and not (is_unified and as_reported), 'chat', null),
            if(code > 0, 'claude_code', null),
            if(cowork > 0 and not (is_unified and as_reported), 'cowork', null),
            if(chat + cowork > 0 and is_unified, 'chat_cowork_unified', null),
            if(office > 0, 'office_agent', null),
            if(design > 0, 'claude_design', null),
            if(science > 0, 'science', null),
            if(tag > 0, 'claude_tag', null),
            if(chat + code + cowork + office + design + science + tag > 0, 'any', null)
        ]) as product
    from users_facts
    where is_visible(published_on, withdrawn_on, as_of)
)
from used where product is not null;

-- One row per UTC day and product: distinct people in the day, 7 days, and 28 or 30 days that end with it.
create macro active_users(first_date, last_date, as_of, as_reported) as table
with everyone as (
    select activity_date, product, n from product_days(as_of, as_reported)
    union all
    select activity_date, 'claude_tag' as product, -1 - n as n from unlinked_facts where as_reported
),
last_uses as (
    select days.activity_date, product, n, max(everyone.activity_date) as last_used_on
    from days
    inner join everyone on everyone.activity_date between days.activity_date - 29 and days.activity_date
    where days.activity_date between first_date and last_date
    group by days.activity_date, product, n
)
select
    days.activity_date,
    products.product,
    count(*) filter (where last_used_on = days.activity_date) as daily,
    count(*) filter (where last_used_on > days.activity_date - 7) as weekly,
    count(*) filter (where last_used_on > days.activity_date - monthly_window_days) as monthly
from days
cross join products
left join last_uses on last_uses.activity_date = days.activity_date and last_uses.product = products.product
where days.activity_date between first_date and last_date
group by days.activity_date, products.product;

-- One row per UTC day: seats held, and invitations that are neither accepted nor expired.
create macro seat_counts(first_date, last_date) as table
with seats as (
    select
        activity_date,
        count(n) as assigned_seats,
        count(n) filter (where has_science) as science_seats
    from days
    left join people on joined_on <= activity_date and coalesce(left_on > activity_date, true)
    where activity_date between first_date and last_date
    group by activity_date
),
pending as (
    select activity_date, count(invite_id) as pending_invites
    from days
    left join invites
        on invited_on <= activity_date and invite_status(accepted_on, expires_on, activity_date) = 'pending'
    where activity_date between first_date and last_date
    group by activity_date
)
select activity_date, assigned_seats, pending_invites, science_seats
from seats inner join pending using (activity_date);

create macro summaries_rows(first_date, last_date, as_of) as table
with series as (
    select
        activity_date,
        to_json(map_from_entries(list({'k': prefix || 'daily_active_user_count', 'v': daily} order by product)))
            as daily_counts,
        to_json(map_from_entries(list({'k': prefix || 'weekly_active_user_count', 'v': weekly} order by product)))
            as weekly_counts,
        to_json(map_from_entries(list({'k': prefix || 'monthly_active_user_count', 'v': monthly} order by product)))
            as monthly_counts,
        max(daily) filter (where product = 'any') as daily,
        max(weekly) filter (where product = 'any') as weekly,
        max(monthly) filter (where product = 'any') as monthly
    from active_users(first_date, last_date, as_of, true)
    inner join products using (product)
    group by activity_date
)
select
    activity_date,
    activity_date as sort_key,
    json_merge_patch(
        to_json({
            'starting_at': strftime(activity_date, '%Y-%m-%dT00:00:00Z'),
            'ending_at': strftime(activity_date + 1, '%Y-%m-%dT00:00:00Z'),
            'assigned_seat_count': assigned_seats,
            'pending_invite_count': pending_invites,
            'daily_adoption_rate': round(100 * daily / nullif(assigned_seats, 0), 2),
            'weekly_adoption_rate': round(100 * weekly / nullif(assigned_seats, 0), 2),
            'monthly_adoption_rate': round(100 * monthly / nullif(assigned_seats, 0), 2),
            'science_entitled_user_count': science_seats
        }),
        daily_counts, weekly_counts, monthly_counts
    ) as row
from series
inner join seat_counts(first_date, last_date) using (activity_date);
