-- One row: the first organisation, whose people and seats these are, by the API's own answers; nulls where none of them
-- has named it. Whose key it is counts before the roster, and the roster before the activity feed.
with

key_owners as (
    select * from {{ ref('stg_key_owners') }}
    where organization_id is not null and kind is null
),

organizations as (
    select * from {{ ref('stg_organizations') }}
    where organization_id is not null
),

activities as (
    select * from {{ ref('stg_activities') }}
    where organization_id is not null
),

owners_in_order as (
    select
        organization_id,
        organization_name,
        row_number() over (order by owner_number desc, source_name asc) as owners_since
    from key_owners
),

organizations_in_order as (
    select
        organization_id,
        name,
        row_number() over (order by valid_from_at desc, organization_id asc) as organizations_since
    from organizations
),

-- Each of the three is one row, of nulls where it has none.
owner as (
    select
        max(organization_id) as organization_id,
        max(organization_name) as organization_name
    from owners_in_order
    where owners_since = 1
),

of_roster as (
    select
        max(organization_id) as organization_id,
        max(name) as organization_name
    from organizations_in_order
    where organizations_since = 1
),

of_feed as (
    select max(organization_id) as organization_id
    from activities
),

-- The roster's name is the newer one, of the same organisation.
organization as (
    select
        coalesce(owner.organization_id, of_roster.organization_id, of_feed.organization_id) as organization_id,
        case
            when of_roster.organization_id = coalesce(owner.organization_id, of_roster.organization_id)
                then of_roster.organization_name
            else owner.organization_name
        end as organization_name
    from owner
    cross join of_roster
    cross join of_feed
)

select * from organization
