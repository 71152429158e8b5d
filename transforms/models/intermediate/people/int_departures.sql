-- One row per person who left and did not come back, by the activity feed: when, and the event that says so.
with

events as (
    select * from {{ ref('security_events') }}
),

event_types as (
    select * from {{ ref('int_event_types') }}
    where membership_change is not null
),

membership_changes as (
    select
        events.event_at,
        event_types.membership_change,
        coalesce(
            {{ json_text('events.attributes', 'deleted_user_id') }},
            {{ json_text('events.attributes', 'user_id') }},
            events.user_id
        ) as user_id
    from events
    inner join event_types on events.event_type = event_types.event_type
),

changes_with_newest_joining as (
    select
        membership_changes.*,
        max(case when membership_change = 'joined' then event_at end) over (partition by user_id) as last_joined_at
    from membership_changes
    where user_id is not null
),

-- Of several events of one departure, the first one counts.
departures as (
    select
        user_id,
        min(event_at) as left_at
    from changes_with_newest_joining
    where membership_change = 'left' and coalesce(event_at > last_joined_at, true)
    group by user_id
)

select * from departures
