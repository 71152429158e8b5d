-- One row per organisation whose cost is read: the first one, those with a key of their own, and the children that a
-- parent's key tells of.
with

first_organization as (
    select * from {{ ref('int_organization') }}
    where organization_id is not null
),

key_owners as (
    select * from {{ ref('stg_key_owners') }}
),

cost_totals as (
    select * from {{ ref('stg_cost_totals') }}
    where child_organization_id is not null
),

first_since as (
    select min(since_at) as since_at
    from key_owners
    where kind is null
),

further as (
    select
        organization_id,
        organization_name,
        kind,
        min(since_at) over (partition by organization_id) as since_at,
        row_number() over (partition by organization_id order by owner_number desc) as owners_since
    from key_owners
    where kind in ('console', 'parent')
),

-- Whoever sets the parent's key says what its children are called.
names_in_order as (
    select
        organization_id,
        organization_name,
        row_number() over (partition by organization_id order by owner_number desc) as names_since
    from key_owners
    where kind = 'child'
),

children as (
    select
        child_organization_id as organization_id,
        max(organization_id) as parent_organization_id
    from cost_totals
    group by child_organization_id
),

organizations as (
    select
        first_organization.organization_id,
        first_organization.organization_name,
        'enterprise' as kind,
        cast(null as {{ dbt.type_string() }}) as parent_organization_id,
        first_since.since_at
    from first_organization
    cross join first_since
    union all
    select
        organization_id,
        organization_name,
        kind,
        cast(null as {{ dbt.type_string() }}) as parent_organization_id,
        since_at
    from further
    where owners_since = 1
    union all
    select
        children.organization_id,
        names_in_order.organization_name,
        'child' as kind,
        children.parent_organization_id,
        parents.since_at
    from children
    left join further as parents
        on children.parent_organization_id = parents.organization_id and parents.owners_since = 1
    left join names_in_order
        on children.organization_id = names_in_order.organization_id and names_in_order.names_since = 1
)

select * from organizations
