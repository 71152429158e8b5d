-- One row per event type seen in the activity feed: what it is about.
with

activities as (
    select * from {{ ref('stg_activities') }}
),

event_types as (
    select distinct coalesce(event_type, 'unknown') as event_type from activities
),

with_meaning as (
    select
        event_type,
        case
            {{ when_listed('event_type', event_categories()) }}
            {{ when_like('event_type', event_category_rules()) }}
            else 'other'
        end as category,
        case {{ when_listed('event_type', privilege_change_types()) }} end as listed_privilege_change,
        case {{ when_listed('event_type', privilege_subject_types()) }} end as listed_privilege_subject,
        case {{ when_listed('event_type', membership_change_types()) }} end as membership_change,
        case {{ when_listed('event_type', file_action_types()) }} end as file_action,
        case {{ when_listed('event_type', sign_in_types()) }} end as sign_in
    from event_types
),

-- A role event that nobody listed changes a privilege, too; of the organisation, if its name says so.
with_role_changes as (
    select
        event_type,
        category,
        coalesce(listed_privilege_change, case when category = 'role' then 'changed' end) as privilege_change,
        coalesce(
            listed_privilege_subject,
            case when category = 'role' and event_type like 'org!_%' escape '!' then 'organization' end
        ) as privilege_subject,
        membership_change,
        file_action,
        sign_in
    from with_meaning
)

select * from with_role_changes
