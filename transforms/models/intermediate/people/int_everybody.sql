-- One row per person that any source ever named, by the id that the source has of them: the people of this
-- organisation's Claude, and who is known by the activity feed, the Console or another vendor alone.
with

claude_people as (
    select * from {{ ref('int_people') }}
),

sources_of_people as (
    select
        user_id,
        max(case when source in ({{ quoted(rosters_of_people()) }}) then 1 else 0 end) as is_in_roster
    from {{ ref('int_sightings') }}
    group by user_id
),

sightings_elsewhere as (
    select
        user_id,
        'activity_feed' as identity_source,
        1 as source_rank,
        actor_email as email,
        cast(null as {{ dbt.type_string() }}) as name,
        event_at as seen_at
    from {{ ref('security_events') }}
    union all
    select
        user_id,
        'roster' as identity_source,
        0 as source_rank,
        email,
        name,
        created_at as seen_at
    from {{ ref('spend_limit_requests') }}
    union all
    select
        owner_user_id as user_id,
        'console' as identity_source,
        2 as source_rank,
        owner_email as email,
        cast(null as {{ dbt.type_string() }}) as name,
        last_changed_at as seen_at
    from {{ ref('api_key_hygiene') }}
    union all
    select
        user_id,
        vendor as identity_source,
        3 as source_rank,
        email,
        cast(null as {{ dbt.type_string() }}) as name,
        cast(month as timestamp) as seen_at
    from {{ ref('assistant_usage_monthly') }}
    where vendor <> 'claude'
),

people_elsewhere as (
    select sightings_elsewhere.*
    from sightings_elsewhere
    left join claude_people on sightings_elsewhere.user_id = claude_people.user_id
    where sightings_elsewhere.user_id is not null and claude_people.user_id is null
),

in_order as (
    select
        user_id,
        email,
        name,
        row_number() over (
            partition by user_id
            order by case when email is null then 1 else 0 end asc, seen_at desc, email asc
        ) as emails_since,
        row_number() over (
            partition by user_id
            order by case when name is null then 1 else 0 end asc, seen_at desc, name asc
        ) as names_since,
        first_value(identity_source) over (
            partition by user_id order by source_rank asc, identity_source asc
        ) as identity_source
    from people_elsewhere
),

everybody as (
    select
        claude_people.user_id,
        claude_people.email,
        claude_people.name,
        case when sources_of_people.is_in_roster = 1 then 'roster' else 'analytics' end as identity_source
    from claude_people
    left join sources_of_people on claude_people.user_id = sources_of_people.user_id
    union all
    select
        user_id,
        max(case when emails_since = 1 then email end) as email,
        max(case when names_since = 1 then name end) as name,
        max(identity_source) as identity_source
    from in_order
    group by user_id
)

select * from everybody
