-- One row per event and thing that it updated, with the value before and after.
with

events as (
    select * from {{ ref('security_events') }}
    where {{ json_text('attributes', 'updates') }} is not null
),

elements as (
    select
        event_id,
        {{ json_elements('attributes', 'updates') }} as element
    from events
),

-- Anything but an object names nothing.
updates as (
    select
        event_id,
        case when left(element, 1) = '{' then element end as update_json
    from elements
),

named_updates as (
    select distinct
        event_id,
        {{ json_text('update_json', 'type') }} as update_type,
        {{ json_text('update_json', 'previous_value') }} as previous_value,
        {{ json_text('update_json', 'current_value') }} as current_value
    from updates
),

with_event as (
    select
        events.event_id,
        events.event_type,
        events.category,
        events.organization_id,
        named_updates.update_type,
        named_updates.previous_value,
        named_updates.current_value,
        events.actor_id,
        events.user_id,
        events.actor_email,
        events.attributes,
        events.event_at
    from events
    inner join named_updates on events.event_id = named_updates.event_id
    where named_updates.update_type is not null
)

select * from with_event
