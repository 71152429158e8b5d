-- One row per setting of an organisation (each one, where it has several) and period in which it had one value.
with

events as (
    select * from {{ ref('security_events') }}
    where category = 'setting'
),

updates as (
    select * from {{ ref('int_event_updates') }}
    where category = 'setting'
),

-- Events without a list of updates are switches, or say what was made, changed or removed. An update that lists nothing
-- changed nothing.
changes as (
    select
        coalesce(organization_id, 'none') as organization_id,
        update_type as setting_name,
        {{ setting_instance('event_type', 'attributes') }} as setting_instance,
        event_id,
        event_type,
        current_value as setting_value,
        previous_value,
        true as names_previous_value,
        user_id as changed_by_user_id,
        actor_id as changed_by_actor_id,
        actor_email as changed_by_email,
        event_at
    from updates
    union all
    select
        coalesce(organization_id, 'none') as organization_id,
        {{ setting_of_event_type('event_type') }} as setting_name,
        {{ setting_instance('event_type', 'attributes') }} as setting_instance,
        event_id,
        event_type,
        case
            when event_type like '%enabled' or event_type like '%!_activated' escape '!' then 'true'
            when event_type like '%disabled' or event_type like '%deactivated' then 'false'
            when event_type like '%deleted' or event_type like '%removed' then null
            else attributes
        end as setting_value,
        cast(null as {{ dbt.type_string() }}) as previous_value,
        false as names_previous_value,
        user_id as changed_by_user_id,
        actor_id as changed_by_actor_id,
        actor_email as changed_by_email,
        event_at
    from events
    where
        event_id not in (select updates.event_id from updates)
        and event_type <> 'claude_organization_settings_updated'
        and (event_type not like '%updated' or {{ json_text('attributes', 'updates') }} is null)
),

changes_in_order as (
    select
        changes.*,
        row_number() over one_setting as change_number,
        lag(setting_value) over one_setting as value_before,
        lead(event_at) over one_setting as valid_until_at
    from changes
    window one_setting as (partition by organization_id, setting_name, setting_instance order by event_at, event_id)
),

-- What the first change replaced was the value before it, since nobody knows when.
periods as (
    select
        organization_id,
        setting_name,
        setting_instance,
        event_id,
        event_type,
        setting_value,
        previous_value,
        changed_by_user_id,
        changed_by_actor_id,
        changed_by_email,
        case
            when names_previous_value and change_number > 1
                then coalesce(previous_value, '') <> coalesce(value_before, '')
            else false
        end as has_unseen_change,
        event_at as valid_from_at,
        valid_until_at
    from changes_in_order
    union all
    select
        organization_id,
        setting_name,
        setting_instance,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ dbt.type_string() }}) as event_type,
        previous_value as setting_value,
        cast(null as {{ dbt.type_string() }}) as previous_value,
        cast(null as {{ dbt.type_string() }}) as changed_by_user_id,
        cast(null as {{ dbt.type_string() }}) as changed_by_actor_id,
        cast(null as {{ dbt.type_string() }}) as changed_by_email,
        false as has_unseen_change,
        cast(null as timestamp) as valid_from_at,
        event_at as valid_until_at
    from changes_in_order
    where change_number = 1 and names_previous_value
),

with_current as (
    select
        organization_id,
        setting_name,
        setting_instance,
        event_id,
        event_type,
        setting_value,
        previous_value,
        changed_by_user_id,
        changed_by_actor_id,
        changed_by_email,
        valid_until_at is null as is_current,
        has_unseen_change,
        valid_from_at,
        valid_until_at
    from periods
)

select * from with_current
