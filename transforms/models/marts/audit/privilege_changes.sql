-- One row per event that changed a privilege, and person or thing whose privilege it is.
with

events as (
    select * from {{ ref('security_events') }}
),

event_types as (
    select * from {{ ref('int_event_types') }}
    where privilege_change is not null
),

privilege_events as (
    select
        events.*,
        event_types.privilege_change
    from events
    inner join event_types on events.event_type = event_types.event_type
),

-- One group event can carry many members.
members as (
    select
        event_id,
        {{ json_elements('attributes', 'member_ids') }} as member_id
    from privilege_events
),

distinct_members as (
    select distinct * from members
),

with_values as (
    select
        privilege_events.event_id,
        coalesce(distinct_members.member_id, privilege_events.target_id, privilege_events.user_id) as subject_id,
        privilege_events.event_date,
        privilege_events.event_type,
        privilege_events.privilege_change,
        case
            when distinct_members.member_id is not null then 'user'
            else coalesce(
                {{ json_text('privilege_events.attributes', 'principal_type') }},
                {{ json_text('privilege_events.attributes', 'target_type') }},
                case when privilege_events.category = 'membership' then 'user' end,
                case
                    when
                        coalesce(
                            {{ json_text('privilege_events.attributes', 'user_id') }},
                            {{ json_text('privilege_events.attributes', 'new_owner_id') }}
                        ) is not null
                        then 'user'
                end,
                case when {{ json_text('privilege_events.attributes', 'role_id') }} is not null then 'role' end
            )
        end as subject_type,
        coalesce(
            {{ json_text('privilege_events.attributes', 'user_email') }},
            {{ json_text('privilege_events.attributes', 'deleted_user_email') }}
        ) as subject_email,
        coalesce(
            {{ json_text('privilege_events.attributes', 'role') }},
            {{ json_text('privilege_events.attributes', 'action') }},
            {{ json_text('privilege_events.attributes', 'group_id') }},
            {{ json_text('privilege_events.attributes', 'workspace_id') }},
            {{ json_text('privilege_events.attributes', 'role_id') }},
            {{ json_text('privilege_events.attributes', 'capability') }}
        ) as privilege,
        coalesce(
            {{ json_text('privilege_events.attributes', 'previous_role') }},
            {{ json_text('privilege_events.attributes', 'previous_seat_tier') }},
            {{ json_text('privilege_events.attributes', 'previous_owner_id') }}
        ) as previous_value,
        coalesce(
            {{ json_text('privilege_events.attributes', 'current_role') }},
            {{ json_text('privilege_events.attributes', 'current_seat_tier') }},
            {{ json_text('privilege_events.attributes', 'new_owner_id') }}
        ) as current_value,
        privilege_events.actor_type,
        privilege_events.actor_id,
        privilege_events.actor_email,
        privilege_events.ip_address,
        privilege_events.organization_id,
        privilege_events.attributes,
        privilege_events.event_at
    from privilege_events
    left join distinct_members on privilege_events.event_id = distinct_members.event_id
),

-- A role without a previous one was given, one without a current one was taken away.
with_direction as (
    select
        event_id,
        subject_id,
        event_date,
        event_type,
        case
            when privilege_change <> 'changed' then privilege_change
            when previous_value is null and current_value is not null then 'granted'
            when previous_value is not null and current_value is null then 'revoked'
            else 'changed'
        end as privilege_change,
        subject_type,
        subject_email,
        privilege,
        previous_value,
        current_value,
        actor_type,
        actor_id,
        actor_email,
        ip_address,
        organization_id,
        attributes,
        subject_id = actor_id as is_own_change,
        event_at
    from with_values
)

select * from with_direction
