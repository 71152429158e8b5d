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
        event_types.privilege_change,
        event_types.privilege_subject
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

owners as (
    select
        event_id,
        {{ json_text('attributes', 'new_owner_id') }} as new_owner_id,
        {{ json_text('attributes', 'previous_owner_id') }} as previous_owner_id
    from privilege_events
    where privilege_subject = 'owner'
),

-- People whom an event names side by side. A new owner gets what the previous one loses.
people as (
    select distinct
        event_id,
        member_id as user_id,
        cast(null as {{ dbt.type_string() }}) as privilege_change
    from members
    where member_id is not null
    union all
    select
        event_id,
        new_owner_id as user_id,
        'granted' as privilege_change
    from owners
    where new_owner_id is not null
    union all
    select
        event_id,
        previous_owner_id as user_id,
        'revoked' as privilege_change
    from owners
    where previous_owner_id <> coalesce(new_owner_id, '')
),

with_named_subject as (
    select
        privilege_events.*,
        people.privilege_change as change_for_one,
        coalesce(
            people.user_id,
            {{ json_text('privilege_events.attributes', 'user_id') }},
            {{ json_text('privilege_events.attributes', 'deleted_user_id') }},
            case when privilege_events.privilege_subject in ('actor', 'invitee') then privilege_events.user_id end
        ) as subject_user_id,
        coalesce(
            {{ json_text('privilege_events.attributes', 'principal_id') }},
            {{ json_text('privilege_events.attributes', 'target_id') }}
        ) as principal_id,
        coalesce(
            {{ json_text('privilege_events.attributes', 'principal_type') }},
            {{ json_text('privilege_events.attributes', 'target_type') }}
        ) as principal_type,
        case
            when people.user_id is null
                then coalesce(
                    {{ json_text('privilege_events.attributes', 'user_email') }},
                    {{ json_text('privilege_events.attributes', 'deleted_user_email') }},
                    case
                        when
                            privilege_events.privilege_subject in ('actor', 'invitee')
                            and privilege_events.user_id is not null
                            then privilege_events.actor_email
                    end
                )
        end as subject_email
    from privilege_events
    left join people on privilege_events.event_id = people.event_id
),

-- Who acted is not whose privilege it is, unless the event's type says so.
with_values as (
    select
        event_id,
        coalesce(
            subject_user_id,
            principal_id,
            case privilege_subject
                when 'group' then {{ json_text('attributes', 'group_id') }}
                when 'role' then {{ json_text('attributes', 'role_id') }}
                when 'organization' then organization_id
            end
        ) as subject_id,
        event_date,
        event_type,
        coalesce(change_for_one, privilege_change) as privilege_change,
        privilege_subject,
        case
            when subject_user_id is not null then 'user'
            when principal_id is not null then principal_type
            when subject_email is not null then 'user'
            when privilege_subject in ('group', 'role', 'organization') then privilege_subject
        end as subject_type,
        subject_email,
        coalesce(
            case when privilege_subject = 'owner' then 'primary_owner' end,
            {{ json_text('attributes', 'role') }},
            {{ json_text('attributes', 'action') }},
            {{ json_text('attributes', 'group_id') }},
            {{ json_text('attributes', 'workspace_id') }},
            {{ json_text('attributes', 'role_id') }},
            {{ json_text('attributes', 'capability') }}
        ) as privilege,
        coalesce(
            {{ json_text('attributes', 'previous_role') }},
            {{ json_text('attributes', 'previous_seat_tier') }},
            {{ json_text('attributes', 'previous_owner_id') }}
        ) as previous_value,
        coalesce(
            {{ json_text('attributes', 'current_role') }},
            {{ json_text('attributes', 'current_seat_tier') }},
            {{ json_text('attributes', 'new_owner_id') }}
        ) as current_value,
        actor_type,
        actor_id,
        actor_email,
        ip_address,
        organization_id,
        attributes,
        event_at
    from with_named_subject
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
        case
            when privilege_subject = 'invitee' then false
            when subject_type in ('group', 'organization') then null
            else subject_id = actor_id
        end as is_own_change,
        event_at
    from with_values
)

select * from with_direction
